// A ledger for tests of what happens after posting: rows as lanes would have left them.
#pragma once

#include <map>
#include <string>

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/merkle.h"
#include "libs/postgres/connection.h"
#include "tests/support/database.h"

namespace guilder::testing {

// Not thread safe. Any failure throws.
class PostedLedger {
 public:
  struct Options {
    std::string cycle = "DAILY";
    std::string time_zone = "UTC";
    Timestamp started_at;
    // What the programme's clock shows now; it goes on from there.
    Timestamp now;
    int books = 2;
  };

  // Sets up a development programme in EUR, and its books 1, 2, 3 …
  PostedLedger(const TestDatabase& database, const Options& options);
  // On a programme that is set up already, and has no records.
  explicit PostedLedger(const TestDatabase& database) : connection_(database.Connect()) {}

  // Appends an empty record to a book, with a leaf of its own. Posted times must not fall.
  void Append(int book, Timestamp posted_at);
  void AddPosition(int book, ContractId contract, Timestamp window_start, ledger::Movement movement,
                   int64_t points);
  void MoveClockTo(Timestamp now);

 private:
  postgres::Connection connection_;
  std::map<int, ledger::Frontier> heads_;  // By book.
};

}  // namespace guilder::testing
