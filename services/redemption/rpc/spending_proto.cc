#include "services/redemption/rpc/spending_proto.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/redemption/rpc/redemption_proto.h"

namespace guilder::redemption {
namespace {

constexpr size_t kMaxNote = 200;
constexpr int kMostGraceDays = 366;
constexpr int kMostFailedAttempts = 20;
constexpr int kUsualFailedAttempts = 5;
constexpr int kMostRedemptions = 1'000'000;
constexpr int kPerMille = 1'000;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kLeastPeriodSeconds = 60;
constexpr int64_t kMostPeriodSeconds = 31 * kSecondsPerDay;
constexpr int64_t kLeastReviewSeconds = 3'600;
constexpr int64_t kUsualReviewSeconds = 7 * kSecondsPerDay;
constexpr int64_t kMostReviewSeconds = 30 * kSecondsPerDay;

absl::Status CheckRange(const char* field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " is from ", least, " to ", most),
                {{"field", field}});
}

}  // namespace

absl::StatusOr<AccountId> ParseMember(const std::string& name) {
  const auto parts = rpc::ParseNumberedName("members/{}", name);
  if (!parts) return Refuse(Reason::kMemberNotFound);
  return AccountId((*parts)[0]);
}

std::string MemberName(AccountId account) {
  return absl::StrCat("members/", account.value());
}

absl::StatusOr<RedemptionId> ParseReviewed(const std::string& name, const std::string& note) {
  const bool printable = std::all_of(note.begin(), note.end(),
                                     [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  if (note.size() > kMaxNote || !printable) {
    return Refuse(Reason::kRequestMalformed, "note", {{"field", "note"}});
  }
  const auto redemption = ParseRedemptionName(name);
  if (redemption.ok() || ReasonOf(redemption.status()) == Reason::kRequestMalformed) {
    return redemption;
  }
  return Refuse(Reason::kReviewNotFound);
}

absl::StatusOr<ledger::RedemptionPolicy> FromProto(const v1::RedemptionPolicy& policy) {
  ledger::RedemptionPolicy out;
  out.number = policy.version();
  GUILDER_RETURN_IF_ERROR(CheckRange("policy.version", out.number, 0, INT32_MAX - 1));
  switch (policy.consumption_order()) {
    case v1::CONSUMPTION_ORDER_UNSPECIFIED:
    case v1::CONSUMPTION_ORDER_FIRST_EXPIRING:
      out.order = ledger::ConsumptionOrder::kFirstExpiring;
      break;
    case v1::CONSUMPTION_ORDER_FIRST_IN:
      out.order = ledger::ConsumptionOrder::kFirstIn;
      break;
    default:
      return Refuse(Reason::kRequestMalformed, "policy.consumption_order",
                    {{"field", "policy.consumption_order"}});
  }
  out.grace_days = policy.grace_days();
  GUILDER_RETURN_IF_ERROR(CheckRange("policy.grace_days", out.grace_days, 0, kMostGraceDays));
  out.step_up_points = Points(policy.pin_from_points());
  GUILDER_RETURN_IF_ERROR(CheckRange("policy.pin_from_points", policy.pin_from_points(), 0,
                                     kMaxPointsPerCommand.value()));
  out.max_failed_attempts = policy.maximum_failed_attempts();
  if (out.max_failed_attempts == 0) out.max_failed_attempts = kUsualFailedAttempts;
  GUILDER_RETURN_IF_ERROR(CheckRange("policy.maximum_failed_attempts", out.max_failed_attempts, 1,
                                     kMostFailedAttempts));
  out.review_redemptions = policy.review_from_redemption();
  GUILDER_RETURN_IF_ERROR(
      CheckRange("policy.review_from_redemption", out.review_redemptions, 0, kMostRedemptions));
  out.review_period_seconds = policy.review_period_seconds();
  GUILDER_RETURN_IF_ERROR(CheckRange("policy.review_period_seconds", out.review_period_seconds,
                                     out.review_redemptions == 0 ? 0 : kLeastPeriodSeconds,
                                     kMostPeriodSeconds));
  out.review_new_device_per_mille = policy.review_new_device_per_mille();
  GUILDER_RETURN_IF_ERROR(CheckRange("policy.review_new_device_per_mille",
                                     out.review_new_device_per_mille, 0, kPerMille));
  out.review_seconds = policy.review_seconds();
  if (out.review_seconds == 0) out.review_seconds = kUsualReviewSeconds;
  GUILDER_RETURN_IF_ERROR(CheckRange("policy.review_seconds", out.review_seconds,
                                     kLeastReviewSeconds, kMostReviewSeconds));
  GUILDER_RETURN_IF_ERROR(
      CheckRange("policy.late_spend_seconds", policy.late_spend_seconds(), 0, kMostPeriodSeconds));
  return out;
}

v1::RedemptionPolicy ToProto(const StoredPolicy& stored) {
  const ledger::RedemptionPolicy& policy = stored.policy;
  v1::RedemptionPolicy out;
  out.set_version(policy.number);
  out.set_consumption_order(policy.order == ledger::ConsumptionOrder::kFirstIn
                                ? v1::CONSUMPTION_ORDER_FIRST_IN
                                : v1::CONSUMPTION_ORDER_FIRST_EXPIRING);
  out.set_grace_days(policy.grace_days);
  out.set_pin_from_points(policy.step_up_points.value());
  out.set_maximum_failed_attempts(policy.max_failed_attempts);
  out.set_review_from_redemption(policy.review_redemptions);
  out.set_review_period_seconds(policy.review_period_seconds);
  out.set_review_new_device_per_mille(policy.review_new_device_per_mille);
  out.set_review_seconds(policy.review_seconds);
  out.set_late_spend_seconds(stored.late_spend_seconds);
  if (policy.number == 0) return out;
  out.set_set_by(stored.set_by);
  *out.mutable_set_time() = rpc::ToProto(stored.set_at);
  return out;
}

v1::Review ToProto(const ReviewRow& row) {
  v1::Review out;
  out.set_redemption(RedemptionName(row.redemption));
  out.set_member(MemberName(row.account));
  out.set_store(absl::StrCat("partners/", row.partner_slug, "/stores/", row.store_code));
  out.set_points(row.points.value());
  out.set_reason(row.reason == ReviewReason::kCount ? v1::REVIEW_REASON_COUNT
                                                    : v1::REVIEW_REASON_NEW_DEVICE);
  *out.mutable_create_time() = rpc::ToProto(row.created_at);
  *out.mutable_expire_time() = rpc::ToProto(row.expires_at);
  out.set_captures(row.captures);
  return out;
}

}  // namespace guilder::redemption
