#include "services/accrual/rpc/explanations.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/domain/funders.h"
#include "services/accrual/rpc/earned_lots.h"

namespace guilder::accrual {
namespace {

std::string_view WhyNotPaidBy(PartnerId funder, const PurchaseOutcome& outcome) {
  for (const AbsentFunder& absent : outcome.absent_funders) {
    if (absent.funder == funder) return ReasonName(ReasonFor(absent.why));
  }
  return "";
}

// Who pays for what a rule gave, and in which lots.
void AddFunded(const PurchaseOutcome& outcome, PartnerId seller, const View& view,
               const rules::Rule& rule, const std::vector<rules::FundedPart>& shares,
               v1::RuleExplanation& out) {
  const ledger::Configuration& configuration = view.configuration;
  const Funders names(seller, configuration);
  for (const rules::FundedPart& share : shares) {
    const PartnerId named = names.Named(share.funder);
    const PartnerId payer = names.PayerIn(outcome, share.funder, rule.funding);
    v1::FundedPoints& funded = *out.add_funded();
    funded.set_partner(PartnerName(configuration.FindPartner(payer)));
    funded.set_points(share.points.value());
    if (payer != named) {
      funded.set_instead_of(PartnerName(configuration.FindPartner(named)));
      if (view.reader.MayKnowOf(named)) {
        funded.set_reason(std::string(WhyNotPaidBy(named, outcome)));
      }
    }
    if (!view.place) continue;
    size_t part = 0;
    for (size_t i = 0; i < outcome.parts.size(); ++i) {
      const EarnedPart& of = outcome.parts[i];
      const bool is_it = of.spent_only == rule.spent_only && (!of.issuer || of.issuer == payer);
      if (is_it) part = i;
    }
    funded.set_lot(LotName(*view.place, part));
  }
}

v1::Rounding RoundingOf(const rules::Rule& rule) {
  rules::Rounding rounding = rules::Rounding::kPerBasket;
  if (const auto* rate = std::get_if<rules::BaseRate>(&rule.effect)) rounding = rate->rounding;
  if (const auto* factor = std::get_if<rules::Multiplier>(&rule.effect)) {
    rounding = factor->rounding;
  }
  if (const auto* bonus = std::get_if<rules::ProductBonus>(&rule.effect)) {
    rounding = bonus->rounding;
  }
  return rounding == rules::Rounding::kPerLine ? v1::ROUNDING_PER_LINE : v1::ROUNDING_PER_BASKET;
}

void AddAward(const Purchase& purchase, const rules::RuleSet& set, const rules::Award& award,
              const rules::RuleAward& given, v1::RuleExplanation& out) {
  out.set_input(given.input);
  out.set_raw_points(given.raw.value());
  out.set_points(given.points.value());
  if (given.trimmed_by >= 0) {
    out.set_trimmed_by(set.caps[static_cast<size_t>(given.trimmed_by)].id);
  }
  for (size_t i = 0; i < given.parts; ++i) {
    const rules::LinePart& part = award.parts[given.first_part + i];
    v1::RuleLine& line = *out.add_lines();
    line.set_line_id(purchase.lines[part.line].line_id);
    line.set_points(part.points.value());
  }
}

const ledger::Store* FindStore(const ledger::Partner* partner, const std::string& code) {
  if (partner == nullptr) return nullptr;
  const auto found = partner->stores.find(code);
  return found == partner->stores.end() ? nullptr : &found->second;
}

// Where the lines' points were not given, whatever the rules say.
void Overrule(const std::string& why, const Sale& sale, v1::ExplainPurchaseResponse& out) {
  out.clear_lines();
  out.clear_rules();
  const std::vector<PurchaseLine>& lines = sale.recorded.purchase.lines;
  for (size_t i = 0; i < lines.size(); ++i) {
    v1::LineExplanation& line = *out.add_lines();
    line.set_line_id(lines[i].line_id);
    line.set_points(sale.recorded.outcome.line_points[i].value());
    line.set_text(why);
  }
}

}  // namespace

template <typename Message>
void AddExplanation(const RecordedPurchase& recorded, PartnerId partner, const View& view,
                    const Replay& replay, const rules::CompiledRules& rules, Message& out) {
  const Purchase& purchase = recorded.purchase;
  const rules::RuleSet& set = rules.rule_set();
  const rules::Explanation explained =
      rules::Explain(rules, replay.basket, replay.facts, replay.award, purchase.currency,
                     view.configuration.programme().currency_exponent);
  for (size_t i = 0; i < purchase.lines.size(); ++i) {
    const rules::LineAward& awarded = replay.award.lines[i];
    v1::LineExplanation& line = *out.add_lines();
    line.set_line_id(purchase.lines[i].line_id);
    line.set_points(awarded.points.value());
    if (awarded.rule) line.set_rule(set.rules[*awarded.rule].id);
    line.set_text(explained.lines[i]);
  }
  for (const rules::RuleExplanation& rule : explained.rules) {
    v1::RuleExplanation& to = *out.add_rules();
    to.set_rule(set.rules[rule.rule].id);
    to.set_display_name(set.rules[rule.rule].display_name);
    to.set_outcome(std::string(rules::WhyNotName(rule.why)));
    if (rule.by) to.set_blocked_by(set.rules[*rule.by].id);
    to.set_rounding(RoundingOf(set.rules[rule.rule]));
    if (rule.award) AddAward(purchase, set, replay.award, replay.award.rules[*rule.award], to);
    AddFunded(recorded.outcome, partner, view, set.rules[rule.rule], rule.funded, to);
    to.set_text(rule.text);
  }
}

template void AddExplanation(const RecordedPurchase&, PartnerId, const View&, const Replay&,
                             const rules::CompiledRules&, v1::QuotePurchaseResponse&);
template void AddExplanation(const RecordedPurchase&, PartnerId, const View&, const Replay&,
                             const rules::CompiledRules&, v1::ExplainPurchaseResponse&);

void ExplainSale(const Sale& sale, const ledger::Configuration& configuration, const RuleBook& book,
                 const Reader& reader, v1::ExplainPurchaseResponse& out) {
  const View view{configuration, reader, PurchasePlace{sale.book, sale.number}};
  const Purchase& purchase = sale.recorded.purchase;
  const PurchaseOutcome& outcome = sale.recorded.outcome;
  const ledger::Partner* partner = configuration.FindPartner(sale.partner);
  out.set_issuer(PartnerName(partner));
  out.set_tier(outcome.member.tier);
  if (partner != nullptr) {
    for (const ledger::Contract& contract : partner->issuance) {
      if (contract.id != outcome.contract) continue;
      out.set_contract(absl::StrCat("partners/", partner->slug, "/contracts/", contract.number));
    }
  }
  if (outcome.points > Points(0)) {
    out.set_lot(absl::StrCat("lots/", sale.book.value(), "-", LotOf(sale).value()));
    AddLots(outcome, sale.partner, view, out);
    *out.mutable_activates_at() = rpc::ToProto(outcome.activates_at);
    if (outcome.expires_at != kNever) *out.mutable_expires_at() = rpc::ToProto(outcome.expires_at);
  }
  const DatedRuleSet* set = book.Find(outcome.rule_set);
  const ledger::Store* store = FindStore(partner, purchase.receipt.store);
  if (set == nullptr || store == nullptr) return Overrule("No rules were in force.", sale, out);
  out.set_rule_set(absl::StrCat("ruleSets/", outcome.rule_set));
  const Replay replay = ReplayPurchase(sale.recorded, sale.partner, *store, *set->rules);
  AddExplanation(sale.recorded, sale.partner, view, replay, *set->rules, out);
  if (replay.award.total > outcome.points) {
    Overrule("0 points: the partner's prepaid blocks, or its credit, did not cover it", sale, out);
  }
}

}  // namespace guilder::accrual
