// Accounts of the ledger, their buckets, and the ids that name them.
#pragma once

#include <cstdint>
#include <string_view>

#include "libs/base/types.h"

namespace guilder::ledger {

// Where points can be. The first group are control accounts, which stand for the rest of the world;
// the second are the buckets of a member's account. The numbers are stored.
enum class Bucket : int16_t {
  kIssued = 1,     // one per partner and book: what it gave, as debits
  kRedeemed = 2,   // one per partner and book: what it took
  kExpired = 3,    // one per book
  kInTransit = 4,  // one per book: what moved between accounts; zero over all books
  kPending = 11,
  kAvailable = 12,
  kHeld = 13,
  kDebt = 14,  // what a member owes; its balance is a debit
};

constexpr bool IsControl(Bucket bucket) {
  return bucket < Bucket::kPending;
}

// "ISSUED", "PENDING" …
std::string_view BucketName(Bucket bucket);

inline constexpr int64_t kBooksPerSerial = 65'536;

constexpr AccountId MakeAccountId(int64_t serial, BookId book) {
  return AccountId(serial * kBooksPerSerial + book.value());
}

// The book that an account was opened in, which it never leaves.
constexpr BookId BookOf(AccountId account) {
  const int64_t book = account.value() % kBooksPerSerial;
  return BookId(static_cast<int32_t>(book < 0 ? book + kBooksPerSerial : book));
}

// The place of an account among those that its book has opened: 1, 2, 3 …
constexpr int64_t SerialOf(AccountId account) {
  return (account.value() - BookOf(account).value()) / kBooksPerSerial;
}

// The id of a control account follows from what it is, so that nobody has to look it up: its serial
// is negative. `partner` is none for kExpired and kInTransit.
constexpr AccountId ControlAccountId(Bucket kind, PartnerId partner, BookId book) {
  const int64_t serial = int64_t{partner.value()} * 16 + static_cast<int64_t>(kind);
  return MakeAccountId(-serial, book);
}

struct ControlAccount {
  Bucket kind;
  PartnerId partner;
};

// The inverse of ControlAccountId.
constexpr ControlAccount ControlAccountOf(AccountId account) {
  const int64_t serial = -(account.value() - BookOf(account).value()) / kBooksPerSerial;
  return {static_cast<Bucket>(serial % 16), PartnerId(static_cast<int32_t>(serial / 16))};
}

inline constexpr int64_t kLotsPerRecord = 1'024;

constexpr LotId MakeLotId(RecordNumber record, int64_t index = 0) {
  return LotId(record.value() * kLotsPerRecord + index);
}

// The record that created a lot.
constexpr RecordNumber RecordOf(LotId lot) {
  return RecordNumber(lot.value() / kLotsPerRecord);
}

}  // namespace guilder::ledger
