#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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
      {"Reversible, minutes", "transfer.reversal_minutes", Show::kNumber},
      {"Support adjusts", "adjustment.support_points", Show::kNumber},
      {"Support, a day", "adjustment.support_daily_points", Show::kNumber},
      {"Administrators adjust", "adjustment.admin_points", Show::kNumber},
      {"Administrators, a day", "adjustment.admin_daily_points", Show::kNumber},
      {"Approval, days", "adjustment.approval_days", Show::kNumber},
      {"Expiry", "expiry.kind"},
      {"Expiry, months", "expiry.months", Show::kNumber},
      {"Expiry, month", "expiry.month", Show::kNumber},
      {"Expiry, day", "expiry.day", Show::kNumber},
      {"Activities", "expiry.activities"},
      {"Life at least, days", "expiry.minimum_life_days", Show::kNumber},
      {"No expiry in", "residence.places"},
      {"After a move, days", "residence.grace_days", Show::kNumber}};
  return fields;
}

// The list replaces the one that was in force; another rule than inactivity has none.
absl::Status SetActivities(const std::string& list, v1::UpdatePointsPolicyRequest& request) {
  v1::ExpiryPolicy& expiry = *request.mutable_policy()->mutable_expiry();
  if (!list.empty() || expiry.kind() != v1::EXPIRY_KIND_INACTIVITY) expiry.clear_activities();
  if (list.empty()) return absl::OkStatus();
  for (const absl::string_view activity : absl::StrSplit(list, ',')) {
    GUILDER_RETURN_IF_ERROR(Assign(request, "policy.expiry.activities", std::string(activity)));
  }
  return absl::OkStatus();
}

// The list replaces the one that was in force; "none" ends it.
void SetPlaces(const std::string& list, v1::UpdatePointsPolicyRequest& request) {
  if (list.empty()) return;
  v1::ResidencePolicy& residence = *request.mutable_policy()->mutable_residence();
  residence.clear_places();
  if (list == "none") return;
  for (const absl::string_view place : absl::StrSplit(list, ',')) {
    residence.add_places(std::string(place));
  }
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
  option("--support-points", "policy.adjustment.support_points", "What support adjusts alone");
  option("--support-daily", "policy.adjustment.support_daily_points", "And in a day");
  option("--admin-points", "policy.adjustment.admin_points", "What administrators adjust alone");
  option("--admin-daily", "policy.adjustment.admin_daily_points", "And in a day");
  option("--approval-days", "policy.adjustment.approval_days",
         "For how long an adjustment waits for a second person");
  option("--expiry", "policy.expiry.kind",
         "MONTHS, END_OF_MONTH, END_OF_YEAR, FIXED_DATE, INACTIVITY or NEVER");
  option("--expiry-months", "policy.expiry.months", "How old points get");
  option("--expiry-month", "policy.expiry.month", "Of a fixed date: the month");
  option("--expiry-day", "policy.expiry.day", "Of a fixed date: the day");
  option("--minimum-life-days", "policy.expiry.minimum_life_days",
         "How long points live by any rule, from the day of their posting");
  option("--residence-grace-days", "policy.residence.grace_days",
         "How long points live on that are over when their member moves away");
  const std::string& places = arguments.Text(
      "--no-expiry-in", "Where members lose no points by time, as in DE,US-CA; none for nowhere");
  const std::string& activities =
      arguments.Text("--activities", "Of INACTIVITY: what counts, as in PURCHASE,PAYMENT,GIFT");
  return [&context, changes, &activities, &places]() -> absl::Status {
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
    GUILDER_RETURN_IF_ERROR(SetActivities(activities, request));
    SetPlaces(places, request);
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "admin"));
    context.output().Record(ToJson(response)["policy"], PolicyFields());
    return absl::OkStatus();
  };
}

const std::vector<Field>& AdjustmentFields() {
  static const std::vector<Field> fields = {{"Adjustment", "name"},
                                            {"Member", "member"},
                                            {"Points", "points", Show::kNumber},
                                            {"Reason", "reason"},
                                            {"Payer", "payer"},
                                            {"Note", "note"},
                                            {"State", "state"},
                                            {"Asked for by", "proposed_by"},
                                            {"Decided by", "decided_by"},
                                            {"Etag", "etag"}};
  return fields;
}

void AddAdjustmentCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "adjustment", "Points that staff gave or took");
  AddVerb<v1::ApproveAdjustmentRequest, v1::ApproveAdjustmentResponse>(
      noun, context, "approve", "Approves an adjustment that waits, and posts it")
      .Argument("ADJUSTMENT", "name", "The adjustment", "adjustments/")
      .Option("--etag", "etag", "Of what was looked at")
      .Required()
      .As("approver")
      .ShowRecord("adjustment", AdjustmentFields());
  AddVerb<v1::RejectAdjustmentRequest, v1::RejectAdjustmentResponse>(noun, context, "reject",
                                                                     "Rejects one that waits")
      .Argument("ADJUSTMENT", "name", "The adjustment", "adjustments/")
      .As("approver")
      .ShowRecord("adjustment", AdjustmentFields());
  AddVerb<v1::ListAdjustmentsRequest, v1::ListAdjustmentsResponse>(noun, context, "list",
                                                                   "Lists them, latest first")
      .As("support")
      .ShowList("adjustments",
                {{"NAME", "name"},
                 {"MEMBER", "member"},
                 {"POINTS", "points", Show::kNumber},
                 {"REASON", "reason"},
                 {"PAYER", "payer"},
                 {"STATE", "state"},
                 {"ASKED BY", "proposed_by"},
                 {"DECIDED BY", "decided_by"},
                 {"WHEN", "propose_time", Show::kTime},
                 {"ETAG", "etag"}},
                "no adjustments");
  AddVerb<v1::ReportAdjustmentsRequest, v1::ReportAdjustmentsResponse>(
      noun, context, "report", "Sums what was posted, by reason and payer")
      .Option("--from", "start_time", "Posted at or after this instant")
      .Option("--until", "end_time", "And before this one")
      .As("auditor")
      .Show([&context](const google::protobuf::Message& message) {
        const auto json = ToJson(message);
        if (context.output().json()) {
          context.output().Json(json);
          return absl::OkStatus();
        }
        Table table({{"REASON"},
                     {"PAYER"},
                     {"COUNT", Align::kRight},
                     {"GIVEN", Align::kRight},
                     {"TAKEN", Align::kRight}});
        const auto& response = static_cast<const v1::ReportAdjustmentsResponse&>(message);
        for (const v1::AdjustmentSum& sum : response.sums()) {
          table.AddRow({v1::AdjustmentReason_Name(sum.reason()), PartnerIn(sum.payer()),
                        std::to_string(sum.count()), WithThousands(sum.given_points()),
                        WithThousands(sum.taken_points())});
        }
        context.output().Print(table);
        return absl::OkStatus();
      });
}

// All pages of a sweep.
std::function<absl::Status()> RunExpiry(Arguments&, Context& context) {
  return [&context]() -> absl::Status {
    int64_t accounts = 0;
    int64_t brought_up = 0;
    v1::SweepExpiryRequest request;
    do {
      v1::SweepExpiryResponse response;
      GUILDER_RETURN_IF_ERROR(context.Call(request, response, "admin"));
      accounts += response.accounts();
      brought_up += response.accounts_brought_up();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    if (context.output().json()) {
      context.output().Json({{"accounts", accounts}, {"accounts_brought_up", brought_up}});
    } else {
      context.output().Text(absl::StrCat(WithThousands(accounts), " accounts looked at, ",
                                         WithThousands(brought_up), " brought up to date"));
    }
    return absl::OkStatus();
  };
}

// All pages of a reinstatement, under one request id.
std::function<absl::Status()> Reinstate(Arguments& arguments, Context& context) {
  const std::string& from = arguments.Text("--from", "Lots that ended at or after this", true);
  const std::string& until = arguments.Text("--until", "And before this", true);
  const std::string& days = arguments.Text("--life-days", "For how long they live", true);
  const std::string& reason = arguments.Text("--reason", "As in GOODWILL", true);
  const std::string& payer = arguments.Text("--payer", "The partner that bears it", true);
  const std::string& issuer = arguments.Text("--issuer", "Only points of this partner");
  const std::string& note = arguments.Text("--note", "More of it, without personal data");
  return [&]() -> absl::Status {
    v1::ReinstatePointsRequest request;
    GUILDER_RETURN_IF_ERROR(Assign(request, "start_time", from));
    GUILDER_RETURN_IF_ERROR(Assign(request, "end_time", until));
    GUILDER_RETURN_IF_ERROR(Assign(request, "life_days", days));
    GUILDER_RETURN_IF_ERROR(Assign(request, "reason", reason));
    request.set_payer(WithPrefix("partners/", payer));
    if (!issuer.empty()) request.set_issuer(WithPrefix("partners/", issuer));
    request.set_note(note);
    int64_t members = 0;
    int64_t points = 0;
    do {
      v1::ReinstatePointsResponse response;
      GUILDER_RETURN_IF_ERROR(context.Call(request, response, "admin"));
      members += response.members();
      points += response.points();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    if (context.output().json()) {
      context.output().Json({{"members", members}, {"points", points}});
    } else {
      context.output().Text(absl::StrCat(WithThousands(points), " points given back to ",
                                         WithThousands(members), " members"));
    }
    return absl::OkStatus();
  };
}

// All pages of a preview: a line for each member and date, and the sum.
std::function<absl::Status()> PreviewExpiry(Arguments& arguments, Context& context) {
  const std::string& until =
      arguments.Text("--until", "Expiries before this instant; in 30 days without");
  return [&]() -> absl::Status {
    v1::PreviewExpiryRequest request;
    if (!until.empty()) GUILDER_RETURN_IF_ERROR(Assign(request, "until", until));
    Table table({{"MEMBER"}, {"ISSUER"}, {"EXPIRE"}, {"POINTS", Align::kRight}});
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    int64_t points = 0;
    do {
      v1::PreviewExpiryResponse response;
      GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
      for (const v1::ExpectedExpiry& expiry : response.expiries()) {
        const auto json = ToJson(expiry);
        table.AddRow({expiry.member(), PartnerIn(expiry.issuer()),
                      FieldText(json, {"", "expire_time", Show::kTime}),
                      WithThousands(expiry.points())});
        all.push_back(json);
        points += expiry.points();
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    if (context.output().json()) {
      context.output().Json({{"expiries", all}, {"points", points}});
      return absl::OkStatus();
    }
    if (!table.empty()) context.output().Print(table);
    context.output().Text(absl::StrCat(WithThousands(points), " points expire"));
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
  AddVerb<v1::AdjustPointsRequest, v1::AdjustPointsResponse>(
      member, context, "adjust", "Gives points at a partner's expense, or takes some away")
      .Argument("MEMBER", "member", "The member", kMemberPrefix)
      .Option("--points", "points", "How many; below zero to take")
      .Required()
      .Option("--reason", "reason", "As in ADJUSTMENT_REASON_GOODWILL")
      .Required()
      .NameOption("--payer", "payer", "The partner that pays", "partners/")
      .Required()
      .Option("--note", "note", "More of it, without personal data")
      .As("support")
      .ShowRecord("", {{"Adjustment", "name"},
                       {"State", "state"},
                       {"Available", "available_points", Show::kNumber},
                       {"Etag", "etag"},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
}

void AddPointsCommands(CLI::App& app, Context& context) {
  AddAdjustmentCommands(app, context);
  CLI::App& expiry = AddNoun(app, "expiry", "What falls due by time alone");
  AddAction(expiry, context, "preview", "Says what expires until a date if nothing happens",
            [&context](Arguments& arguments) { return PreviewExpiry(arguments, context); });
  AddAction(expiry, context, "reinstate", "Gives expired points back to all who lost them",
            [&context](Arguments& arguments) { return Reinstate(arguments, context); });
  AddAction(expiry, context, "run",
            "Posts what has fallen due on accounts that nobody's command has touched",
            [&context](Arguments& arguments) { return RunExpiry(arguments, context); });
  CLI::App& policy = AddNoun(app, "points-policy", "What members and staff may do with points");
  AddVerb<v1::GetPointsPolicyRequest, v1::GetPointsPolicyResponse>(policy, context, "show",
                                                                   "Shows the policy in force")
      .As("auditor")
      .ShowRecord("policy", PolicyFields());
  AddAction(policy, context, "set", "Changes what the options name, from now on",
            [&context](Arguments& arguments) { return SetPolicy(arguments, context); });
}

}  // namespace guilder::cli
