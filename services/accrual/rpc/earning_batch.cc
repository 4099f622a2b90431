#include "services/accrual/rpc/earning_batch.h"

#include <set>
#include <utility>

#include "libs/base/reason.h"
#include "services/accrual/domain/funders.h"
#include "services/accrual/store/sales.h"

namespace guilder::accrual {

std::vector<CapLimit> KnownLimits::Unknown(const std::vector<CapLimit>& limits) const {
  const std::lock_guard lock(mutex_);
  std::vector<CapLimit> unknown;
  for (const CapLimit& limit : limits) {
    if (!known_.contains(limit.counter)) unknown.push_back(limit);
  }
  return unknown;
}

void KnownLimits::Add(const std::vector<CapLimit>& limits) {
  const std::lock_guard lock(mutex_);
  for (const CapLimit& limit : limits) known_.insert(limit.counter);
}

EarningBatch::EarningBatch(postgres::Transaction& tx, const ledger::Configuration& configuration,
                           const RuleBook& rules, const security::MemberDataReader& reader,
                           const std::vector<EarningOf>& purchases, KnownLimits& known)
    : limits_(purchases.size()), payers_(purchases.size()) {
  std::vector<CounterKey> keys;
  std::vector<CapLimit> limits;
  std::vector<Purchaser> asked;
  std::vector<EarningOf> standing;
  std::vector<Uuid> quotes;
  std::set<AccountId> visitors;
  std::vector<ParkedFor> visiting;
  for (size_t i = 0; i < purchases.size(); ++i) {
    const EarningOf& earning = purchases[i];
    const DatedRuleSet* const dated = rules.At(earning.purchase->occurred_at);
    const DatedRuleSet* const quoted =
        earning.quote == nullptr ? nullptr : rules.Find(earning.quote->rule_set);
    for (const DatedRuleSet* set : {dated, quoted == dated ? nullptr : quoted}) {
      if (set == nullptr) continue;
      AddCaps(configuration, earning, i, *set, keys, limits);
      for (const PartnerId payer : OtherPayers(*set->rules, earning.partner, configuration)) {
        payers_[i].push_back(payer);
      }
    }
    const bool asks_for_first =
        dated != nullptr && dated->rules->PlanFor(earning.partner).needs_first_purchase;
    if (dated != nullptr && dated->rules->PlanFor(earning.partner).needs_member) {
      standing.push_back(earning);
    }
    if (dated != nullptr && dated->rules->rule_set().policies.purchases_of_member_at_till > 0) {
      visitors.insert(earning.account);
      visiting.push_back({earning.partner, earning.request_id});
    }
    if (asks_for_first) asked.push_back({earning.account, earning.partner});
    if (earning.quote != nullptr) quotes.push_back(earning.quote->id);
  }
  for (const auto& [key, points] : ReadCounters(tx, keys)) {
    counts_[key.account][key.counter] = points;
  }
  ReadFirstPurchases(tx, asked);
  ReadMembers(tx, reader, standing);
  used_quotes_ = ReadUsedQuotes(tx, quotes);
  visits_ = ReadVisits(tx, visitors);
  held_back_ = FindParkedFor(tx, visiting, ReasonName(Reason::kLimitExceeded));
  const std::vector<CapLimit> unknown = known.Unknown(limits);
  // What this transaction grants is known by those after it, because it may not commit.
  if (EnsureLimits(tx, unknown)) known.Add(unknown);
}

void EarningBatch::AddCaps(const ledger::Configuration& configuration, const EarningOf& earning,
                           size_t i, const DatedRuleSet& set, std::vector<CounterKey>& keys,
                           std::vector<CapLimit>& limits) {
  for (const CountedCap& cap : CountedCapsOf(set, earning.partner, earning.purchase->occurred_at,
                                             configuration.calendar().time_zone())) {
    if (cap.of_member) {
      keys.push_back({earning.book, earning.account, cap.counter});
    } else {
      limits_[i].push_back(cap.counter);
      limits.push_back({cap.counter, cap.points});
    }
  }
}

void EarningBatch::ReadMembers(postgres::Transaction& tx, const security::MemberDataReader& reader,
                               const std::vector<EarningOf>& asked) {
  std::vector<StandingAsked> standings;
  for (const EarningOf& earning : asked) {
    standings.push_back({earning.account, earning.purchase->occurred_at});
  }
  std::vector<rules::MemberFacts> facts = ReadMemberFacts(tx, reader, standings);
  for (size_t i = 0; i < asked.size(); ++i) members_[asked[i].purchase] = std::move(facts[i]);
}

void EarningBatch::ReadFirstPurchases(postgres::Transaction& tx,
                                      const std::vector<Purchaser>& asked) {
  const std::vector<HasPurchased> found = ReadPurchasers(tx, asked);
  for (size_t i = 0; i < asked.size(); ++i) {
    purchasers_[asked[i].account][asked[i].partner] = found[i];
  }
}

EarningTerms EarningBatch::TermsOf(const EarningOf& earning, const RuleBook& rules) const {
  EarningTerms terms{rules};
  const auto counted = counts_.find(earning.account);
  if (counted != counts_.end()) terms.counts = counted->second;
  const auto member = members_.find(earning.purchase);
  if (member != members_.end()) terms.member = member->second;
  const auto account = purchasers_.find(earning.account);
  if (account != purchasers_.end()) {
    const auto partner = account->second.find(earning.partner);
    if (partner != account->second.end()) {
      terms.member.first_at_partner = !partner->second.at_partner;
      terms.member.first_in_programme = !partner->second.in_programme;
    }
  }
  if (earning.quote != nullptr) {
    terms.quote = *earning.quote;
    terms.quote_used = used_quotes_.contains(earning.quote->id);
  }
  return terms;
}

int EarningBatch::VisitsAtTill(const EarningOf& earning) const {
  const auto visits = visits_.find(earning.account);
  if (visits == visits_.end()) return 0;
  return CountLike(visits->second, VisitOf(earning.partner, *earning.purchase));
}

bool EarningBatch::WasHeldBack(const EarningOf& earning) const {
  return held_back_.contains({earning.partner, earning.request_id});
}

void EarningBatch::Accept(const EarningOf& earning, const PurchaseOutcome& outcome) {
  for (const CounterUse& use : outcome.counted) {
    const CounterKey key{earning.book, use.of_member ? earning.account : AccountId(), use.counter};
    counts_[key.account][key.counter] += use.points;
    added_[key] += use.points;
  }
  const auto account = purchasers_.find(earning.account);
  if (account != purchasers_.end()) {
    for (auto& [partner, has] : account->second) {
      has.in_programme = true;
      has.at_partner = has.at_partner || partner == earning.partner;
    }
  }
  if (earning.quote != nullptr) used_quotes_.insert(earning.quote->id);
  const auto visits = visits_.find(earning.account);
  if (visits != visits_.end()) {
    visits->second.push_back(VisitOf(earning.partner, *earning.purchase));
  }
}

}  // namespace guilder::accrual
