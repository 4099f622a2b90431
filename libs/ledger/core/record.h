// Journal records: what each accepted command leaves for ever.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/digest.h"
#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/state.h"

namespace guilder::ledger {

// The format of a book that this code writes: what its leaves digest, and what its rows mean. Lanes
// post to no newer one.
inline constexpr int kBookFormat = 6;

// What a record records. The numbers are stored.
enum class RecordKind : int16_t {
  kPurchase = 1,
  kReturn = 2,
  kConfirmation = 3,
  kEnrolment = 4,
  kAuthorization = 5,
  kCapture = 6,
  kVoid = 7,
  kRefund = 8,
  kReviewRelease = 20,
  // The catalogue's, from 31 on.
  kOrder = 31,
  kOrderUpdate = 32,
  kOrderCancellation = 33,
  kVoucher = 34,
  kVoucherUse = 35,
  kVoucherRefund = 36,
  kVoucherUseRefund = 37,
  // Of members' points, from 41 on.
  kTransfer = 41,
  kTransferReversal = 42,
  kMerge = 43,
  // What a command that names several accounts did to one of them besides its own.
  kPart = 44,
  kAdjustment = 45,
  kExpiry = 46,
  kReinstatement = 47,
  kBonus = 48,
  // Of who comes and leaves, from 61 on.
  kClosure = 61,
  kErasure = 62,
  kOpeningBalance = 63,
  kCardActivation = 64,
  // Where a member lives, or what follows from it, changed.
  kResidence = 65,
};

// Whether a record of that kind gives back what the hold that it acts on still holds.
bool EndsHold(RecordKind kind);

// What the record of a closure or erasure keeps: the account, and whether it was open until then.
std::string EncodeLeaving(AccountId account, bool closes);
// Whether a record of that kind and content closed its account, other than by a merge.
bool ClosesAccount(RecordKind kind, std::string_view content);

// The content of a record of kResidence: what would end in [from, until) ends at `until` instead.
// It does not say where anybody lives.
struct Sparing {
  Timestamp from;
  Timestamp until;
  friend bool operator==(const Sparing&, const Sparing&) = default;
};
std::string EncodeSparing(const Sparing& sparing);
// Nothing when it is no such content.
std::optional<Sparing> DecodeSparing(std::string_view content);

// "PURCHASE".
std::string_view RecordKindName(RecordKind kind);

// The name by which the API knows a record, as in "purchases/3-1042". `3` is the book.
std::string RecordName(RecordKind kind, BookId book, RecordNumber number);

struct Record {
  BookId book;
  RecordNumber number;
  Timestamp posted_at;
  RecordKind kind;
  // Who asked. None for the programme itself.
  PartnerId partner;
  AccountId account;
  // The record in the same book that this one acts on. None where there is none.
  RecordNumber refers_to;
  int64_t config_version = 0;
  Uuid request_id{};
  // Digest of what was asked, without the request id.
  Digest fingerprint{};
  // What was asked, in the encoding of its service.
  std::string content;
  // What was answered.
  std::string response;
  std::vector<Entry> entries;
  // The lots that it created, as they were created.
  std::vector<Lot> new_lots;
  // The hold that it opened, as it was opened.
  std::optional<Hold> new_hold;
  // The key besides the request id that it claimed.
  std::optional<Uuid> natural_key;
  // Until when points live that it gave back to lots which had expired. None where it gave none.
  std::optional<Timestamp> restored_until;
  // Of an activity: until when it lets lots live. Of a record that undoes one: until when what is
  // left lets them live. None of other records.
  std::optional<Timestamp> active_until;
};

// The leaf of a record: digests everything of it that may never change, salted with
// HMAC-SHA-256(book secret, number).
Digest LeafOf(const Record& record, std::string_view book_secret);
// The same for many records of one book: the key is its secret.
Digest LeafOf(const Record& record, const HmacKey& book_key);

}  // namespace guilder::ledger
