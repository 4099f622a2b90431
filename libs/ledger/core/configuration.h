// What the programme has agreed with whom: the facts that deciders need besides the account.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/core/calendar.h"
#include "libs/ledger/core/expiry.h"
#include "libs/ledger/core/limit.h"
#include "libs/ledger/core/state.h"

namespace guilder::ledger {

enum class PartnerState {
  kDraft,
  kSubmitted,
  kInReview,
  kActive,
  kSuspended,
  kTerminating,
  kTerminated
};

enum class ContractKind { kIssuance, kRedemption };

// What of a basket may be paid with points, by a redemption contract.
struct RedemptionTerms {
  Points minimum;  // less is not taken
  Points step;     // only multiples are taken; zero for any number
  int maximum_share_per_mille = 1'000;
  std::set<std::string, std::less<>> excluded_categories;
  std::set<std::string, std::less<>> excluded_skus;

  friend bool operator==(const RedemptionTerms&, const RedemptionTerms&) = default;
};

// What the programme says of redemptions everywhere. Each version is kept.
struct RedemptionPolicy {
  int64_t number = 0;  // of the version; 0 before the first
  ConsumptionOrder order = ConsumptionOrder::kFirstExpiring;
  // How long points live that come back after their lot has expired; 0 for not at all.
  int grace_days = 0;
  // From so many points on a PIN or a one-time code is asked for; 0 for never.
  Points step_up_points;
  // So many wrong ones in a row lock a member's spending.
  int max_failed_attempts = 5;
  // The n-th redemption of a member in a period is reviewed; 0 for none.
  int review_redemptions = 0;
  int64_t review_period_seconds = 0;
  // A redemption from a device that is new for the member, of at least this share of what can be
  // spent, is reviewed; 0 for none.
  int review_new_device_per_mille = 0;
  // How long points are held for a review.
  int64_t review_seconds = 0;

  friend bool operator==(const RedemptionPolicy&, const RedemptionPolicy&) = default;
};

// One approved version of a contract. Money terms that only settlements use are not here.
struct Contract {
  ContractId id;
  int number = 0;
  Timestamp effective_from;
  Timestamp effective_until = kNever;  // exclusive
  // What it is settled in, and the price of a point in millionths of its major unit.
  Currency currency{};
  int64_t rate_micros = 0;
  // Of an issuance contract.
  int activation_days = 0;
  OnDue on_due = OnDue::kActivate;
  int lot_life_days = 0;  // 0 for no expiry
  // What bounds its issuance over all books; none when nothing does.
  LimitId limit;
  WhenExhausted when_exhausted = WhenExhausted::kRefuse;
  // What a point spends of it: credit is money.
  int64_t LimitUnits() const { return KindOf(limit) == LimitKind::kCredit ? rate_micros : 1; }
  Restriction restricted_to;
  // Of a redemption contract.
  RedemptionTerms redemption;
};

struct Store {
  StoreId id;
  bool open = true;
  // Where its days begin.
  absl::TimeZone time_zone = absl::UTCTimeZone();
  std::set<std::string, std::less<>> terminals;
  // Whether purchases may name terminals that are not registered.
  bool any_terminal = false;
};

// What a partner's exposure leaves it: see services/partner/README.md.
enum class ExposureStage { kNormal, kWarn, kNoBonus, kNoIssuance, kRedemptionOnly };

// When what ends of a partner that leaves. Without dates nothing is issued or taken any more, and
// returns go on.
struct RunOff {
  Timestamp last_issue;
  Timestamp last_redemption;
  Timestamp last_return = kNever;
};

struct Partner {
  PartnerId id;
  std::string slug;
  PartnerState state = PartnerState::kDraft;
  RunOff run_off;
  ExposureStage stage = ExposureStage::kNormal;
  std::vector<Contract> issuance;    // by date, without gaps
  std::vector<Contract> redemption;  // by date, without gaps
  std::map<std::string, Store, std::less<>> stores;

  // What its state allows: points for a sale that occurred at an instant, also when it is posted
  // later; taking points now; taking goods back now. services/partner/README.md has the table.
  bool MayIssueFor(Timestamp occurred_at) const;
  bool MayRedeem(Timestamp now) const;
  bool MayTakeReturns(Timestamp now) const;

  // The version of that kind in force at an instant; nullptr when none is.
  const Contract* ContractAt(ContractKind kind, Timestamp at) const;
  // The version of that id; nullptr when the partner has none.
  const Contract* FindContract(ContractKind kind, ContractId id) const;
};

// A limit that bounds a contract's issuance, and what each point spends of it.
struct PointLimit {
  LimitId limit;
  int64_t units = 1;
};

struct Programme {
  ProgrammeId id;
  std::string slug;
  Currency currency{};
  int currency_exponent = 2;
  std::string mode;
  Points welcome_points;
  // By date. What was earned before the first ends as the issuer's contract says.
  std::vector<ExpiryPolicy> expiry;
  Timestamp started_at;
  RedemptionPolicy redemption;
};

// Immutable, hence thread safe. `version` rises with every change.
class Configuration {
 public:
  Configuration(int64_t version, Programme programme, Calendar calendar,
                std::vector<Partner> partners, PartnerId operator_partner);

  int64_t version() const { return version_; }
  const Programme& programme() const { return programme_; }
  const Calendar& calendar() const { return calendar_; }

  const Partner* FindPartner(PartnerId id) const;
  const Partner* FindPartner(std::string_view slug) const;
  // Of all partners, ascending.
  std::vector<PartnerId> partner_ids() const;
  // The partner that pays for gifts; nullptr before it is onboarded.
  const Partner* operator_partner() const { return FindPartner(operator_partner_); }

  // The limit that bounds a contract's issuance; nullptr when there is none.
  const PointLimit* LimitOf(ContractId contract) const;
  // The limits of what a partner issues, under any of its contracts.
  const std::set<LimitId>& LimitsOf(PartnerId partner) const;
  // Whether any contract is limited.
  bool has_limits() const { return !limits_.empty(); }

  // The end of the local day that is `days` after the day of `at`, in the programme's zone: the
  // first instant that is too late.
  Timestamp EndOfDayAfter(Timestamp at, int days) const;

  // When points under a contract expire that were earned then, by the policy of that day; posted at
  // `now`, they live its minimum.
  Timestamp ExpiryOf(const Contract& contract, Timestamp earned_at, Timestamp now) const;
  // Whether points that were earned then live by activity.
  bool LivesByActivity(Timestamp earned_at) const;
  // Until when points that live by activity live for what a member did then: the sum of Activities.
  // Nothing when none of it counts. Points keep the rule by which they were earned, so it is that
  // of the last version that had such a rule.
  std::optional<Timestamp> ActiveUntil(int activities, Timestamp occurred_at) const;
  // Whether there ever was such a rule.
  bool has_activity() const;
  // The policy in force at an instant.
  ExpiryPolicy ExpiryPolicyAt(Timestamp at) const;

  // Until when points live that come back at `now` after their lot has expired; zero when they do
  // not.
  Timestamp GraceUntil(Timestamp now) const;

  // What `points` are worth under a rate of that currency, in its minor units, rounded half up.
  MinorUnits Price(Points points, int64_t rate_micros, const Currency& currency) const;
  // The most points that are worth no more than `amount`; none at a rate of zero.
  Points PointsWithin(MinorUnits amount, int64_t rate_micros, const Currency& currency) const;

 private:
  int64_t version_;
  Programme programme_;
  Calendar calendar_;
  std::map<PartnerId, Partner> partners_;
  std::map<std::string, PartnerId, std::less<>> by_slug_;
  // Of limited contracts only.
  std::map<ContractId, PointLimit> limits_;
  std::map<PartnerId, std::set<LimitId>> partner_limits_;
  PartnerId operator_partner_;

  // How many millionths of the major unit a minor unit is.
  __int128 MicrosOf(const Currency& currency) const;
};

}  // namespace guilder::ledger
