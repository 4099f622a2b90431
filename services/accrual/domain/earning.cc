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
#include "services/accrual/domain/funders.h"

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

// Who pays for the purchase that is being decided.
class Payers {
 public:
  Payers(PartnerId seller, const ledger::Contract& contract, Timestamp occurred_at,
         const ledger::DecisionContext& context)
      : names_(seller, context.configuration),
        occurred_at_(occurred_at),
        context_(context),
        known_{{seller, {&contract, {}}}} {}

  PartnerId Of(const rules::Funder& funder, const rules::Funding& funding) {
    return names_.PayerOf(funder, funding,
                          [this](PartnerId partner) { return Find(partner).contract != nullptr; });
  }

  const ledger::Contract& ContractOf(PartnerId payer) { return *Find(payer).contract; }

  std::vector<AbsentFunder> Absent() const {
    std::vector<AbsentFunder> absent;
    for (const auto& [partner, found] : known_) {
      if (found.contract == nullptr) absent.push_back({partner, found.why});
    }
    return absent;
  }

 private:
  FunderContract Find(PartnerId partner) {
    for (const auto& [known, found] : known_) {
      if (known == partner) return found;
    }
    const FunderContract found = FindFunderContract(partner, occurred_at_, context_);
    known_.emplace_back(partner, found);
    return found;
  }

  const Funders names_;
  const Timestamp occurred_at_;
  const ledger::DecisionContext& context_;
  std::vector<std::pair<PartnerId, FunderContract>> known_;
};

Timestamp ActivationOf(const ledger::Contract& contract, Timestamp occurred_at) {
  return Timestamp(occurred_at.value() + contract.activation_days * kMicrosPerDay);
}

// What the points are made of, where they are not one lot as the seller's contract says.
void AddParts(const rules::RuleSet& rule_set, const rules::Award& award, PartnerId seller,
              const ledger::Contract& contract, const Purchase& purchase,
              const ledger::DecisionContext& context, Timestamp now, PurchaseOutcome& outcome) {
  Payers payers(seller, contract, purchase.occurred_at, context);
  const auto payer_of = [&payers](const rules::Funder& funder, const rules::Funding& funding) {
    return payers.Of(funder, funding);
  };
  std::vector<rules::PointsOfUse> uses = rules::SplitByUse(rule_set, award, payer_of);
  outcome.absent_funders = payers.Absent();
  const bool funded =
      !outcome.absent_funders.empty() ||
      std::any_of(uses.begin(), uses.end(),
                  [seller](const rules::PointsOfUse& use) { return use.payer != seller; });
  const bool one_lot = !funded && uses.size() == 1 && !uses[0].spent_only;
  if (one_lot) return;
  for (rules::PointsOfUse& use : uses) {
    EarnedPart& part = outcome.parts.emplace_back();
    part.spent_only = std::move(use.spent_only);
    part.line_points = std::move(use.lines);
    if (!funded) continue;
    const ledger::Contract& of_payer = payers.ContractOf(use.payer);
    part.issuer = use.payer;
    part.contract = of_payer.id;
    part.activates_at = ActivationOf(of_payer, purchase.occurred_at);
    part.expires_at = context.configuration.ExpiryOf(of_payer, purchase.occurred_at, now);
  }
}

// The purchase's, where nobody else pays; else of all its lots together.
void SetDates(const Purchase& purchase, const ledger::Contract& contract,
              const ledger::Configuration& configuration, Timestamp now, PurchaseOutcome& outcome) {
  outcome.activates_at = ActivationOf(contract, purchase.occurred_at);
  outcome.expires_at = configuration.ExpiryOf(contract, purchase.occurred_at, now);
  if (outcome.parts.empty() || !outcome.parts[0].issuer) return;
  outcome.activates_at = outcome.parts[0].activates_at;
  outcome.expires_at = outcome.parts[0].expires_at;
  for (const EarnedPart& part : outcome.parts) {
    outcome.activates_at = std::max(outcome.activates_at, part.activates_at);
    outcome.expires_at = std::min(outcome.expires_at, part.expires_at);
  }
}

void AwardPoints(const Purchase& purchase, PartnerId partner, const Agreement& agreement,
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
  const rules::Basket basket = BasketOf(purchase, partner, *agreement.store);
  rules::Evaluate(rules, basket, facts, workspace, award);
  outcome.rule_set = applied.rules->number();
  outcome.points = award.total;
  for (size_t i = 0; i < award.lines.size(); ++i) outcome.line_points[i] = award.lines[i].points;
  for (const CountedCap& cap : counted) {
    const Points used = award.caps_used[cap.cap];
    if (used > Points(0)) outcome.counted.push_back({cap.counter, cap.of_member, used});
  }
  const rules::Plan& plan = rules.PlanFor(partner);
  if (plan.restricts || !plan.funders.empty()) {
    AddParts(rules.rule_set(), award, partner, *agreement.contract, purchase, context, now,
             outcome);
  }
  KeepFacts(rules, basket, facts, award, outcome);
}

// The partner's blocks do not cover the points, or it has used its credit: it gives none, and
// counts none.
void GiveNothing(PurchaseOutcome& outcome) {
  outcome.points = Points(0);
  outcome.line_points.assign(outcome.line_points.size(), Points(0));
  outcome.parts.clear();
  outcome.absent_funders.clear();
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
                  const ledger::Contract& contract, const ledger::Configuration& configuration,
                  bool lives_by_activity, ledger::Posting& posting) {
  std::vector<EarnedLot> lots = LotsOf(outcome, partner, configuration);
  if (lots.empty()) lots.push_back({Points(0), partner, &contract, {}});
  for (EarnedLot& lot : lots) {
    GUILDER_RETURN_IF_ERROR(
        ledger::DecideEarn(posting, {.issuer = lot.issuer,
                                     .contract = lot.contract->id,
                                     .points = lot.points,
                                     .activates_at = lot.activates_at,
                                     .expires_at = lot.expires_at,
                                     .on_due = lot.contract->on_due,
                                     .restricted_to = std::move(lot.restricted_to),
                                     .lives_by_activity = lives_by_activity}));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<EarnedLot> LotsOf(const PurchaseOutcome& outcome, PartnerId seller,
                              const ledger::Configuration& configuration) {
  const auto find = [&configuration](PartnerId issuer, ContractId id) -> const ledger::Contract* {
    const ledger::Partner* const partner = configuration.FindPartner(issuer);
    if (partner == nullptr) return nullptr;
    return partner->FindContract(ledger::ContractKind::kIssuance, id);
  };
  std::vector<EarnedLot> lots;
  const auto add = [&lots](EarnedLot lot, const rules::SpentOnly& spent_only) {
    if (lot.contract != nullptr) lot.restricted_to = RestrictionOf(spent_only, *lot.contract);
    lots.push_back(std::move(lot));
  };
  for (const EarnedPart& part : outcome.parts) {
    if (part.issuer) {
      add({part.points(), part.issuer, find(part.issuer, part.contract), part.activates_at,
           part.expires_at},
          part.spent_only);
    } else {
      add({part.points(), seller, find(seller, outcome.contract), outcome.activates_at,
           outcome.expires_at},
          part.spent_only);
    }
  }
  if (!lots.empty() || outcome.points == Points(0)) return lots;
  add({outcome.points, seller, find(seller, outcome.contract), outcome.activates_at,
       outcome.expires_at},
      {});
  return lots;
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
  AwardPoints(purchase, partner, agreement, terms, context, posting.now(), outcome);
  const bool exhausted = contract.when_exhausted == ledger::WhenExhausted::kIssueNothing &&
                         context.IsExhausted(contract.limit);
  const bool stopped =
      configuration.FindPartner(partner)->stage == ledger::ExposureStage::kNoIssuance;
  if (exhausted || stopped) GiveNothing(outcome);
  outcome.contract = contract.id;
  SetDates(purchase, contract, configuration, posting.now(), outcome);
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
  GUILDER_RETURN_IF_ERROR(Earn(outcome, partner, contract, configuration,
                               configuration.LivesByActivity(purchase.occurred_at), posting));
  return outcome;
}

}  // namespace guilder::accrual
