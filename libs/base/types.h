// The values that every part of the network speaks of.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "libs/base/strong.h"

namespace guilder {

// Loyalty points. Whole, signed only where a sum of movements is meant.
using Points = StrongQuantity<struct PointsTag>;

// No single command moves more; sums of that many commands stay far from the end of int64.
inline constexpr Points kMaxPointsPerCommand{1'000'000'000'000};

// Minor units of a currency: cents for EUR, yen for JPY.
using MinorUnits = StrongQuantity<struct MinorUnitsTag>;

// The largest amount that a request may state, so that products with rates fit 128 bits easily.
inline constexpr MinorUnits kMaxAmount{1'000'000'000'000};

// An ISO 4217 alphabetic code, as in "EUR".
using Currency = std::array<char, 3>;

struct Money {
  Currency currency{};
  MinorUnits amount;
  friend bool operator==(const Money&, const Money&) = default;
};

using ProgrammeId = StrongId<struct ProgrammeTag, int32_t>;
using PartnerId = StrongId<struct PartnerTag, int32_t>;
using StoreId = StrongId<struct StoreTag, int32_t>;
// One version of one contract: it names its partner, kind, rate, tax and currency.
using ContractId = StrongId<struct ContractTag, int32_t>;
using MemberId = StrongId<struct MemberTag, int64_t>;
// A card number, up to 19 digits, as a number.
using CardNumber = StrongId<struct CardTag, int64_t>;

// The unit of order, writing, proof, cutting and distribution of the ledger.
using BookId = StrongId<struct BookTag, int32_t>;
// `serial × 65,536 + book`. A system account's serial is negative.
using AccountId = StrongId<struct AccountTag, int64_t>;
// The place of a journal record in its book: 1, 2, 3 … without gaps.
using RecordNumber = StrongId<struct RecordTag, int64_t>;
// `record number × 1,024 + index of the lot in that record`, unique in its book.
using LotId = StrongId<struct LotTag, int64_t>;

// An instant, in microseconds since 1970-01-01T00:00:00Z.
using Timestamp = StrongQuantity<struct TimestampTag>;

inline constexpr Timestamp kNever{INT64_MAX};
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// 128 bits of a request id (RFC 9562) or of a claim's key.
using Uuid = std::array<uint8_t, 16>;

// A SHA-256 digest.
using Digest = std::array<uint8_t, 32>;

}  // namespace guilder
