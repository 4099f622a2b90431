// What the purchases of one batch are decided over together: counters, first purchases, quotes.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "services/accrual/domain/earning.h"
#include "services/accrual/domain/visits.h"
#include "services/accrual/rpc/member_facts.h"
#include "services/accrual/store/earning_rows.h"
#include "services/accrual/store/parked_items.h"

namespace guilder::accrual {

// A purchase, as a batch asks for it.
struct EarningOf {
  BookId book;
  AccountId account;
  PartnerId partner;
  const Purchase* purchase = nullptr;
  const Quote* quote = nullptr;  // nullptr for none
  Uuid request_id{};
};

// Limits that are known to be there, so that lanes need not ask. Thread safe.
class KnownLimits {
 public:
  // Those of `limits` that are not known.
  std::vector<CapLimit> Unknown(const std::vector<CapLimit>& limits) const;
  void Add(const std::vector<CapLimit>& limits);

 private:
  mutable std::mutex mutex_;
  absl::flat_hash_set<CounterId> known_;  // guarded by mutex_
};

// One run of a batch, in one thread. Costs no statement where no rule asks for what it reads.
class EarningBatch {
 public:
  // Reads what the purchases need; afterwards LimitsOf says what each may spend.
  EarningBatch(postgres::Transaction& tx, const ledger::Configuration& configuration,
               const RuleBook& rules, const security::MemberDataReader& reader,
               const std::vector<EarningOf>& purchases, KnownLimits& known);

  // Of the i-th purchase: the limits of all members' caps that it may spend from.
  const std::vector<CounterId>& LimitsOf(size_t i) const { return limits_[i]; }
  // Of the i-th purchase: who besides its seller may have to pay for it.
  const std::vector<PartnerId>& PayersOf(size_t i) const { return payers_[i]; }

  // What a purchase is decided over, after those before it that were accepted.
  EarningTerms TermsOf(const EarningOf& earning, const RuleBook& rules) const;

  // How many purchases its member has made at its till within a day, where its rules ask for that.
  int VisitsAtTill(const EarningOf& earning) const;

  // Whether it was parked before because its member came too often, where its rules ask for that.
  bool WasHeldBack(const EarningOf& earning) const;

  // Takes what an accepted purchase counts.
  void Accept(const EarningOf& earning, const PurchaseOutcome& outcome);

  // What accepted purchases added.
  const Counts& added() const { return added_; }

 private:
  // The purchases of an account that rules for first purchases ask about.
  using Purchasers = absl::flat_hash_map<AccountId, absl::flat_hash_map<PartnerId, HasPurchased>>;

  void AddCaps(const ledger::Configuration& configuration, const EarningOf& earning, size_t i,
               const DatedRuleSet& set, std::vector<CounterKey>& keys,
               std::vector<CapLimit>& limits);
  void ReadMembers(postgres::Transaction& tx, const security::MemberDataReader& reader,
                   const std::vector<EarningOf>& asked);
  void ReadFirstPurchases(postgres::Transaction& tx, const std::vector<Purchaser>& asked);

  std::vector<std::vector<CounterId>> limits_;
  std::vector<std::vector<PartnerId>> payers_;
  absl::flat_hash_map<AccountId, MemberCounts> counts_;
  Counts added_;
  Purchasers purchasers_;
  // Of purchases whose rules ask for it: the member at their time.
  absl::flat_hash_map<const Purchase*, rules::MemberFacts> members_;
  QuoteIds used_quotes_;
  // Of members whose purchases' rules ask for it.
  std::map<AccountId, std::vector<Visit>> visits_;
  std::set<ParkedFor> held_back_;
};

}  // namespace guilder::accrual
