#include "services/accrual/domain/earning.h"

#include <algorithm>
#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/payable.h"
#include "libs/rules/conditions.h"
#include "libs/rules/points_use.h"

namespace guilder::accrual {
namespace {

// What DecidePurchase finds out about the partner before it looks at the member.
struct Agreement {
  const ledger::Store* store;
  const ledger::Contract* contract;
};

absl::StatusOr<Agreement> CheckPartner(const Purchase& purchase, const ledger::Partner* partner,
                                       const ledger::Configuration& configuration, Timestamp now) {
  if (partner == nullptr) return Refuse(Reason::kPartnerNotFound);
  const auto store = partner->stores.find(purchase.receipt.store);
  if (store == partner->stores.end() || !store->second.open) return Refuse(Reason::kStoreNotFound);
  const std::string& terminal = purchase.receipt.terminal;
  if (!terminal.empty() && !store->second.any_terminal &&
      !store->second.terminals.contains(terminal)) {
    return Refuse(Reason::kTerminalNotFound);
  }
  if (purchase.currency != configuration.programme().currency) {
    return Refuse(Reason::kCurrencyNotSupported);
  }
  if (purchase.occurred_at.value() > now.value() + kMaxClockSkewUs) {
    return Refuse(Reason::kOccurredAtInFuture, {}, {{"clock", FormatTimestamp(now)}});
  }
  if (purchase.occurred_at.value() < now.value() - kMaxLatenessDays * kMicrosPerDay) {
    return Refuse(Reason::kOccurredTooLongAgo, {}, {{"clock", FormatTimestamp(now)}});
  }
  if (!partner->MayIssueFor(purchase.occurred_at)) return Refuse(Reason::kPartnerNotActive);
  if (partner->stage == ledger::ExposureStage::kRedemptionOnly) {
    return Refuse(Reason::kExposureExceeded);
  }
  const ledger::Contract* contract =
      partner->ContractAt(ledger::ContractKind::kIssuance, purchase.occurred_at);
  if (contract == nullptr) return Refuse(Reason::kNoContract, "issuance");
  return Agreement{&store->second, contract};
}

absl::Status CheckCard(const ledger::DecisionContext& context, const ledger::Posting& posting) {
  if (!context.card.found || !context.account_found ||
      context.card.account != posting.account().id) {
    return Refuse(Reason::kCardNotFound);
  }
  if (context.card.blocked) return Refuse(Reason::kCardBlocked);
  return absl::OkStatus();
}

// The rules that apply, and the member as they see it: those of the quote while it binds.
struct Applied {
  const DatedRuleSet* rules = nullptr;
  const rules::MemberFacts* member = nullptr;
};

Applied ChooseRules(const Purchase& purchase, const EarningTerms& terms, Timestamp now,
                    PurchaseOutcome& outcome) {
  if (terms.quote) {
    outcome.quoted = terms.quote->points;
    outcome.quote =
        now <= terms.quote->expires_at ? QuoteOutcome::kHonoured : QuoteOutcome::kExpired;
  }
  if (outcome.quote != QuoteOutcome::kHonoured) {
    return {terms.rules.At(purchase.occurred_at), &terms.member};
  }
  return {terms.rules.Find(terms.quote->rule_set), &terms.quote->member};
}

// What is left of the caps that count over purchases.
std::vector<Points> CapsLeft(const std::vector<CountedCap>& counted, size_t caps,
                             const MemberCounts& counts, const ledger::DecisionContext& context) {
  std::vector<Points> left(counted.empty() ? 0 : caps, rules::kUnlimited);
  for (const CountedCap& cap : counted) {
    if (cap.of_member) {
      const auto found = counts.find(cap.counter);
      left[cap.cap] = cap.points - (found == counts.end() ? Points(0) : found->second);
    } else {
      left[cap.cap] = context.LeftOf(LimitOf(cap.counter)).value_or(rules::kUnlimited);
    }
  }
  return left;
}

// Takes what is needed to evaluate the purchase again: what rules asked of the member, and the caps
// that trimmed.
void KeepFacts(const rules::CompiledRules& rules, const rules::Basket& basket,
               const rules::Facts& facts, const rules::Award& award, PurchaseOutcome& outcome) {
  const rules::Plan& plan = rules.PlanFor(basket.partner);
  if (plan.needs_member || plan.needs_first_purchase) {
    outcome.member = rules::KeptFacts(rules, basket, facts.member);
  }
  for (const rules::RuleAward& given : award.rules) {
    outcome.trimmed += given.raw - given.points;
    const auto cap = static_cast<size_t>(given.trimmed_by);
    if (given.trimmed_by < 0 || cap >= facts.caps_left.size()) continue;
    const BoundCap bound{cap, std::max(facts.caps_left[cap], Points(0))};
    const auto& caps = rules.rule_set().caps;
    if (caps[cap].scope == rules::CapScope::kReceipt) continue;
    auto& known = outcome.bound_caps;
    if (std::find(known.begin(), known.end(), bound) == known.end()) known.push_back(bound);
  }
}

// What the points are made of, where they are not one lot as the contract says.
std::vector<EarnedPart> PartsOf(const rules::CompiledRules& rules, const rules::Award& award) {
  std::vector<EarnedPart> parts;
  for (rules::PointsOfUse& use : rules::SplitByUse(rules.rule_set(), award)) {
    parts.push_back({std::move(use.spent_only), std::move(use.lines)});
  }
  const bool one_lot = parts.size() == 1 && !parts[0].spent_only;
  if (one_lot) parts.clear();
  return parts;
}

void AwardPoints(const Purchase& purchase, PartnerId partner, const ledger::Store& store,
                 const EarningTerms& terms, const ledger::DecisionContext& context, Timestamp now,
                 PurchaseOutcome& outcome) {
  outcome.base_rates_only =
      context.configuration.FindPartner(partner)->stage == ledger::ExposureStage::kNoBonus;
  outcome.line_points.assign(purchase.lines.size(), Points(0));
  const Applied applied = ChooseRules(purchase, terms, now, outcome);
  if (applied.rules == nullptr) return;
  const rules::CompiledRules& rules = *applied.rules->rules;
  const std::vector<CountedCap> counted = CountedCapsOf(
      *applied.rules, partner, purchase.occurred_at, context.configuration.calendar().time_zone());
  const rules::Facts facts{*applied.member,
                           CapsLeft(counted, rules.rule_set().caps.size(), terms.counts, context),
                           outcome.base_rates_only};
  // Kept by each thread, because evaluating would else be mostly allocating.
  static thread_local rules::Workspace workspace;
  static thread_local rules::Award award;
  const rules::Basket basket = BasketOf(purchase, partner, store);
  rules::Evaluate(rules, basket, facts, workspace, award);
  outcome.rule_set = applied.rules->number();
  outcome.points = award.total;
  for (size_t i = 0; i < award.lines.size(); ++i) outcome.line_points[i] = award.lines[i].points;
  for (const CountedCap& cap : counted) {
    const Points used = award.caps_used[cap.cap];
    if (used > Points(0)) outcome.counted.push_back({cap.counter, cap.of_member, used});
  }
  if (rules.PlanFor(partner).restricts) outcome.parts = PartsOf(rules, award);
  KeepFacts(rules, basket, facts, award, outcome);
}

// The partner's blocks do not cover the points, or it has used its credit: it gives none, and
// counts none.
void GiveNothing(PurchaseOutcome& outcome) {
  outcome.points = Points(0);
  outcome.line_points.assign(outcome.line_points.size(), Points(0));
  outcome.parts.clear();
  outcome.counted.clear();
  outcome.trimmed = Points(0);
  outcome.point_block_exhausted = true;
}

// The contract of a redemption whose terms returns have to keep to; none where there are none.
ContractId BindingContract(const ledger::Partner& partner, const ledger::AccountState& account,
                           RecordNumber redemption) {
  for (const ledger::Hold& hold : account.holds) {
    if (hold.number != redemption) continue;
    const ledger::Contract* const contract =
        partner.FindContract(ledger::ContractKind::kRedemption, hold.contract);
    if (contract != nullptr && ledger::BoundsBaskets(contract->redemption)) return contract->id;
  }
  return ContractId();
}

ledger::Restriction RestrictionOf(const rules::SpentOnly& spent_only,
                                  const ledger::Contract& contract) {
  if (!spent_only) return contract.restricted_to;
  if (spent_only.on_gifts) return ledger::kOnlyGifts;
  return ledger::Restriction::OnlyAt(spent_only.at);
}

// Without points it still refuses what an account refuses.
absl::Status Earn(const PurchaseOutcome& outcome, PartnerId partner,
                  const ledger::Contract& contract, bool lives_by_activity,
                  ledger::Posting& posting) {
  std::vector<EarnedLot> lots = LotsOf(outcome, contract);
  if (lots.empty()) lots.emplace_back();
  for (EarnedLot& lot : lots) {
    GUILDER_RETURN_IF_ERROR(
        ledger::DecideEarn(posting, {.issuer = partner,
                                     .contract = contract.id,
                                     .points = lot.points,
                                     .activates_at = outcome.activates_at,
                                     .expires_at = outcome.expires_at,
                                     .on_due = contract.on_due,
                                     .restricted_to = std::move(lot.restricted_to),
                                     .lives_by_activity = lives_by_activity}));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<EarnedLot> LotsOf(const PurchaseOutcome& outcome, const ledger::Contract& contract) {
  std::vector<EarnedLot> lots;
  for (const EarnedPart& part : outcome.parts) {
    lots.push_back({part.points(), RestrictionOf(part.spent_only, contract)});
  }
  if (!lots.empty() || outcome.points == Points(0)) return lots;
  return {{outcome.points, contract.restricted_to}};
}

rules::Basket BasketOf(const Purchase& purchase, PartnerId partner, const ledger::Store& store) {
  rules::Basket basket;
  basket.partner = partner;
  basket.store = store.id;
  basket.occurred_at = purchase.occurred_at;
  basket.time_zone = store.time_zone;
  basket.lines.reserve(purchase.lines.size());
  for (const PurchaseLine& line : purchase.lines) {
    basket.lines.push_back({line.sku, line.category, line.quantity, line.amount, line.tax});
  }
  for (const Tender& tender : purchase.tenders) {
    if (tender.kind != TenderKind::kMoney) basket.paid_with_points += tender.amount;
  }
  return basket;
}

Replay ReplayPurchase(const RecordedPurchase& recorded, PartnerId partner,
                      const ledger::Store& store, const rules::CompiledRules& rules) {
  Replay replay;
  replay.basket = BasketOf(recorded.purchase, partner, store);
  replay.facts.member = recorded.outcome.member;
  replay.facts.base_rates_only = recorded.outcome.base_rates_only;
  replay.facts.caps_left.assign(rules.rule_set().caps.size(), rules::kUnlimited);
  for (const BoundCap& bound : recorded.outcome.bound_caps) {
    if (bound.cap < replay.facts.caps_left.size()) replay.facts.caps_left[bound.cap] = bound.left;
  }
  rules::Workspace workspace;
  rules::Evaluate(rules, replay.basket, replay.facts, workspace, replay.award);
  return replay;
}

absl::StatusOr<PurchaseOutcome> DecidePurchase(const Purchase& purchase, PartnerId partner,
                                               const EarningTerms& terms,
                                               const ledger::DecisionContext& context,
                                               ledger::Posting& posting) {
  const ledger::Configuration& configuration = context.configuration;
  GUILDER_ASSIGN_OR_RETURN(
      const Agreement agreement,
      CheckPartner(purchase, configuration.FindPartner(partner), configuration, posting.now()));
  GUILDER_RETURN_IF_ERROR(CheckCard(context, posting));
  if (terms.quote_used) return Refuse(Reason::kQuoteUsed);

  PurchaseOutcome outcome;
  const ledger::Contract& contract = *agreement.contract;
  AwardPoints(purchase, partner, *agreement.store, terms, context, posting.now(), outcome);
  const bool exhausted = contract.when_exhausted == ledger::WhenExhausted::kIssueNothing &&
                         context.IsExhausted(contract.limit);
  const bool stopped =
      configuration.FindPartner(partner)->stage == ledger::ExposureStage::kNoIssuance;
  if (exhausted || stopped) GiveNothing(outcome);
  outcome.contract = contract.id;
  outcome.activates_at =
      Timestamp(purchase.occurred_at.value() + contract.activation_days * kMicrosPerDay);
  outcome.expires_at = configuration.ExpiryOf(contract, purchase.occurred_at, posting.now());
  if (purchase.redemption) {
    // The member's hold is in the member's book; another book's hold is somebody else's.
    const bool same_book = purchase.redemption_book == ledger::BookOf(posting.account().id);
    if (!same_book) return Refuse(Reason::kRedemptionNotFound);
    GUILDER_ASSIGN_OR_RETURN(outcome.captured,
                             ledger::DecideCapture(posting, partner, purchase.redemption, Points(0),
                                                   /*final=*/true));
    outcome.redemption_contract = BindingContract(*configuration.FindPartner(partner),
                                                  posting.account(), purchase.redemption);
  }
  GUILDER_RETURN_IF_ERROR(Earn(outcome, partner, contract,
                               configuration.LivesByActivity(purchase.occurred_at), posting));
  return outcome;
}

}  // namespace guilder::accrual
