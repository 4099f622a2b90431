#include <nlohmann/json.hpp>

#include "guilder/member/v1/member_service.pb.h"
#include "guilder/member/v1/points_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = member::v1;

constexpr char kMemberPrefix[] = "members/";

const std::vector<Field>& PolicyFields() {
  static const std::vector<Field> fields = {
      {"Version", "version", Show::kNumber},
      {"Transfers", "transfer.allowed"},
      {"Fewest points", "transfer.minimum_points", Show::kNumber},
      {"In multiples of", "transfer.step_points", Show::kNumber},
      {"Fee, points", "transfer.fee_points", Show::kNumber},
      {"Fee, millionths", "transfer.fee_ppm", Show::kNumber},
      {"Given a year", "transfer.yearly_out_points", Show::kNumber},
      {"Got a year", "transfer.yearly_in_points", Show::kNumber},
      {"Age of account, days", "transfer.account_age_days", Show::kNumber},
      {"Reversible, minutes", "transfer.reversal_minutes", Show::kNumber}};
  return fields;
}

// Reads the policy, changes what options name, and puts it in force.
std::function<absl::Status()> SetPolicy(Arguments& arguments, Context& context) {
  struct Change {
    const char* path;
    const std::string& value;
  };
  auto changes = std::make_shared<std::vector<Change>>();
  const auto option = [&](const char* flag, const char* path, const char* help) {
    changes->push_back({path, arguments.Text(flag, help)});
  };
  option("--transfers", "policy.transfer.allowed",
         "Whether members may give points: true or false");
  option("--minimum", "policy.transfer.minimum_points", "The fewest points of a transfer");
  option("--step", "policy.transfer.step_points", "Points go in multiples of this");
  option("--fee", "policy.transfer.fee_points", "What each transfer costs its giver, in points");
  option("--fee-ppm", "policy.transfer.fee_ppm", "And in millionths of its points");
  option("--yearly-out", "policy.transfer.yearly_out_points",
         "The most given in a year; 0 for any");
  option("--yearly-in", "policy.transfer.yearly_in_points", "The most got in a year; 0 for any");
  option("--age-days", "policy.transfer.account_age_days", "How old a giver's account must be");
  option("--reversal-minutes", "policy.transfer.reversal_minutes",
         "For how long a transfer may be reversed");
  return [&context, changes]() -> absl::Status {
    v1::GetPointsPolicyRequest get;
    v1::GetPointsPolicyResponse got;
    GUILDER_RETURN_IF_ERROR(context.Call(get, got, "admin"));
    v1::UpdatePointsPolicyRequest request;
    v1::UpdatePointsPolicyResponse response;
    *request.mutable_policy() = got.policy();
    for (const Change& change : *changes) {
      if (!change.value.empty()) {
        GUILDER_RETURN_IF_ERROR(Assign(request, change.path, change.value));
      }
    }
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "admin"));
    context.output().Record(ToJson(response)["policy"], PolicyFields());
    return absl::OkStatus();
  };
}

}  // namespace

void AddMemberPointsCommands(CLI::App& member, Context& context) {
  AddVerb<v1::TransferPointsRequest, v1::TransferPointsResponse>(
      member, context, "transfer", "Moves points from one member to another")
      .Argument("FROM", "source", "Who gives", kMemberPrefix)
      .Argument("TO", "target", "Who gets them", kMemberPrefix)
      .Option("--points", "points", "How many")
      .Required()
      .As("support")
      .ShowRecord("", {{"Transfer", "name"},
                       {"To", "target"},
                       {"Points", "points", Show::kNumber},
                       {"Fee", "fee_points", Show::kNumber},
                       {"Left", "available_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddVerb<v1::ReverseTransferRequest, v1::ReverseTransferResponse>(
      member, context, "reverse-transfer", "Gives the points of a transfer back, if none was used")
      .Argument("TRANSFER", "name", "The transfer", "transfers/")
      .As("support")
      .ShowRecord("", {{"Transfer", "name"},
                       {"Points", "points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddVerb<v1::MergeMembersRequest, v1::MergeMembersResponse>(
      member, context, "merge", "Merges one member's account into another's, for good")
      .Argument("SOURCE", "source", "The account that ends", kMemberPrefix)
      .Argument("TARGET", "target", "The account that goes on", kMemberPrefix)
      .Option("--note", "note", "Why, without personal data")
      .As("support")
      .ShowRecord("", {{"Merge", "name"},
                       {"Goes on", "member"},
                       {"Available", "available_points", Show::kNumber},
                       {"Pending", "pending_points", Show::kNumber},
                       {"Owed", "debt_points", Show::kNumber},
                       {"Held", "held_points", Show::kNumber},
                       {"Welcomed twice", "both_were_welcomed"},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
}

void AddPointsCommands(CLI::App& app, Context& context) {
  CLI::App& policy = AddNoun(app, "points-policy", "What members and staff may do with points");
  AddVerb<v1::GetPointsPolicyRequest, v1::GetPointsPolicyResponse>(policy, context, "show",
                                                                   "Shows the policy in force")
      .As("auditor")
      .ShowRecord("policy", PolicyFields());
  AddAction(policy, context, "set", "Changes what the options name, from now on",
            [&context](Arguments& arguments) { return SetPolicy(arguments, context); });
}

}  // namespace guilder::cli
