#include "tests/support/posted_ledger.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace guilder::testing {
namespace {

using postgres::Params;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kInsertProgramme{"posted.insert_programme", R"sql(
  insert into ledger.programmes (programme_id, slug, display_name, currency, currency_exponent,
                                 time_zone, mode, cycle, started_at_us)
  values (1, 'test', 'Test', 'EUR', 2, $1, 'DEVELOPMENT', $2, $3)
)sql"};

constexpr Statement kInsertConfiguration{"posted.insert_configuration", R"sql(
  insert into ledger.configuration (programme_id, version) values (1, 1)
)sql"};

constexpr Statement kInsertBooks{"posted.insert_books", R"sql(
  insert into ledger.books (book, programme_id, clock_offset_us, format_version, secret)
  select b, 1, 0, 6, '\x00' from generate_series(1, $1::int) as b
)sql"};

constexpr Statement kMoveClock{"posted.move_clock", R"sql(
  update ledger.books
     set clock_offset_us = $1 - (extract(epoch from clock_timestamp()) * 1000000)::bigint
)sql"};

constexpr Statement kAppendRecord{"posted.append_record", R"sql(
  insert into ledger.journal (book, number, posted_at_us, account_id, partner_id, config_version, kind,
                              request_id, fingerprint, content, response, leaf)
  values ($1, $2, $3, 0, 0, 1, 1, gen_random_uuid(), '', '', '', $4)
)sql"};

constexpr Statement kMoveHead{"posted.move_head", R"sql(
  update ledger.books
     set last_number = $2, last_posted_at_us = greatest(last_posted_at_us, $3), frontier = $4
   where book = $1
)sql"};

constexpr Statement kAddPosition{"posted.add_position", R"sql(
  insert into ledger.positions (book, contract_id, window_start_us, movement, points)
  values ($1, $2, $3, $4, $5)
      on conflict (book, window_start_us, contract_id, movement)
      do update set points = positions.points + excluded.points
)sql"};

template <typename Body>
void Run(postgres::Connection& connection, Body body) {
  const absl::Status status = postgres::RunInTransaction(connection, [&](Transaction& transaction) {
    body(transaction);
    return absl::OkStatus();
  });
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

}  // namespace

PostedLedger::PostedLedger(const TestDatabase& database, const Options& options)
    : connection_(database.Connect()) {
  Run(connection_, [&](Transaction& transaction) {
    transaction.Execute(
        kInsertProgramme,
        Params().Text(options.time_zone).Text(options.cycle).Int(options.started_at));
    transaction.Execute(kInsertConfiguration);
    transaction.Execute(kInsertBooks, Params().Int(options.books));
  });
  MoveClockTo(options.now);
}

void PostedLedger::Append(int book, Timestamp posted_at) {
  ledger::Frontier& frontier = heads_[book];
  const int64_t number = frontier.size() + 1;
  const Digest leaf = ledger::LeafHash(absl::StrCat(book, "/", number));
  frontier.Append(leaf);
  Run(connection_, [&](Transaction& transaction) {
    transaction.Execute(kAppendRecord, Params().Int(book).Int(number).Int(posted_at).Bytes(leaf));
    transaction.Execute(kMoveHead,
                        Params().Int(book).Int(number).Int(posted_at).Bytes(frontier.ToBytes()));
  });
}

void PostedLedger::AddPosition(int book, ContractId contract, Timestamp window_start,
                               ledger::Movement movement, int64_t points) {
  Run(connection_, [&](Transaction& transaction) {
    transaction.Execute(
        kAddPosition, Params().Int(book).Int(contract).Int(window_start).Int(movement).Int(points));
  });
}

void PostedLedger::MoveClockTo(Timestamp now) {
  Run(connection_,
      [&](Transaction& transaction) { transaction.Execute(kMoveClock, Params().Int(now)); });
}

}  // namespace guilder::testing
