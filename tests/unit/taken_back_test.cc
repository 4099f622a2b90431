// Property: whatever order and parts goods come back in, returns come to the same.
#include "services/accrual/domain/taken_back.h"

#include <algorithm>
#include <random>
#include <vector>

#include "libs/ledger/core/payable.h"
#include "tests/support/catch2.h"

namespace guilder::accrual {
namespace {

struct Bought {
  RecordedPurchase recorded;
  int64_t pieces = 0;
};

// Makes the points of several ways to spend them.
void SplitPoints(PurchaseOutcome& outcome, std::mt19937& random) {
  const size_t lines = outcome.line_points.size();
  for (int use = 0; use < 3; ++use) {
    EarnedPart& part = outcome.parts.emplace_back();
    if (use > 0) part.spent_only.at = {PartnerId(use)};
    part.line_points.assign(lines, Points(0));
  }
  for (size_t line = 0; line < lines; ++line) {
    Points left = outcome.line_points[line];
    for (EarnedPart& part : outcome.parts) {
      const bool last = &part == &outcome.parts.back();
      const Points points =
          last ? left : Points(std::uniform_int_distribution<int64_t>(0, left.value())(random));
      part.line_points[line] = points;
      left -= points;
    }
  }
}

Bought RandomSale(std::mt19937& random) {
  const auto any = [&random](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  Bought sale;
  int64_t sum = 0;
  for (int64_t line = any(1, 6); line > 0; --line) {
    const int64_t quantity = any(1, 7);
    const int64_t amount = any(1, 100'000);
    sale.recorded.purchase.lines.push_back(
        {"", "", quantity, MinorUnits(amount), "", MinorUnits(0)});
    sale.recorded.outcome.line_points.push_back(Points(any(0, 1'000)));
    sale.recorded.outcome.points += sale.recorded.outcome.line_points.back();
    sale.pieces += quantity;
    sum += amount;
  }
  if (any(0, 1) == 0) SplitPoints(sale.recorded.outcome, random);
  sale.recorded.outcome.captured = Points(any(0, 500));
  for (const TenderKind kind : {TenderKind::kMoney, TenderKind::kPoints, TenderKind::kVoucher}) {
    const int64_t part = kind == TenderKind::kVoucher ? sum : any(0, sum);
    if (part > 0) sale.recorded.purchase.tenders.push_back({kind, MinorUnits(part)});
    sum -= part;
  }
  return sale;
}

// The pieces, by line, in a random order.
std::vector<size_t> Pieces(const Bought& sale, std::mt19937& random) {
  std::vector<size_t> pieces;
  for (size_t i = 0; i < sale.recorded.purchase.lines.size(); ++i) {
    pieces.insert(pieces.end(), static_cast<size_t>(sale.recorded.purchase.lines[i].quantity), i);
  }
  std::shuffle(pieces.begin(), pieces.end(), random);
  return pieces;
}

TEST_CASE("SaleTerms: any splitting of a return comes to the same, and all of it to everything",
          "[unit][accrual][inv-25][inv-37][inv-38]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    const Bought sale = RandomSale(random);
    const SaleTerms terms(sale.recorded, PartnerId(1), nullptr, nullptr);
    const std::vector<size_t> pieces = Pieces(sale, random);
    const size_t returned = random() % (pieces.size() + 1);
    const size_t lines = sale.recorded.purchase.lines.size();

    std::vector<int64_t> at_once(lines, 0);
    TakenBack split = terms.Nothing();
    std::vector<int64_t> part(lines, 0);
    bool falls = false;
    for (size_t i = 0; i < returned; ++i) {
      ++at_once[pieces[i]];
      ++part[pieces[i]];
      if (random() % 2 == 0) continue;
      const TakenBack before = std::exchange(split, terms.After(split, part));
      falls = falls || split.restored < before.restored;
      for (size_t p = 0; p < split.parts.size(); ++p) {
        for (size_t line = 0; line < lines; ++line) {
          falls = falls || split.parts[p][line] < before.parts[p][line];
        }
      }
      for (size_t t = 0; t < split.tenders.size(); ++t) {
        falls = falls || split.tenders[t] < before.tenders[t];
      }
      part.assign(lines, 0);
    }
    split = terms.After(split, part);
    const TakenBack whole = terms.After(terms.Nothing(), at_once);

    CHECK(split.line_points == whole.line_points);
    CHECK(split.parts == whole.parts);
    CHECK(split.restored == whole.restored);
    CHECK(split.tenders == whole.tenders);
    CHECK_FALSE(falls);
    MinorUnits refunded;
    for (const MinorUnits tender : whole.tenders) refunded += tender;
    CHECK(refunded == whole.amount);
    for (size_t i = 0; i < lines; ++i) {
      CHECK(whole.line_points[i] <= sale.recorded.outcome.line_points[i]);
    }
    for (size_t i = 0; !whole.parts.empty() && i < lines; ++i) {
      Points of_parts;
      for (const std::vector<Points>& part : whole.parts) of_parts += part[i];
      CHECK(of_parts == whole.line_points[i]);
    }
    if (returned != pieces.size()) continue;
    for (size_t p = 0; p < whole.parts.size(); ++p) {
      CHECK(whole.parts[p] == sale.recorded.outcome.parts[p].line_points);
    }
    CHECK(whole.points() == sale.recorded.outcome.points);
    CHECK(whole.restored == sale.recorded.outcome.captured);
  }
}

// Property: whatever the contract excludes, cash given back never falls, nothing is given back that
// was not paid, and no more of what stays is paid with points than the contract allows.
TEST_CASE("SaleTerms: returns keep to the terms of the redemption contract",
          "[unit][accrual][inv-36][inv-55]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  ledger::Programme programme;
  programme.currency = {'E', 'U', 'R'};
  const ledger::Configuration configuration(
      1, programme, ledger::Calendar::Make(ledger::Cycle::kDaily, "UTC", {}).value(), {}, {});
  for (int round = 0; round < 2'000; ++round) {
    Bought sale = RandomSale(random);
    std::vector<ledger::BasketLine> basket;
    for (PurchaseLine& line : sale.recorded.purchase.lines) {
      line.sku = random() % 3 == 0 ? "excluded" : "any";
      basket.push_back({line.sku, "", line.amount});
    }
    ledger::Contract contract;
    contract.currency = programme.currency;
    contract.rate_micros = 10'000;
    contract.redemption.excluded_skus = {"excluded"};
    contract.redemption.maximum_share_per_mille = static_cast<int>(random() % 1'001);
    MinorUnits paid;
    for (const Tender& tender : sale.recorded.purchase.tenders) {
      if (tender.kind == TenderKind::kPoints) paid += tender.amount;
    }
    const bool allowed = paid <= ledger::PayableValue(contract.redemption, basket);
    SaleTerms terms(sale.recorded, PartnerId(1), nullptr, nullptr);
    terms.SetRedemptionContract(configuration, contract);

    TakenBack state = terms.Nothing();
    CHECK(terms.After(state, state.quantities).restored == Points(0));
    for (const size_t piece : Pieces(sale, random)) {
      std::vector<int64_t> one(basket.size(), 0);
      one[piece] = 1;
      const TakenBack before = std::exchange(state, terms.After(state, one));
      bool falls = state.restored < before.restored;
      MinorUnits refunded;
      MinorUnits kept = paid;
      for (size_t t = 0; t < state.tenders.size(); ++t) {
        falls = falls || state.tenders[t] < before.tenders[t];
        falls = falls || state.tenders[t] > sale.recorded.purchase.tenders[t].amount;
        refunded += state.tenders[t];
        if (sale.recorded.purchase.tenders[t].kind == TenderKind::kPoints) kept -= state.tenders[t];
      }
      CHECK_FALSE(falls);
      CHECK(refunded == state.amount);
      std::vector<ledger::BasketLine> stays = basket;
      for (size_t i = 0; i < stays.size(); ++i) {
        const PurchaseLine& line = sale.recorded.purchase.lines[i];
        stays[i].amount -= MinorUnits(line.amount.value() * state.quantities[i] / line.quantity);
      }
      if (allowed) CHECK(kept <= ledger::PayableValue(contract.redemption, stays));
    }
    CHECK(state.restored == sale.recorded.outcome.captured);
  }
}

TEST_CASE("SaleTerms: five returns of 5.00 take what one of 25.00 takes",
          "[unit][accrual][inv-37]") {
  Bought sale;
  sale.recorded.purchase.lines.push_back({"1", "A", 5, MinorUnits(2'500), "", MinorUnits(0)});
  sale.recorded.outcome.line_points = {Points(2)};
  sale.recorded.outcome.points = Points(2);
  const SaleTerms terms(sale.recorded, PartnerId(1), nullptr, nullptr);

  TakenBack state = terms.Nothing();
  std::vector<int64_t> taken;
  for (int i = 0; i < 5; ++i) {
    const Points before = state.points();
    state = terms.After(state, {1});
    taken.push_back((state.points() - before).value());
  }
  CHECK(taken == std::vector<int64_t>{0, 0, 1, 0, 1});
  CHECK(terms.After(terms.Nothing(), {5}).points() == Points(2));
}

}  // namespace
}  // namespace guilder::accrual
