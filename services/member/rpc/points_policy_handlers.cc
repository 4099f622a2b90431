#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "services/member/domain/residence.h"
#include "services/member/rpc/points_handlers.h"
#include "services/member/rpc/points_proto.h"
#include "services/member/store/points_policies.h"

namespace guilder::member {
namespace {

std::optional<Points> Limit(int64_t points) {
  return points == 0 ? std::nullopt : std::optional(Points(points));
}

// What was stored, over the defaults.
v1::PointsPolicy Complete(const StoredPolicy& stored) {
  v1::PointsPolicy policy;
  policy.ParseFromString(stored.terms);
  const v1::PointsPolicy defaults = DefaultPolicy();
  if (!policy.has_transfer()) *policy.mutable_transfer() = defaults.transfer();
  if (!policy.has_adjustment()) *policy.mutable_adjustment() = defaults.adjustment();
  if (!policy.has_expiry()) *policy.mutable_expiry() = defaults.expiry();
  if (!policy.has_residence()) *policy.mutable_residence() = defaults.residence();
  policy.set_version(stored.version);
  return policy;
}

absl::Status CheckResidencePolicy(const v1::ResidencePolicy& policy) {
  if (policy.places_size() > kMostResidencePlaces) {
    return Refuse(Reason::kRequestMalformed, "policy.residence.places are too many",
                  {{"field", "policy.residence.places"}});
  }
  for (const std::string& place : policy.places()) {
    GUILDER_RETURN_IF_ERROR(CheckPlace("policy.residence.places", place));
  }
  if (policy.grace_days() < 0 || policy.grace_days() > kMostResidenceGraceDays) {
    return Refuse(Reason::kRequestMalformed, "policy.residence.grace_days",
                  {{"field", "policy.residence.grace_days"}});
  }
  return absl::OkStatus();
}

}  // namespace

TransferPolicy FromProto(const v1::TransferPolicy& policy) {
  TransferPolicy out;
  out.allowed = policy.allowed();
  out.minimum = Points(policy.minimum_points());
  out.step = Points(policy.step_points());
  out.fee = Points(policy.fee_points());
  out.fee_ppm = policy.fee_ppm();
  out.yearly_out = Limit(policy.yearly_out_points());
  out.yearly_in = Limit(policy.yearly_in_points());
  out.account_age_days = policy.account_age_days();
  out.reversal_minutes = policy.reversal_minutes();
  return out;
}

v1::TransferPolicy ToProto(const TransferPolicy& policy) {
  v1::TransferPolicy out;
  out.set_allowed(policy.allowed);
  out.set_minimum_points(policy.minimum.value());
  out.set_step_points(policy.step.value());
  out.set_fee_points(policy.fee.value());
  out.set_fee_ppm(static_cast<int32_t>(policy.fee_ppm));
  out.set_yearly_out_points(policy.yearly_out.value_or(Points(0)).value());
  out.set_yearly_in_points(policy.yearly_in.value_or(Points(0)).value());
  out.set_account_age_days(policy.account_age_days);
  out.set_reversal_minutes(policy.reversal_minutes);
  return out;
}

AdjustmentPolicy FromProto(const v1::AdjustmentPolicy& policy) {
  AdjustmentPolicy out;
  out.support = {Points(policy.support_points()), Points(policy.support_daily_points())};
  out.admin = {Points(policy.admin_points()), Points(policy.admin_daily_points())};
  out.approval_days = policy.approval_days();
  return out;
}

v1::AdjustmentPolicy ToProto(const AdjustmentPolicy& policy) {
  v1::AdjustmentPolicy out;
  out.set_support_points(policy.support.alone.value());
  out.set_support_daily_points(policy.support.daily.value());
  out.set_admin_points(policy.admin.alone.value());
  out.set_admin_daily_points(policy.admin.daily.value());
  out.set_approval_days(policy.approval_days);
  return out;
}

ledger::ExpiryPolicy FromProto(const v1::ExpiryPolicy& policy) {
  int activities = 0;
  for (const int activity : policy.activities()) {
    const bool known = v1::MemberActivity_IsValid(activity) && activity != 0;
    activities |= known ? 1 << (activity - 1) : ledger::kAllActivities + 1;
  }
  return {Timestamp(),
          static_cast<ledger::ExpiryKind>(policy.kind()),
          policy.months(),
          policy.month(),
          policy.day(),
          activities,
          policy.minimum_life_days()};
}

v1::PointsPolicy DefaultPolicy() {
  v1::PointsPolicy policy;
  *policy.mutable_transfer() = ToProto(TransferPolicy());
  *policy.mutable_adjustment() = ToProto(AdjustmentPolicy());
  policy.mutable_expiry()->set_month(12);
  policy.mutable_expiry()->set_day(31);
  policy.mutable_residence()->set_grace_days(ledger::kMovedLifeDays);
  return policy;
}

absl::StatusOr<v1::PointsPolicy> PointsHandlers::ReadPolicy(const rpc::Call& call) const {
  return pool_.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::PointsPolicy> {
        return Complete(member::ReadPolicy(tx, programme()));
      },
      call.deadline());
}

absl::StatusOr<v1::GetPointsPolicyResponse> PointsHandlers::GetPointsPolicy(
    const rpc::Call& call, const v1::GetPointsPolicyRequest&) {
  v1::GetPointsPolicyResponse response;
  GUILDER_ASSIGN_OR_RETURN(*response.mutable_policy(), ReadPolicy(call));
  return response;
}

absl::StatusOr<v1::UpdatePointsPolicyResponse> PointsHandlers::UpdatePointsPolicy(
    const rpc::Call& call, const v1::UpdatePointsPolicyRequest& request) {
  const v1::PointsPolicy& asked = request.policy();
  if (asked.has_transfer()) GUILDER_RETURN_IF_ERROR(CheckPolicy(FromProto(asked.transfer())));
  if (asked.has_adjustment()) GUILDER_RETURN_IF_ERROR(CheckPolicy(FromProto(asked.adjustment())));
  if (asked.has_expiry()) GUILDER_RETURN_IF_ERROR(CheckPolicy(FromProto(asked.expiry())));
  if (asked.has_residence()) GUILDER_RETURN_IF_ERROR(CheckResidencePolicy(asked.residence()));
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::UpdatePointsPolicyResponse> {
        const v1::PointsPolicy before = Complete(member::ReadPolicy(tx, programme()));
        if (asked.version() != before.version()) return Refuse(Reason::kEtagMismatch);
        v1::PointsPolicy after = before;
        if (asked.has_transfer()) *after.mutable_transfer() = asked.transfer();
        if (asked.has_adjustment()) *after.mutable_adjustment() = asked.adjustment();
        if (asked.has_expiry()) *after.mutable_expiry() = asked.expiry();
        if (asked.has_residence()) *after.mutable_residence() = asked.residence();
        after.set_version(before.version() + 1);
        const auto& places = after.residence().places();
        const StoredPolicy stored{after.version(),
                                  after.SerializeAsString(),
                                  FromProto(after.expiry()),
                                  {places.begin(), places.end()},
                                  after.residence().grace_days()};
        if (!InsertPolicy(tx, programme(), stored, ledger::ReadProgrammeClock(tx, programme()),
                          call.principal().id)) {
          return Refuse(Reason::kEtagMismatch);
        }
        rpc::Audit(tx, call, "PointsService/UpdatePointsPolicy", "pointsPolicy", &before, &after);
        ledger::IncrementConfigurationVersion(tx, programme());
        v1::UpdatePointsPolicyResponse response;
        *response.mutable_policy() = std::move(after);
        return response;
      },
      call.deadline());
}

}  // namespace guilder::member
