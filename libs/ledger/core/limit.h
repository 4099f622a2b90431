// Limits over all books, by escrow: each book holds an allowance that it may spend alone.
//
// Pure. What a movement of points does to an allowance follows from its entry, as positions do, so
// that allowances can be proved from entries.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"

namespace guilder::ledger {

// Names a limit.
using LimitId = StrongId<struct LimitTag, int64_t>;

// What is limited. The numbers are stored.
enum class LimitKind : int16_t {
  kPointBlocks = 1,  // the points that a partner has bought ahead, all its blocks together
  kCounter = 2,      // what a service counts over all books, as what a campaign gives
  kStock = 3,        // pieces of a reward
  kCredit = 4,       // what a partner may owe: money, in millionths of the major unit
};

// The id of a limit follows from what it limits, so that nobody has to look it up.
constexpr LimitId PointBlocksOf(PartnerId partner) {
  return LimitId(int64_t{partner.value()} * 16 + static_cast<int64_t>(LimitKind::kPointBlocks));
}

// The limit of what a partner may owe for points that are not paid for yet.
constexpr LimitId CreditOf(PartnerId partner) {
  return LimitId(int64_t{partner.value()} * 16 + static_cast<int64_t>(LimitKind::kCredit));
}

// The partner whose blocks, or whose credit, a limit of those kinds is of.
constexpr PartnerId PartnerOf(LimitId limit) {
  return PartnerId(static_cast<int32_t>(limit.value() / 16));
}

// The limit of what is counted under a number, below 2^59, that a service gave to it.
constexpr LimitId LimitOfCounter(int64_t counter) {
  return LimitId(counter * 16 + static_cast<int64_t>(LimitKind::kCounter));
}

// The limit of the pieces of a reward, by its number.
constexpr LimitId StockOf(int64_t reward) {
  return LimitId(reward * 16 + static_cast<int64_t>(LimitKind::kStock));
}

constexpr LimitKind KindOf(LimitId limit) {
  return static_cast<LimitKind>(limit.value() % 16);
}

// The number that a limit of the kinds kCounter and kStock is of.
constexpr int64_t CounterOf(LimitId limit) {
  return limit.value() / 16;
}

// What happens when a limit does not cover what a contract's partner would issue.
enum class WhenExhausted { kRefuse, kIssueNothing };

// The most that is ever granted of a limit: sums with what commands ask for stay below 2^63.
inline constexpr Points kMaxGranted{4'000'000'000'000'000'000};

// What an entry of a limited contract does to its book's allowance: points that are issued spend
// it, points that are taken back refill it.
Points AllowanceChange(const Entry& entry);

// What so many points are of a limit that counts `units` for each: no more than anybody may have
// where that would not fit 64 bits.
Points InUnits(Points points, int64_t units);

// What a book must hold of a limit, so that a command of it can be accepted.
struct AllowanceNeed {
  BookId book;
  Points points;
};

// Divides what is left of a limit over its books: first what is needed, in the order given, as far
// as it goes; a need that is more than what is then left gets nothing. The rest goes to all books
// alike, so that books which spend alike come to ask again as late as possible.
//
// The allowances sum to `total`, which must not be negative. A book may need several times.
std::map<BookId, Points> DivideAllowance(Points total, const std::vector<BookId>& books,
                                         const std::vector<AllowanceNeed>& needs);

}  // namespace guilder::ledger
