#include <nlohmann/json.hpp>

#include "guilder/redemption/v1/spending_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/commands/files.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = redemption::v1;

template <typename Request, typename Response>
Verb& AddDecision(CLI::App& noun, Context& context, const char* name, const char* help) {
  return AddVerb<Request, Response>(noun, context, name, help)
      .Argument("REDEMPTION", "redemption", "The redemption", "redemptions/")
      .Option("--note", "note", "Why")
      .As("support");
}

std::vector<Field> PolicyFields() {
  return {{"Version", "version", Show::kNumber},
          {"Spent first", "consumption_order"},
          {"Days of grace", "grace_days", Show::kNumber},
          {"Late payments, seconds", "late_spend_seconds", Show::kNumber},
          {"PIN from points", "pin_from_points", Show::kNumber},
          {"Wrong PINs that lock", "maximum_failed_attempts", Show::kNumber},
          {"Reviewed from redemption", "review_from_redemption", Show::kNumber},
          {"Within seconds", "review_period_seconds", Show::kNumber},
          {"New device, per mille", "review_new_device_per_mille", Show::kNumber},
          {"Held for review, seconds", "review_seconds", Show::kNumber},
          {"Set by", "set_by"},
          {"Set", "set_time", Show::kTime}};
}

std::function<absl::Status()> SetPin(Arguments& arguments, Context& context) {
  const std::string& member = arguments.Text("MEMBER", "The member", true);
  const std::string& file = arguments.Text(
      "--pin-file", "A file that holds the PIN; without, the member has none any more");
  return [&]() -> absl::Status {
    v1::SetPinRequest request;
    v1::SetPinResponse response;
    request.set_member(WithPrefix("members/", member));
    GUILDER_ASSIGN_OR_RETURN(*request.mutable_pin(), SecretIn(file));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
    context.output().Record(ToJson(response), {});
    return absl::OkStatus();
  };
}

}  // namespace

void AddReviewCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "review", "Redemptions that somebody looks at");
  AddVerb<v1::ListReviewsRequest, v1::ListReviewsResponse>(
      noun, context, "list", "Lists redemptions that are held to be looked at, oldest first")
      .As("support")
      .ShowList("reviews",
                {{"REDEMPTION", "redemption"},
                 {"MEMBER", "member"},
                 {"STORE", "store"},
                 {"POINTS", "points", Show::kNumber},
                 {"REASON", "reason"},
                 {"SINCE", "create_time", Show::kTime},
                 {"UNTIL", "expire_time", Show::kTime},
                 {"CAPTURES", "captures"}},
                "nothing is to be reviewed");
  AddDecision<v1::ReleaseReviewRequest, v1::ReleaseReviewResponse>(
      noun, context, "release", "Lets a redemption be captured, or captures it")
      .ShowRecord("", {{"State", "state"},
                       {"Captured points", "captured_points", Show::kNumber},
                       {"Worth", "value", Show::kMoney},
                       {"Occurred", "occurred_at", Show::kTime},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddDecision<v1::RejectReviewRequest, v1::RejectReviewResponse>(
      noun, context, "reject", "Gives the points of a redemption back")
      .ShowRecord("", {{"Released points", "released_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
}

void AddRedemptionPolicyCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "redemption-policy", "What the programme says of redemptions");
  AddVerb<v1::GetRedemptionPolicyRequest, v1::GetRedemptionPolicyResponse>(
      noun, context, "show", "Shows the policy in force")
      .As("auditor")
      .ShowRecord("policy", PolicyFields());
  AddVerb<v1::UpdateRedemptionPolicyRequest, v1::UpdateRedemptionPolicyResponse>(
      noun, context, "set", "Sets a new version, whole: what is left out is off")
      .Option("--replaces", "policy.version", "The version that it takes the place of")
      .Required()
      .Option("--spent-first", "policy.consumption_order", "FIRST_EXPIRING without, or FIRST_IN")
      .Option("--grace-days", "policy.grace_days",
              "How long points live that come back after their lot has expired")
      .Option("--late-spend-seconds", "policy.late_spend_seconds",
              "How late tills may tell of payments with points that have expired since")
      .Option("--pin-from-points", "policy.pin_from_points",
              "From so many points on a PIN is asked for")
      .Option("--wrong-pins", "policy.maximum_failed_attempts", "So many lock spending; 5 without")
      .Option("--review-from", "policy.review_from_redemption",
              "The n-th redemption in the period is reviewed")
      .Option("--review-period-seconds", "policy.review_period_seconds", "That period")
      .Option("--review-new-device-per-mille", "policy.review_new_device_per_mille",
              "So large a share from a new device is reviewed")
      .Option("--review-seconds", "policy.review_seconds",
              "How long points are held for a review; 7 days without")
      .As("admin")
      .ShowRecord("policy", PolicyFields());
}

void AddSpendingCommands(CLI::App& member, Context& context) {
  AddAction(member, context, "set-pin", "Sets a member's PIN, or takes it away",
            [&context](Arguments& arguments) { return SetPin(arguments, context); });
  AddVerb<v1::CreateOneTimeCodeRequest, v1::CreateOneTimeCodeResponse>(
      member, context, "one-time-code", "Makes a code that a till takes instead of the PIN, once")
      .Argument("MEMBER", "member", "The member", "members/")
      .As("support")
      .ShowRecord("", {{"Code", "one_time_code"}, {"Until", "expire_time", Show::kTime}});
  AddVerb<v1::GetSpendingStateRequest, v1::GetSpendingStateResponse>(
      member, context, "spending", "Says whether a member may spend")
      .Argument("MEMBER", "member", "The member", "members/")
      .As("support")
      .ShowRecord("", {{"Has a PIN", "has_pin"},
                       {"Wrong PINs", "failed_attempts", Show::kNumber},
                       {"Locked", "locked"},
                       {"Since", "lock_time", Show::kTime}});
  AddVerb<v1::UnlockSpendingRequest, v1::UnlockSpendingResponse>(member, context, "unlock",
                                                                 "Lets a member spend again")
      .Argument("MEMBER", "member", "The member", "members/")
      .As("support")
      .ShowRecord("", {});
}

}  // namespace guilder::cli
