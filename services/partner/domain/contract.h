// Versions of a partner's contracts: their terms, and how their dates follow each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::partner {

// As in partner.contracts; the names stand in its columns.
enum class ContractKind { kIssuance, kRedemption };
enum class ContractState { kProposed, kApproved, kRejected };
enum class BillingMoment { kPosting, kActivation };
enum class DefaultOutcome { kActivate, kCancel };
enum class Funding { kPostpaid, kPrepaidBlock, kPostpaidAtRedemption, kHybrid };
enum class ExhaustionPolicy { kRefuse, kIssueNothing };
enum class PointsUse { kAnywhere, kAtIssuer, kGifts, kAtPartners };

struct Tax {
  std::string code;
  int32_t ppm = 0;  // 190,000 is 19 %.
};

// What the operator takes.
struct Fee {
  int32_t ppm = 0;                     // Of the amount.
  int64_t micros_per_point = 0;        // Of the currency's major unit.
  int64_t per_window_minor_units = 0;  // For each window.
  Tax tax;
};

struct IssuanceTerms {
  int64_t rate_micros = 0;  // Of the currency's major unit, a point.
  std::string currency;
  Tax tax;
  BillingMoment billed_at = BillingMoment::kPosting;
  int32_t activation_days = 0;
  DefaultOutcome default_outcome = DefaultOutcome::kActivate;
  int32_t lot_life_days = 0;  // 0 for no expiry.
  Funding funding = Funding::kPostpaid;
  ExhaustionPolicy when_exhausted = ExhaustionPolicy::kRefuse;  // Of prepaid ones.
  int32_t reserve_ppm = 0;                                      // Of hybrid ones.
  int32_t breakage_ppm = 0;
  PointsUse points_use = PointsUse::kAnywhere;
  // Of kAtPartners: their slugs, in order, each once.
  std::vector<std::string> points_use_partners;
  Fee fee;
};

inline constexpr int32_t kWholeBasketPerMille = 1'000;

struct RedemptionTerms {
  int64_t rate_micros = 0;  // Of the currency's major unit, a point.
  std::string currency;
  Tax tax;
  Fee fee;
  int64_t minimum_payout_minor_units = 0;  // Less is carried forward.
  int64_t minimum_points = 0;              // Of a payment; 0 for any number.
  int64_t step_points = 0;                 // Only multiples of it; 0 for any number.
  int32_t maximum_share_per_mille = kWholeBasketPerMille;  // Of a basket.
  // Goods that are not paid with points, in order, each once.
  std::vector<std::string> excluded_categories;
  std::vector<std::string> excluded_skus;
};

using Terms = std::variant<IssuanceTerms, RedemptionTerms>;

// Prices what occurred in [from, until).
struct Period {
  Timestamp from;
  std::optional<Timestamp> until;
};

struct Contract {
  ContractId id;
  int64_t number = 0;
  ContractState state = ContractState::kProposed;
  Period period;
  Terms terms;
  int32_t notice_days = 0;
  std::string proposed_by;
  std::string approved_by;
  // By the programme's clock; nothing for versions from before this was kept.
  std::optional<Timestamp> proposed_at;

  ContractKind kind() const {
    return std::holds_alternative<IssuanceTerms>(terms) ? ContractKind::kIssuance
                                                        : ContractKind::kRedemption;
  }
};

// Until when a proposed version may be approved; nothing for no limit.
std::optional<Timestamp> ApprovalDeadline(const Contract& contract);

// SHA-256 over dates and terms, in hexadecimal: what an approval is bound to.
std::string ContractEtag(const Contract& contract);

inline constexpr int kApprovalDays = 30;
inline constexpr int32_t kMaxNoticeDays = 3'650;
inline constexpr int64_t kMaxRateMicros = 1'000'000'000'000;  // A million major units a point.
inline constexpr int32_t kMaxPpm = 1'000'000;
inline constexpr size_t kMaxExcludedGoods = 100;
inline constexpr size_t kMaxPointsUsePartners = 100;
inline constexpr size_t kMaxGoodsText = 64;
inline constexpr int32_t kMaxActivationDays = 3'650;
inline constexpr int32_t kMaxLotLifeDays = 36'500;

// Whether dates and terms make sense. The currency may be another than the programme's: then the
// rates are of that currency, and the contract is settled in it.
//
// Errors, first match wins: REQUEST_MALFORMED, naming the field; CURRENCY_NOT_SUPPORTED, three
// capital letters are none.
absl::Status CheckContract(const Contract& contract);

// What approving a version does to its predecessor.
struct Succession {
  // The version without an end that now ends where its successor begins.
  std::optional<ContractId> ended;
};

// Approves a proposed version on behalf of an operator. `approved` holds the approved versions of
// the same partner and kind. With `may_begin_in_past`, which only programmes that are not live
// have, the clock does not matter.
//
// Errors, first match wins: WRONG_STATE, CHANGE_DIFFERS when `etag` is not empty and not that of
// the proposal, APPROVAL_EXPIRED, SAME_PERSON, EFFECTIVE_IN_PAST, CONTRACT_OVERLAP, CONTRACT_GAP.
absl::StatusOr<Succession> Approve(const Contract& proposed, const std::string& etag,
                                   const std::vector<Contract>& approved, const std::string& actor,
                                   Timestamp now, bool may_begin_in_past);

}  // namespace guilder::partner
