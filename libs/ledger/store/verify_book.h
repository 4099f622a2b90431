// The verification of one book. For libs/ledger/store/verify*.cc.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/core/keyed_hash.h"
#include "libs/ledger/store/verify_claims.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/ledger/store/verify_since.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {

// How much to read in a transaction: less when one took long, so that none comes near a second.
class ChunkSize {
 public:
  explicit ChunkSize(int most) : most_(most), now_(most) {}

  int now() const { return now_; }
  void Took(absl::Duration duration);

 private:
  const int most_;
  int now_;
};

struct BookTask {
  BookId book;
  // Of claims, and of the state that is left.
  KeyedHash hash;
  // What was proved earlier; null for the whole book.
  const BookProof* from = nullptr;
  int records_per_read = 0;
  int accounts_per_read = 0;
};

// What the verification of a book gives.
struct BookResult {
  explicit BookResult(const KeyedHash& hash) : claims(hash) {}

  Findings findings;
  // Only of a whole book.
  ClaimSums claims;
  // Holds when nothing was found.
  BookProof proof;
};

// Errors: those of `progress`, which is told after each transaction how many records it read, and
// of the pool.
absl::Status VerifyBook(postgres::Pool& pool, const BookTask& task, BookResult& result,
                        absl::FunctionRef<absl::Status(int64_t)> progress);

}  // namespace guilder::ledger
