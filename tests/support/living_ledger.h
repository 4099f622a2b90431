// A small ledger in which everything has happened, for tests that tamper with it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "libs/base/types.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "tests/support/database.h"

namespace guilder::testing {

// Real lanes wrote it: members of two books who earned, spent, gave back and owed; five days of
// sealed windows, all of them settled; and more after the last seal. Any failure throws. Thread
// safe.
class LivingLedger {
 public:
  static constexpr int kBooks = 2;
  using Decide = std::function<absl::Status(ledger::Posting&)>;

  LivingLedger();

  // The record of the account that it opens.
  ledger::Answer Open(BookId book);
  ledger::Answer Earn(AccountId account, int64_t points, Timestamp activates_at,
                      Timestamp expires_at);
  RecordNumber Hold(AccountId account, int64_t points, Timestamp expires_at);

  ledger::VerifyReport Verify(const ledger::VerifyOptions& options = {});

  const TestDatabase& database() const { return database_; }
  postgres::Pool& pool() { return pool_; }

 private:
  ledger::Answer Post(BookId book, AccountId account, ledger::RecordKind kind, Decide decide,
                      RecordNumber refers_to = {});
  ledger::Answer Send(std::unique_ptr<ledger::Command> command);
  void MoveClockByADay();
  void Live(BookId book);
  // A member of one book gives points to one of another, is merged into it, and brings goods back.
  void Meet();

  TestDatabase database_;
  postgres::Pool pool_;
  std::unique_ptr<ledger::Lanes> lanes_;
  std::atomic<int> requests_ = 0;
};

// Changes a table behind the ledger's back, and puts it back as it was at the end.
class Tampering {
 public:
  Tampering(const TestDatabase& database, std::string table, const std::string& sql);
  ~Tampering();
  Tampering(const Tampering&) = delete;
  Tampering& operator=(const Tampering&) = delete;

 private:
  const TestDatabase& database_;
  const std::string table_;
};

// All failures of a report, a line each.
std::string FailuresOf(const ledger::VerifyReport& report);

}  // namespace guilder::testing
