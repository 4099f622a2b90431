// What recorded purchases say about tills: numbers that are missing, and cards that come too often.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "libs/base/types.h"
#include "services/accrual/domain/return.h"

namespace guilder::accrual {

// Purchases that one report looks at.
inline constexpr int64_t kMostPurchasesOfReport = 1'000'000;

struct NumberRange {
  int64_t first = 0;
  int64_t last = 0;

  friend bool operator==(const NumberRange&, const NumberRange&) = default;
};

// The numbers of one terminal's purchases.
struct TerminalNumbers {
  int64_t first = 0;
  int64_t last = 0;
  int64_t purchases = 0;
  std::vector<NumberRange> missing;  // between first and last, in order; at most kMostGaps
  std::vector<int64_t> repeated;     // in order; at most kMostGaps
  int64_t clock_offset_us = 0;       // the largest by which its clock was off
};
inline constexpr size_t kMostGaps = 1'000;

// `numbers` in any order: a till that was offline sends late.
TerminalNumbers FindGaps(std::vector<int64_t> numbers);

// A store's code and a terminal.
using Till = std::pair<std::string, std::string>;

class SequenceReport {
 public:
  // Purchases without a number of terminals whose clock was right are left out.
  void Add(const Sale& sale);
  std::map<Till, TerminalNumbers> Finish() &&;

 private:
  struct Seen {
    std::vector<int64_t> numbers;
    int64_t clock_offset_us = 0;
  };
  std::map<Till, Seen> tills_;
};

// A card at one cashier and terminal.
struct CardAtTill {
  std::string store;
  std::string terminal;
  std::string cashier;
  CardNumber card;
  AccountId account;
  int64_t purchases = 0;
  Points points;
  int64_t share_ppm = 0;  // of the purchases there
};

class TopCardsReport {
 public:
  void Add(const Sale& sale);
  // The `most` cards of each cashier and terminal that have more than one purchase there; those
  // with the most purchases first, ties by store, terminal, cashier and card.
  std::vector<CardAtTill> Finish(size_t most) &&;

 private:
  struct Till {
    int64_t purchases = 0;
    absl::flat_hash_map<CardNumber, CardAtTill> cards;
  };
  std::map<std::tuple<std::string, std::string, std::string>, Till> tills_;
};

}  // namespace guilder::accrual
