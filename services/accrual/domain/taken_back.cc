#include "services/accrual/domain/taken_back.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "libs/ledger/core/payable.h"
#include "libs/rules/points_use.h"
#include "libs/rules/reversal.h"
#include "libs/rules/share.h"
#include "services/accrual/domain/earning.h"

namespace guilder::accrual {
namespace {

using rules::MultiplyDivide;

int64_t Share(int64_t whole, int64_t part, int64_t of) {
  return of == 0 ? 0 : MultiplyDivide(whole, part, of);
}

// Whether returns need more of a sale than its lines' points.
bool NeedsRules(const rules::RuleSet& set) {
  return set.policies.broken_threshold == rules::BrokenThreshold::kTakenBack ||
         std::any_of(set.caps.begin(), set.caps.end(),
                     [](const rules::Cap& cap) { return cap.refilled_by_returns; });
}

// The order in which tenders are given back.
int Rank(TenderKind kind) {
  return kind == TenderKind::kPoints ? 0 : kind == TenderKind::kVoucher ? 1 : 2;
}

}  // namespace

Points TakenBack::points() const {
  return std::accumulate(line_points.begin(), line_points.end(), Points(0));
}

SaleTerms::SaleTerms(const RecordedPurchase& recorded, PartnerId partner,
                     const ledger::Store* store, const DatedRuleSet* set,
                     PartnerId operator_partner)
    : recorded_(recorded), set_(set), funders_(partner, operator_partner), bonuses_(NoPoints()) {
  if (set == nullptr) return;
  const rules::RuleSet& rule_set = set->rules->rule_set();
  policies_ = rule_set.policies;
  const bool gave = recorded.outcome.points > Points(0);
  if (!gave || store == nullptr || !NeedsRules(rule_set)) return;
  Replay replay = ReplayPurchase(recorded, partner, *store, *set->rules);
  basket_ = std::move(replay.basket);
  facts_ = std::move(replay.facts);
  award_ = std::move(replay.award);
  if (policies_.broken_threshold != rules::BrokenThreshold::kTakenBack) return;
  for (const rules::RuleAward& given : award_.rules) {
    if (rule_set.rules[given.rule].conditions.min_amount == MinorUnits(0)) continue;
    bonus_rules_.push_back(given.rule);
  }
  std::vector<size_t> places(recorded.purchase.lines.size());
  std::iota(places.begin(), places.end(), size_t{0});
  AddBonuses(award_, places, bonuses_);
}

SaleTerms::PointsOfParts SaleTerms::NoPoints() const {
  const std::vector<Points> none(recorded_.purchase.lines.size(), Points(0));
  return PointsOfParts(std::max<size_t>(recorded_.outcome.parts.size(), 1), none);
}

void SaleTerms::AddBonuses(const rules::Award& award, const std::vector<size_t>& places,
                           PointsOfParts& to) const {
  const std::vector<EarnedPart>& parts = recorded_.outcome.parts;
  for (const rules::RuleAward& given : award.rules) {
    const rules::Rule& rule = set_->rules->rule_set().rules[given.rule];
    if (rule.conditions.min_amount == MinorUnits(0)) continue;
    const auto payer_of = [this](const rules::Funder& funder, const rules::Funding& funding) {
      return funders_.PayerIn(recorded_.outcome, funder, funding);
    };
    const auto add = [&](PartnerId payer, size_t line, Points points) {
      const auto is_it = [&](const EarnedPart& part) {
        return part.spent_only == rule.spent_only && (!part.issuer || part.issuer == payer);
      };
      const size_t of = std::find_if(parts.begin(), parts.end(), is_it) - parts.begin();
      // Points of a use that the sale gave none of.
      if (of == to.size()) return;
      to[of][places[line]] += points;
    };
    rules::SplitByFunder(rule, given, award.parts, payer_of, add);
  }
}

TakenBack SaleTerms::Nothing() const {
  TakenBack nothing;
  nothing.quantities.assign(recorded_.purchase.lines.size(), 0);
  nothing.line_points.assign(recorded_.purchase.lines.size(), Points(0));
  if (!recorded_.outcome.parts.empty()) nothing.parts = NoPoints();
  nothing.tenders.assign(recorded_.purchase.tenders.size(), MinorUnits(0));
  if (set_ != nullptr) nothing.caps.assign(set_->rules->rule_set().caps.size(), Points(0));
  return nothing;
}

TakenBack SaleTerms::After(const TakenBack& before,
                           const std::vector<int64_t>& returned_now) const {
  TakenBack after = before;
  for (size_t i = 0; i < returned_now.size(); ++i) after.quantities[i] += returned_now[i];
  TakeLines(after);
  TakeMoney(after);
  GiveBackToCaps(after);
  return after;
}

SaleTerms::PointsOfParts SaleTerms::KeptBonuses(const std::vector<int64_t>& quantities,
                                                bool& broken) const {
  PointsOfParts kept = NoPoints();
  broken = false;
  if (bonus_rules_.empty()) return kept;
  rules::Basket basket = basket_;
  basket.lines.clear();
  std::vector<size_t> places;
  MinorUnits whole;
  MinorUnits stays;
  for (size_t i = 0; i < quantities.size(); ++i) {
    rules::Line line = basket_.lines[i];
    const int64_t left = line.quantity - quantities[i];
    whole += line.amount;
    line.amount = MinorUnits(MultiplyDivide(line.amount.value(), left, line.quantity));
    line.tax = MinorUnits(MultiplyDivide(line.tax.value(), left, line.quantity));
    line.quantity = left;
    stays += line.amount;
    if (left == 0) continue;
    basket.lines.push_back(line);
    places.push_back(i);
  }
  broken = true;
  if (places.empty()) return kept;
  basket.paid_with_points =
      MinorUnits(Share(basket_.paid_with_points.value(), stays.value(), whole.value()));
  rules::Workspace workspace;
  rules::Award award;
  rules::Evaluate(*set_->rules, basket, facts_, workspace, award);
  const auto& all = set_->rules->rule_set().rules;
  size_t reached = 0;
  for (const rules::RuleAward& given : award.rules) {
    if (all[given.rule].conditions.min_amount == MinorUnits(0)) continue;
    reached += std::count(bonus_rules_.begin(), bonus_rules_.end(), given.rule);
  }
  AddBonuses(award, places, kept);
  broken = reached < bonus_rules_.size();
  return kept;
}

void SaleTerms::TakeLines(TakenBack& state) const {
  bool broken = false;
  const PointsOfParts kept = KeptBonuses(state.quantities, broken);
  const std::vector<EarnedPart>& parts = recorded_.outcome.parts;
  for (size_t i = 0; i < state.quantities.size(); ++i) {
    const int64_t sold = recorded_.purchase.lines[i].quantity;
    const int64_t returned = state.quantities[i];
    const auto taken_of = [&](size_t part, Points earned) {
      const Points taken = rules::ReversalOfLine(earned, sold, 0, returned);
      if (!broken) return taken;
      const Points bonus = std::min(bonuses_[part][i], earned);
      const Points gone = bonus - std::min(kept[part][i], bonus);
      return std::max(taken, gone + rules::ReversalOfLine(earned - bonus, sold, 0, returned));
    };
    // What was taken back once stays so, whatever the rules would give for what is left.
    if (parts.empty()) {
      state.line_points[i] =
          std::max(state.line_points[i], taken_of(0, recorded_.outcome.line_points[i]));
      continue;
    }
    state.line_points[i] = Points(0);
    for (size_t part = 0; part < parts.size(); ++part) {
      Points& taken = state.parts[part][i];
      taken = std::max(taken, taken_of(part, parts[part].line_points[i]));
      state.line_points[i] += taken;
    }
  }
}

MinorUnits SaleTerms::ReturnedOf(const TakenBack& state, size_t i) const {
  const PurchaseLine& line = recorded_.purchase.lines[i];
  return MinorUnits(MultiplyDivide(line.amount.value(), state.quantities[i], line.quantity));
}

MinorUnits SaleTerms::PaidBackInPoints(const TakenBack& state, MinorUnits share) const {
  if (redemption_ == nullptr) return share;
  std::vector<ledger::BasketLine> stays;
  for (size_t i = 0; i < recorded_.purchase.lines.size(); ++i) {
    const PurchaseLine& line = recorded_.purchase.lines[i];
    stays.push_back({line.sku, line.category, line.amount - ReturnedOf(state, i)});
  }
  const MinorUnits payable = ledger::PayableValue(redemption_->redemption, stays);
  const MinorUnits paid = PaidWithPoints();
  return std::min(std::max(share, paid - std::min(paid, payable)), state.amount);
}

MinorUnits SaleTerms::PaidWithPoints() const {
  MinorUnits paid;
  for (const Tender& tender : recorded_.purchase.tenders) {
    if (tender.kind == TenderKind::kPoints) paid += tender.amount;
  }
  if (paid > MinorUnits(0) || redemption_ == nullptr) return paid;
  return configuration_->Price(recorded_.outcome.captured, redemption_->rate_micros,
                               redemption_->currency);
}

void SaleTerms::TakeMoney(TakenBack& state) const {
  const Purchase& purchase = recorded_.purchase;
  MinorUnits whole;
  state.amount = MinorUnits(0);
  for (size_t i = 0; i < purchase.lines.size(); ++i) {
    const PurchaseLine& line = purchase.lines[i];
    whole += line.amount;
    state.amount += ReturnedOf(state, i);
  }
  const Points captured = recorded_.outcome.captured;
  const MinorUnits paid = PaidWithPoints();
  // What goes back to those who paid with points, in money: never falls, and never grows by more
  // than what the goods cost that come back.
  const MinorUnits in_points =
      PaidBackInPoints(state, MinorUnits(Share(paid.value(), state.amount.value(), whole.value())));
  state.restored = std::max(Points(Share(captured.value(), state.amount.value(), whole.value())),
                            Points(Share(captured.value(), in_points.value(), paid.value())));
  std::vector<size_t> order(purchase.tenders.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return Rank(purchase.tenders[a].kind) < Rank(purchase.tenders[b].kind);
  });
  // Each takes its share of what those before it leave: all of them together are the amount, and
  // none ever falls when more comes back.
  MinorUnits left = state.amount;
  MinorUnits left_of = whole;
  for (const size_t i : order) {
    const MinorUnits tender = purchase.tenders[i].amount;
    int64_t back = Share(tender.value(), left.value(), left_of.value());
    if (redemption_ != nullptr && purchase.tenders[i].kind == TenderKind::kPoints) {
      const int64_t bound = Share(tender.value(), in_points.value(), paid.value());
      back = std::min(std::max(back, bound), left.value());
    }
    state.tenders[i] = MinorUnits(back);
    left -= state.tenders[i];
    left_of -= tender;
  }
}

void SaleTerms::GiveBackToCaps(TakenBack& state) const {
  if (set_ == nullptr || award_.rules.empty()) return;
  const rules::RuleSet& set = set_->rules->rule_set();
  for (size_t cap = 0; cap < set.caps.size(); ++cap) {
    if (!set.caps[cap].refilled_by_returns) continue;
    std::vector<Points> counted(state.quantities.size(), Points(0));
    for (const rules::RuleAward& given : award_.rules) {
      const auto& caps = set.rules[given.rule].caps;
      if (std::find(caps.begin(), caps.end(), set.caps[cap].id) == caps.end()) continue;
      for (size_t i = 0; i < given.parts; ++i) {
        const rules::LinePart& part = award_.parts[given.first_part + i];
        counted[part.line] += part.points;
      }
    }
    state.caps[cap] = Points(0);
    for (size_t i = 0; i < counted.size(); ++i) {
      const Points earned = recorded_.outcome.line_points[i];
      state.caps[cap] +=
          Points(Share(counted[i].value(), state.line_points[i].value(), earned.value()));
    }
  }
}

}  // namespace guilder::accrual
