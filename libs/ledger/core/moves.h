// Commands on several accounts: what moves between two of them, and what the journal says of it.
// Pure.
//
// Each account has a posting and a record of its own, in its own book, where it balances through
// the book's account of points in transit. The postings have been brought up to their time unless a
// function says otherwise.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/record.h"

namespace guilder::ledger {

// Moves available points; lots keep issuer, contract and dates.
//
// Refuses, in this order: kAccountClosed, either is; kAmountOutOfRange, also where the receiver
// would hold too many, or they are of too many lots; kAccountInDebt, the sender is;
// kInsufficientPoints.
absl::Status DecideMove(Posting& from, Posting& to, Points points);

// Moves everything that is free, pending or available, and what is owed. What holds hold stays
// where it is, and so may the last ones of very many lots.
void MoveAll(Posting& from, Posting& to);

// Moves everything to the other account, and closes this one for good.
//
// Refuses, in this order: kAccountClosed, either is; kAmountOutOfRange, the other would hold too
// many.
absl::Status DecideMerge(Posting& from, Posting& into);

// Before a command on several accounts: what lives only because it is spared lives on for
// kMovedLifeDays where it moves to. With a survivor, which is the second, the first one's points
// end as they would there while it is decided.
void SpareWhatMoves(const Configuration& configuration, bool to_survivor,
                    std::vector<Posting>& postings);

// Before a command that acts on an earlier record of a merged account: takes home what lots that
// the record created have left at the survivor. Both are brought up to their time after it.
void BringHome(Posting& home, Posting& survivor, RecordNumber acts_on);

// The content of a merge's record: which account goes on.
std::string EncodeMerge(AccountId into);
// Nothing when it is no such content.
std::optional<AccountId> DecodeMerge(std::string_view content);

// A record of kind kPart: the command that it belongs to.
struct Part {
  RecordKind kind{};
  AccountId account;
  BookId book;
  RecordNumber number;
  friend bool operator==(const Part&, const Part&) = default;
};
std::string EncodePart(const Part& part);
std::optional<Part> DecodePart(std::string_view content);

// The request id of the n-th part, from 1 on: it follows from that of the command.
Uuid PartRequestId(const Uuid& request_id, int part);

}  // namespace guilder::ledger
