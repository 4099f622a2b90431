// Proves that records and claims belong to each other. For libs/ledger/store/verify*.cc.
//
// Every record has the claim of its request id and that of its natural key, and there are no
// others. Claims are in the order of their keys, records in that of their numbers; so both are read
// once, and the sums of their keyed hashes are compared, for 1,024 records at a time. Where sums
// differ, the claims of those records are looked up one by one.
//
// Memory: 16 bytes for 1,024 records.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/keyed_hash.h"
#include "libs/ledger/core/record.h"
#include "libs/ledger/store/journal.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {

// What the records of one book must have claimed.
class ClaimSums {
 public:
  explicit ClaimSums(const KeyedHash& hash) : hash_(hash) {}

  // In the order of numbers.
  void Add(const Record& record);
  // Up to here all records were added.
  void Reach(RecordNumber number) { reached_ = number; }

  RecordNumber reached() const { return reached_; }
  const std::vector<uint64_t>& sums() const { return sums_; }

 private:
  const KeyedHash hash_;
  RecordNumber reached_;
  std::vector<uint64_t> sums_;
};

// Looks the claims of records up, one by one, and reports the first that lacks one.
void CheckClaimsOf(postgres::Transaction& transaction, BookId book,
                   const std::vector<StoredRecord>& records, Findings& findings);

// Reads all claims, which are more than those of `books` when records are posted meanwhile.
// `progress` is told after each transaction how many it read.
absl::Status VerifyClaims(postgres::Pool& pool, const KeyedHash& hash,
                          const std::map<BookId, ClaimSums>& books, int claims_per_read,
                          Findings& findings, absl::FunctionRef<absl::Status(int64_t)> progress);

}  // namespace guilder::ledger
