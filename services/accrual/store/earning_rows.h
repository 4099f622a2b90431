// What purchases earn by besides their rules: counters of caps, first purchases, used quotes. Each
// function runs in the caller's transaction, and is one statement for all that it is given; none
// for nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "libs/base/types.h"
#include "services/accrual/domain/counters.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

// A counter of a member, or of a book, where there is no account.
struct CounterKey {
  BookId book;
  AccountId account;
  CounterId counter;

  friend bool operator==(const CounterKey&, const CounterKey&) = default;
  friend auto operator<=>(const CounterKey&, const CounterKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const CounterKey& key) {
    return H::combine(std::move(h), key.book, key.account, key.counter);
  }
};
using Counts = absl::flat_hash_map<CounterKey, Points>;

// The day of birth, sealed under the member's own key.
struct SealedBirthday {
  int64_t epoch = 0;
  std::string key;
  std::string day;
};

// Those that have counted something.
Counts ReadCounters(postgres::Transaction& tx, const std::vector<CounterKey>& keys);

// Adds to counters.
void AddToCounters(postgres::Transaction& tx, const Counts& counts);
// Takes from counters what they counted before.
void GiveBackToCounters(postgres::Transaction& tx, const Counts& counts);

// The limit of a cap of all members, as its rules declare it.
struct CapLimit {
  CounterId counter;
  Points points;
};

// Grants limits that are not there yet. Gives whether all were: then they will be for ever.
bool EnsureLimits(postgres::Transaction& tx, std::vector<CapLimit> limits);

// Grants the limits of a cap that are there what they have less than `points`.
void RaiseLimits(postgres::Transaction& tx, int32_t cap_serial, Points points);

// Of limits of caps of all members, what all books together have left; kUnlimited is no answer: a
// limit that is not there yet has all of its points.
std::vector<Points> ReadLeft(postgres::Transaction& tx, const std::vector<CapLimit>& limits);

// Whether a member has a recorded purchase, of the partner and at all.
struct Purchaser {
  AccountId account;
  PartnerId partner;
};
struct HasPurchased {
  bool at_partner = false;
  bool in_programme = false;
};
std::vector<HasPurchased> ReadPurchasers(postgres::Transaction& tx,
                                         const std::vector<Purchaser>& purchasers);

// Where a member stands at the time of a purchase.
struct StandingAsked {
  AccountId account;
  Timestamp at;
};
struct Standing {
  std::string tier;
  std::vector<std::string> segments;
  // Of the day of birth: the member's key and what it seals. None where it is not known, and of the
  // erased.
  std::optional<SealedBirthday> birthday;
};
std::vector<Standing> ReadStandings(postgres::Transaction& tx,
                                    const std::vector<StandingAsked>& asked);

using QuoteIds = absl::flat_hash_set<Uuid>;

// Of these quotes, those that were used.
QuoteIds ReadUsedQuotes(postgres::Transaction& tx, const std::vector<Uuid>& quotes);

struct UsedQuote {
  Uuid id{};
  BookId book;
  RecordNumber number;
};
// Marks quotes as used. False when another transaction has used one of them meanwhile; then this
// one must not commit.
bool UseQuotes(postgres::Transaction& tx, std::vector<UsedQuote> quotes);

}  // namespace guilder::accrual
