// Proves a ledger while it runs: recomputes everything that follows from something else, and
// compares.
//
// The journal is read once, in chunks, into a model of each book: what accounts, lots, holds and
// positions must be, by the entries alone. Tables that move on meanwhile are compared in short
// snapshots, each after the model has caught up with the records that the snapshot has. No lock is
// taken, and no transaction lasts longer than a second.
//
// Memory: about 200 bytes a lot of the largest book.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "libs/postgres/pool.h"

namespace guilder::ledger {

struct VerifyOptions {
  int records_per_read = 10'000;
  int accounts_per_read = 1'000;
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

struct VerifyReport {
  bool ok = true;
  std::vector<VerifyCheck> checks;
  int64_t records = 0;
};

struct VerifyProgress {
  int64_t records_done = 0;
  // Rises when records are posted meanwhile.
  int64_t records_total = 0;
};

// Verifies every book, then claims and settlements. `progress` is called after each chunk; when it
// gives false, nobody wants the answer any more.
//
// Errors: CANCELLED; those of the pool. What is wrong with the ledger is in the report, not an
// error.
absl::StatusOr<VerifyReport> Verify(postgres::Pool& pool, const VerifyOptions& options,
                                    absl::FunctionRef<bool(const VerifyProgress&)> progress);

}  // namespace guilder::ledger
