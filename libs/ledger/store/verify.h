// Proves a ledger while it runs: recomputes everything that follows from something else, and
// compares.
//
// The journal is read once, in chunks, into a model of each book: what accounts, lots, holds and
// positions must be, by the entries alone. Tables that move on meanwhile are compared in short
// snapshots, each after the model has caught up with the records that the snapshot has. No lock is
// taken, and no transaction lasts longer than a second.
//
// Memory: about 300 bytes a lot of the largest book, for each job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/postgres/pool.h"

namespace guilder::ledger {

struct VerifyOptions {
  // At most in one transaction.
  int records_per_read = 10'000;
  int accounts_per_read = 2'000;
  // Books that are verified at once, each on a connection of the pool and in a thread of its own.
  int jobs = 1;
  // The state that an earlier verification left: only what came after it is proved, and that it
  // follows from what was proved then. Empty for everything.
  std::string since{};
};

struct VerifyCheck {
  // A statement, as in "leaves digest what is stored".
  std::string name;
  bool ok = true;
  // How many records, accounts, lots or rows were looked at.
  int64_t examined = 0;
  // The first that is wrong, and how; empty when all is well.
  std::string first_failure;
};

// Which records of a book were proved: those after `after` up to `until`.
struct VerifiedRange {
  int book = 0;
  int64_t after = 0;
  int64_t until = 0;
};

struct VerifyReport {
  bool ok = true;
  std::vector<VerifyCheck> checks;
  // Read and proved.
  int64_t records = 0;
  std::vector<VerifiedRange> ranges;
  // What the next verification can go on from; empty unless everything holds. It belongs with
  // whoever trusts nobody with the database: libs/ledger/README.md says why.
  std::string state;
  // Processor time of this process's threads that verified, and the time that it all took.
  absl::Duration processor;
  absl::Duration elapsed;
};

struct VerifyProgress {
  int64_t records_done = 0;
  // Rises when records are posted meanwhile.
  int64_t records_total = 0;
};

// Verifies every book, then claims, settlements and money. `progress` is called after each chunk,
// from one thread at a time; when it gives false, nobody wants the answer any more.
//
// Errors: CANCELLED; kRequestMalformed, `since` is not what a verification has left; those of the
// pool. What is wrong with the ledger is in the report, not an error.
absl::StatusOr<VerifyReport> Verify(postgres::Pool& pool, const VerifyOptions& options,
                                    absl::FunctionRef<bool(const VerifyProgress&)> progress);

}  // namespace guilder::ledger
