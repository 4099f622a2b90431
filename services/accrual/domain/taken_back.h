// What returns of a sale come to, as a function of the quantities that came back: so that any
// splitting and any order of returns ends the same.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/rules/evaluate.h"
#include "services/accrual/domain/funders.h"
#include "services/accrual/domain/purchase.h"
#include "services/accrual/domain/rule_book.h"

namespace guilder::accrual {

// What came back and what was taken for it, over all returns of a sale so far.
struct TakenBack {
  std::vector<int64_t> quantities;  // parallel to the sale's lines, like the points
  std::vector<Points> line_points;  // taken back
  // Of these, of each of the sale's parts; empty where it has none.
  std::vector<std::vector<Points>> parts;
  Points restored;                  // of the points that the sale was paid with
  MinorUnits amount;                // what the goods cost
  std::vector<MinorUnits> tenders;  // of that, by the sale's tenders; empty when it states none
  std::vector<Points> caps;         // given back, parallel to the caps of the rule set

  Points points() const;
};

// A sale as its rules see it. Points into what it is made of.
class SaleTerms {
 public:
  // `set` is the version that the sale was recorded under, or nullptr; `store` the one that sold.
  // `operator_partner` may be none.
  SaleTerms(const RecordedPurchase& recorded, PartnerId partner, const ledger::Store* store,
            const DatedRuleSet* set, PartnerId operator_partner = PartnerId());

  const rules::Policies& policies() const { return policies_; }
  const DatedRuleSet* rule_set() const { return set_; }

  // The contract that the captured points were priced by, where returns keep to its terms. Both
  // outlive this.
  void SetRedemptionContract(const ledger::Configuration& configuration,
                             const ledger::Contract& contract) {
    configuration_ = &configuration;
    redemption_ = &contract;
  }

  // Nothing came back.
  TakenBack Nothing() const;
  // After these quantities more have come back. Requires that no more comes back than was sold.
  //
  // Of a line, floor(points × returned ÷ sold); of a sale with parts, of each part so. Where
  // bonuses are taken back whose minimum the goods that stay do not reach, they go whole, less what
  // the bonuses give that those do reach. Of a tender, its share of what the goods cost, points
  // before vouchers before money; of the points that were captured with the sale, their share
  // likewise. Where their contract excludes goods or bounds the share of a basket, more of them
  // goes back rather than that more of what stays is paid with points than the contract allows, but
  // never more than the goods cost.
  TakenBack After(const TakenBack& before, const std::vector<int64_t>& returned_now) const;

 private:
  void TakeLines(TakenBack& state) const;
  // Points of each line, for each part of the sale; for a sale without parts there is one.
  using PointsOfParts = std::vector<std::vector<Points>>;
  PointsOfParts NoPoints() const;
  // Adds what bonuses with a minimum gave. `places` are the sale's lines of the award's.
  void AddBonuses(const rules::Award& award, const std::vector<size_t>& places,
                  PointsOfParts& to) const;
  // What bonuses with a minimum still give for the goods that stay; nothing when all that fired
  // still reach theirs.
  PointsOfParts KeptBonuses(const std::vector<int64_t>& quantities, bool& broken) const;
  void TakeMoney(TakenBack& state) const;
  // What the sale was paid with in points, as money.
  MinorUnits PaidWithPoints() const;
  // Of that, what goes back where `share` of it would: by the contract.
  MinorUnits PaidBackInPoints(const TakenBack& state, MinorUnits share) const;
  MinorUnits ReturnedOf(const TakenBack& state, size_t line) const;
  void GiveBackToCaps(TakenBack& state) const;

  const RecordedPurchase& recorded_;
  const DatedRuleSet* const set_;
  const Funders funders_;
  const ledger::Configuration* configuration_ = nullptr;
  const ledger::Contract* redemption_ = nullptr;
  rules::Policies policies_{};
  // Of the sale, where bonuses or caps need it.
  rules::Basket basket_;
  rules::Facts facts_;
  rules::Award award_;
  // What bonuses with a minimum gave.
  PointsOfParts bonuses_;
  std::vector<size_t> bonus_rules_;
};

}  // namespace guilder::accrual
