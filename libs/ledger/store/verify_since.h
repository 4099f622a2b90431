// What a verification leaves for the next one, and how that goes on from it. For
// libs/ledger/store/verify*.cc. Why it is sound: libs/ledger/README.md.
//
// Of each book it keeps the tree's frontier, the control accounts, the positions of the last
// window, and for each 64 accounts one sum: of keyed hashes of what these accounts, their lots and
// holds were. The key is in the state, which the auditor keeps, so nobody who changes rows can make
// the sum come out right.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/keyed_hash.h"
#include "libs/ledger/store/verify_tables.h"

namespace guilder::ledger {

inline constexpr int64_t kAccountsPerDigest = 64;

// A book as it was proved, up to a record.
struct BookProof {
  BookId book;
  ReplayPoint point;
  int64_t last_serial = 0;
  std::map<AccountId, Points> control_accounts;
  // Of the window of the last record.
  Timestamp window_start;
  std::map<PositionKey, Points> positions;
  // Of the accounts whose serials begin at 1, 65, 129 …
  std::vector<uint64_t> digests;
};

struct VerifyState {
  KeyedHash hash;
  std::map<BookId, BookProof> books;

  std::string Encode() const;
  // Errors: kRequestMalformed, these are not the bytes of a state.
  static absl::StatusOr<VerifyState> Decode(std::string_view bytes);
};

// The digests of everything that a whole model has.
std::vector<uint64_t> DigestsOf(const KeyedHash& hash, const BookModel& model);

// The digests that have an account which the model speaks of.
std::set<size_t> TouchedDigests(const BookModel& model);

// A book between two proofs. Both models begin with nothing: `since` has the records after the
// earlier proof, `after` those after the point of the new one, both up to the snapshot.
struct BookInterval {
  BookId book;
  const KeyedHash& hash;
  const BookProof& from;
  RecordNumber until;
  BookModel& since;
  const BookModel& after;
};

// In a snapshot: proves that the accounts of the digests [first, last) are what they were at the
// earlier proof, and the entries since; and brings the digests of the new proof up to date.
void CompareTouched(postgres::Transaction& transaction, const BookInterval& interval, size_t first,
                    size_t last, std::vector<uint64_t>& digests, Findings& findings);

// After all touched digests were compared: what entries since have created and no table has.
void FindMissingSince(const BookInterval& interval, Findings& findings);

}  // namespace guilder::ledger
