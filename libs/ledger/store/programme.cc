#include "libs/ledger/store/programme.h"

#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kReadProgramme{"programme.read", R"sql(
  select programme_id, currency, mode = 'LIVE'
    from ledger.programmes
   order by programme_id
   limit 1
)sql"};

// All books of a programme have the same offset; while the clock is being moved, the furthest
// counts.
constexpr postgres::Statement kReadClock{"programme.clock", R"sql(
  select (extract(epoch from clock_timestamp()) * 1000000)::bigint + coalesce(max(clock_offset_us), 0)
    from ledger.books
   where programme_id = $1
)sql"};

constexpr postgres::Statement kIncrementVersion{"programme.increment_configuration", R"sql(
  update ledger.configuration
     set version = version + 1
   where programme_id = $1
)sql"};

}  // namespace

absl::StatusOr<ProgrammeFacts> ReadProgramme(postgres::Transaction& transaction) {
  const postgres::Rows rows = transaction.Execute(kReadProgramme);
  if (rows.empty()) {
    return absl::FailedPreconditionError("the database holds no programme; set one up first");
  }
  const std::optional<Currency> currency = ParseCurrency(rows[0].Text(1));
  if (!currency) return absl::InternalError("the programme's currency is malformed");
  return ProgrammeFacts{rows[0].Id<ProgrammeId>(0), *currency, rows[0].Bool(2)};
}

Timestamp ReadProgrammeClock(postgres::Transaction& transaction, ProgrammeId programme) {
  return transaction.Execute(kReadClock, postgres::Params().Int(programme))[0].Id<Timestamp>(0);
}

void IncrementConfigurationVersion(postgres::Transaction& transaction, ProgrammeId programme) {
  transaction.Execute(kIncrementVersion, postgres::Params().Int(programme));
}

}  // namespace guilder::ledger
