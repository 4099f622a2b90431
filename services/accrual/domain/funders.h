// Who pays for the points of a purchase: what rules say of funders, as partners.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"

#include "libs/base/reason.h"
#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/rules/compiled_rules.h"
#include "services/accrual/domain/purchase.h"

namespace guilder::accrual {

// Names funders of the rules for one partner's purchases. Pure.
class Funders {
 public:
  // `seller` sells; `operator_partner` may be none.
  Funders(PartnerId seller, PartnerId operator_partner)
      : seller_(seller), operator_partner_(operator_partner) {}
  Funders(PartnerId seller, const ledger::Configuration& configuration);

  // None for the operator-partner where there is none.
  PartnerId Named(const rules::Funder& funder) const;

  // Who pays a share: who is named for it, if it pays; else who is for the remainder; else the
  // seller. `pays` is not asked of the seller; it is of nobody.
  PartnerId PayerOf(const rules::Funder& funder, const rules::Funding& funding,
                    absl::FunctionRef<bool(PartnerId)> pays) const;
  // As it was recorded.
  PartnerId PayerIn(const PurchaseOutcome& outcome, const rules::Funder& funder,
                    const rules::Funding& funding) const;

 private:
  const PartnerId seller_;
  const PartnerId operator_partner_;
};

// The contract by which a partner pays for points of another one's sale that occurred at an
// instant, or nullptr, and why. A partner whose exposure withholds bonuses pays for nobody else's
// sales.
struct FunderContract {
  const ledger::Contract* contract = nullptr;
  WhyNotPaid why = WhyNotPaid::kNoContract;
};
FunderContract FindFunderContract(PartnerId funder, Timestamp occurred_at,
                                  const ledger::DecisionContext& context);

// The reason by which callers know it.
Reason ReasonFor(WhyNotPaid why);

// The partners besides the seller that may have to pay for a purchase, each once.
std::vector<PartnerId> OtherPayers(const rules::CompiledRules& rules, PartnerId seller,
                                   const ledger::Configuration& configuration);

// Whether every funder that a rule set names issues points at the instant from which the set is in
// force.
//
// Refuses, of the first rule: kPartnerNotActive, kNoContract.
absl::Status CheckFunders(const rules::RuleSet& rule_set, Timestamp effective_from,
                          const ledger::Configuration& configuration);

}  // namespace guilder::accrual
