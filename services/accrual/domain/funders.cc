#include "services/accrual/domain/funders.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace guilder::accrual {
namespace {

PartnerId OperatorPartnerOf(const ledger::Configuration& configuration) {
  const ledger::Partner* const partner = configuration.operator_partner();
  return partner == nullptr ? PartnerId() : partner->id;
}

absl::Status CheckFunder(const rules::Rule& rule, const rules::Funder& funder,
                         Timestamp effective_from, const ledger::Configuration& configuration) {
  if (funder.kind == rules::FunderKind::kStore) return absl::OkStatus();
  const PartnerId named = Funders(PartnerId(), configuration).Named(funder);
  const ledger::Partner* const partner = named ? configuration.FindPartner(named) : nullptr;
  const std::string who =
      absl::StrCat("rule '", rule.id, "': ", partner ? partner->slug : "the operator-partner");
  if (partner == nullptr) return Refuse(Reason::kNoContract, absl::StrCat(who, " is not there"));
  if (!partner->MayIssueFor(effective_from)) {
    return Refuse(Reason::kPartnerNotActive, absl::StrCat(who, " is not active"));
  }
  if (partner->ContractAt(ledger::ContractKind::kIssuance, effective_from) != nullptr) {
    return absl::OkStatus();
  }
  return Refuse(Reason::kNoContract, absl::StrCat(who, " has no issuance contract then"));
}

}  // namespace

Funders::Funders(PartnerId seller, const ledger::Configuration& configuration)
    : Funders(seller, OperatorPartnerOf(configuration)) {}

PartnerId Funders::Named(const rules::Funder& funder) const {
  switch (funder.kind) {
    case rules::FunderKind::kBrand:
      return funder.brand;
    case rules::FunderKind::kOperator:
      return operator_partner_;
    case rules::FunderKind::kStore:
      break;
  }
  return seller_;
}

PartnerId Funders::PayerOf(const rules::Funder& funder, const rules::Funding& funding,
                           absl::FunctionRef<bool(PartnerId)> pays) const {
  for (const rules::Funder* who : {&funder, &funding.remainder}) {
    const PartnerId named = Named(*who);
    if (named == seller_ || pays(named)) return named;
  }
  return seller_;
}

PartnerId Funders::PayerIn(const PurchaseOutcome& outcome, const rules::Funder& funder,
                           const rules::Funding& funding) const {
  return PayerOf(funder, funding, [&outcome](PartnerId partner) {
    return std::any_of(
        outcome.parts.begin(), outcome.parts.end(),
        [partner](const EarnedPart& part) { return partner && part.issuer == partner; });
  });
}

FunderContract FindFunderContract(PartnerId funder, Timestamp occurred_at,
                                  const ledger::DecisionContext& context) {
  const ledger::Partner* const partner = context.configuration.FindPartner(funder);
  if (partner == nullptr) return {};
  if (!partner->MayIssueFor(occurred_at)) return {nullptr, WhyNotPaid::kNotActive};
  if (partner->stage >= ledger::ExposureStage::kNoBonus) return {nullptr, WhyNotPaid::kExposed};
  const ledger::Contract* const contract =
      partner->ContractAt(ledger::ContractKind::kIssuance, occurred_at);
  if (contract == nullptr) return {};
  if (context.IsExhausted(contract->limit)) return {nullptr, WhyNotPaid::kExhausted};
  return {contract, {}};
}

Reason ReasonFor(WhyNotPaid why) {
  switch (why) {
    case WhyNotPaid::kNotActive:
      return Reason::kPartnerNotActive;
    case WhyNotPaid::kExposed:
      return Reason::kExposureExceeded;
    case WhyNotPaid::kExhausted:
      return Reason::kPointBlockExhausted;
    case WhyNotPaid::kNoContract:
      break;
  }
  return Reason::kNoContract;
}

std::vector<PartnerId> OtherPayers(const rules::CompiledRules& rules, PartnerId seller,
                                   const ledger::Configuration& configuration) {
  std::vector<PartnerId> payers;
  const std::vector<rules::Funder>& funders = rules.PlanFor(seller).funders;
  if (funders.empty()) return payers;
  const Funders names(seller, configuration);
  for (const rules::Funder& funder : funders) {
    const PartnerId payer = names.Named(funder);
    const bool is_new = std::find(payers.begin(), payers.end(), payer) == payers.end();
    if (payer && payer != seller && is_new) payers.push_back(payer);
  }
  return payers;
}

absl::Status CheckFunders(const rules::RuleSet& rule_set, Timestamp effective_from,
                          const ledger::Configuration& configuration) {
  for (const rules::Rule& rule : rule_set.rules) {
    std::vector<rules::Funder> funders = {rule.funding.remainder};
    for (const rules::FunderShare& share : rule.funding.shares) funders.push_back(share.funder);
    for (const rules::Funder& funder : funders) {
      const absl::Status pays = CheckFunder(rule, funder, effective_from, configuration);
      if (!pays.ok()) return pays;
    }
  }
  return absl::OkStatus();
}

}  // namespace guilder::accrual
