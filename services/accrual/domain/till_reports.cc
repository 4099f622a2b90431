#include "services/accrual/domain/till_reports.h"

#include <algorithm>
#include <cstdlib>

#include "libs/rules/share.h"

namespace guilder::accrual {

TerminalNumbers FindGaps(std::vector<int64_t> numbers) {
  TerminalNumbers found;
  if (numbers.empty()) return found;
  std::sort(numbers.begin(), numbers.end());
  found.first = numbers.front();
  found.last = numbers.back();
  found.purchases = static_cast<int64_t>(numbers.size());
  for (size_t i = 1; i < numbers.size(); ++i) {
    const int64_t before = numbers[i - 1];
    const int64_t number = numbers[i];
    if (number > before + 1 && found.missing.size() < kMostGaps) {
      found.missing.push_back({before + 1, number - 1});
    }
    const bool known = !found.repeated.empty() && found.repeated.back() == number;
    if (number == before && !known && found.repeated.size() < kMostGaps) {
      found.repeated.push_back(number);
    }
  }
  return found;
}

void SequenceReport::Add(const Sale& sale) {
  const Purchase& purchase = sale.recorded.purchase;
  if (purchase.sequence_number == 0 && purchase.clock_offset_us == 0) return;
  Seen& seen = tills_[{purchase.receipt.store, purchase.receipt.terminal}];
  if (purchase.sequence_number != 0) seen.numbers.push_back(purchase.sequence_number);
  if (std::abs(purchase.clock_offset_us) > std::abs(seen.clock_offset_us)) {
    seen.clock_offset_us = purchase.clock_offset_us;
  }
}

std::map<Till, TerminalNumbers> SequenceReport::Finish() && {
  std::map<Till, TerminalNumbers> tills;
  for (auto& [till, seen] : tills_) {
    TerminalNumbers& found = tills[till] = FindGaps(std::move(seen.numbers));
    found.clock_offset_us = seen.clock_offset_us;
  }
  return tills;
}

void TopCardsReport::Add(const Sale& sale) {
  const Purchase& purchase = sale.recorded.purchase;
  const ReceiptKey& receipt = purchase.receipt;
  Till& till = tills_[{receipt.store, receipt.terminal, purchase.cashier}];
  ++till.purchases;
  CardAtTill& card = till.cards[purchase.card];
  card.card = purchase.card;
  card.account = sale.account;
  card.purchases += 1;
  card.points += sale.recorded.outcome.points;
}

std::vector<CardAtTill> TopCardsReport::Finish(size_t most) && {
  const auto comes_first = [](const CardAtTill& a, const CardAtTill& b) {
    return std::tie(b.purchases, a.store, a.terminal, a.cashier, a.card) <
           std::tie(a.purchases, b.store, b.terminal, b.cashier, b.card);
  };
  std::vector<CardAtTill> top;
  for (const auto& [key, till] : tills_) {
    std::vector<CardAtTill> cards;
    for (const auto& [number, card] : till.cards) {
      if (card.purchases < 2) continue;
      CardAtTill& out = cards.emplace_back(card);
      std::tie(out.store, out.terminal, out.cashier) = key;
      out.share_ppm = rules::MultiplyDivide(card.purchases, 1'000'000, till.purchases);
    }
    std::sort(cards.begin(), cards.end(), comes_first);
    cards.resize(std::min(most, cards.size()));
    top.insert(top.end(), cards.begin(), cards.end());
  }
  std::sort(top.begin(), top.end(), comes_first);
  return top;
}

}  // namespace guilder::accrual
