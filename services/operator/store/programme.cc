#include "services/operator/store/programme.h"

namespace guilder::operator_ {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadProgramme{"operator.read_programme", R"sql(
  select p.programme_id, p.slug, p.display_name, p.currency, p.time_zone, p.mode, p.cycle,
         (extract(epoch from clock_timestamp()) * 1000000)::bigint
         + coalesce((select max(b.clock_offset_us) from ledger.books b
                      where b.programme_id = p.programme_id), 0)
    from ledger.programmes p
   order by p.programme_id
   limit 1
)sql"};

constexpr Statement kEnsurePartitions{"operator.ensure_partitions", R"sql(
  select ledger.ensure_partitions($1, $2)
)sql"};

constexpr Statement kLockBooks{"operator.lock_books", R"sql(
  select book from ledger.books where programme_id = $1 order by book for no key update
)sql"};

constexpr Statement kMoveClock{"operator.move_clock", R"sql(
  update ledger.books set clock_offset_us = clock_offset_us + $2 where programme_id = $1
)sql"};

}  // namespace

absl::StatusOr<Programme> ReadProgramme(Transaction& transaction) {
  const Rows rows = transaction.Execute(kReadProgramme);
  if (rows.empty()) {
    return absl::FailedPreconditionError("the database holds no programme; set one up first");
  }
  const Row row = rows[0];
  return Programme{row.Id<ProgrammeId>(0),   std::string(row.Text(1)), std::string(row.Text(2)),
                   std::string(row.Text(3)), std::string(row.Text(4)), std::string(row.Text(5)),
                   std::string(row.Text(6)), row.Id<Timestamp>(7)};
}

void EnsurePartitions(Transaction& transaction, Timestamp from, Timestamp until) {
  transaction.Execute(kEnsurePartitions, Params().Int(from).Int(until));
}

void LockBooks(Transaction& transaction, ProgrammeId programme) {
  transaction.Execute(kLockBooks, Params().Int(programme));
}

void MoveClock(Transaction& transaction, ProgrammeId programme, Timestamp by) {
  transaction.Execute(kMoveClock, Params().Int(programme).Int(by));
}

}  // namespace guilder::operator_
