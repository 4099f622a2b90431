#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "guilder/member/v1/member_service.pb.h"

#include "libs/base/status_macros.h"
#include "libs/rpc/restriction_text.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/importing/member_command.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = member::v1;
using google::protobuf::Message;

constexpr char kMemberPrefix[] = "members/";

// "+5 ", "-3", or nothing for no change.
std::string Change(int64_t points) {
  if (points == 0) return "";
  return absl::StrCat(points > 0 ? "+" : "", WithThousands(points));
}

// Of the available points, those that may be spent only somewhere.
void ShowRestricted(Output& output, const v1::GetBalanceResponse& balance) {
  if (balance.restricted().empty()) return;
  Table restricted({{"OF THE AVAILABLE", Align::kRight}, {"SPENT"}});
  for (const v1::RestrictedPoints& part : balance.restricted()) {
    restricted.AddRow({WithThousands(part.points()), rpc::WhereSpent(part.spent_only())});
  }
  output.Print(restricted);
}

bool IsAhead(const v1::TimelineItem& item) {
  return item.kind() == v1::TIMELINE_KIND_PROMISE || item.kind() == v1::TIMELINE_KIND_EXPIRY;
}

void ShowStatement(Output& output, const v1::GetStatementResponse& response) {
  const nlohmann::ordered_json json = ToJson(response);
  if (output.json()) return output.Json(json);
  output.Record(json, {{"Member", "member.name"},
                       {"Given name", "member.given_name"},
                       {"Family name", "member.family_name"},
                       {"Phone", "member.phone"},
                       {"E-mail", "member.email"},
                       {"Enrolled", "member.enrol_time", Show::kTime},
                       {"Available", "balance.available_points", Show::kNumber},
                       {"Pending", "balance.pending_points", Show::kNumber},
                       {"Held", "balance.held_points", Show::kNumber},
                       {"Owed", "balance.debt_points", Show::kNumber}});
  ShowRestricted(output, response.balance());
  for (const v1::Card& card : response.member().cards()) {
    output.Text(absl::StrCat("Card ", card.number(),
                             card.state() == v1::CARD_STATE_ACTIVE ? "" : ", blocked"));
  }
  Table table({{"WHEN"}, {"WHAT"}, {"POINTS", Align::kRight}, {"PARTNER"}, {"ABOUT"}, {"TEXT"}});
  bool ahead = false;
  for (int i = 0; i < response.items_size(); ++i) {
    const v1::TimelineItem& item = response.items(i);
    const nlohmann::ordered_json& shown = json["items"][i];
    if (!ahead && i > 0 && IsAhead(item)) table.AddRule();
    ahead = ahead || IsAhead(item);
    table.AddRow({FieldText(shown, {"", "at", Show::kTime}), FieldText(shown, {"", "kind"}),
                  Change(item.points()), PartnerIn(item.partner()), item.subject(), item.text()});
  }
  if (!table.empty()) output.Print(table);
}

std::function<absl::Status()> ShowMember(Arguments& arguments, Context& context) {
  const std::string& who = arguments.Text("CARD", "A card number, or members/ID", true);
  const std::string& limit = arguments.Text("--limit", "How many of the latest items; 100 without");
  return [&]() -> absl::Status {
    v1::GetStatementRequest request;
    v1::GetStatementResponse response;
    GUILDER_RETURN_IF_ERROR(
        Assign(request, absl::StartsWith(who, kMemberPrefix) ? "member" : "card_number", who));
    if (!limit.empty()) GUILDER_RETURN_IF_ERROR(Assign(request, "page_size", limit));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
    ShowStatement(context.output(), response);
    return absl::OkStatus();
  };
}

std::function<absl::Status()> ShowBalance(Arguments& arguments, Context& context) {
  const std::string& who = arguments.Text("CARD", "A card number, or members/ID", true);
  return [&]() -> absl::Status {
    v1::GetBalanceRequest request;
    v1::GetBalanceResponse response;
    GUILDER_RETURN_IF_ERROR(
        Assign(request, absl::StartsWith(who, kMemberPrefix) ? "member" : "card_number", who));
    request.set_with_restricted(true);
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
    context.output().Record(ToJson(response), {{"Member", "member"},
                                               {"Available", "available_points", Show::kNumber},
                                               {"Pending", "pending_points", Show::kNumber},
                                               {"Held", "held_points", Show::kNumber},
                                               {"Owed", "debt_points", Show::kNumber}});
    ShowRestricted(context.output(), response);
    return absl::OkStatus();
  };
}

void AddReads(CLI::App& noun, Context& context) {
  AddVerb<v1::FindMemberRequest, v1::FindMemberResponse>(
      noun, context, "find", "Finds a member by card, phone number or e-mail address")
      .Option("--card", "card_number", "A card number")
      .Option("--phone", "phone", "As in +49301234567")
      .Option("--email", "email", "In any case")
      .As("support")
      .ShowRecord("member", {{"Name", "name"},
                             {"Given name", "given_name"},
                             {"Family name", "family_name"},
                             {"Phone", "phone"},
                             {"E-mail", "email"},
                             {"Enrolled", "enrol_time", Show::kTime}});
  AddVerb<v1::ListLotsRequest, v1::ListLotsResponse>(
      noun, context, "lots", "Lists lots with points left, in the order of spending")
      .Argument("MEMBER", "parent", "The member", kMemberPrefix)
      .As("support")
      .ShowList("lots",
                {{"NAME", "name"},
                 {"ISSUER", "issuer"},
                 {"ISSUED", "issued_points", Show::kNumber},
                 {"LEFT", "remaining_points", Show::kNumber},
                 {"HELD", "held_points", Show::kNumber},
                 {"PENDING", "pending"},
                 {"AVAILABLE", "activates_at", Show::kTime},
                 {"EXPIRE", "expires_at", Show::kTime},
                 {"ONLY AT", "spent_only.partners"},
                 {"GIFTS", "spent_only.gifts"},
                 {"CONTRACT", "contract"}},
                "no points");
  AddVerb<v1::ListEntriesRequest, v1::ListEntriesResponse>(
      noun, context, "entries", "Lists the movements of a member's points")
      .Argument("MEMBER", "parent", "The member", kMemberPrefix)
      .As("support")
      .ShowList("entries",
                {{"POSTED", "posted_at", Show::kTime},
                 {"KIND", "kind"},
                 {"RECORD", "record"},
                 {"FROM", "debit"},
                 {"TO", "credit"},
                 {"POINTS", "points", Show::kNumber},
                 {"LOT", "lot"}},
                "no entries");
}

}  // namespace

void AddMemberCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "member", "Members and what they own");
  AddSpendingCommands(noun, context);
  AddVerb<v1::EnrolMemberRequest, v1::EnrolMemberResponse>(
      noun, context, "enrol", "Enrols a member, issues a card and gives the welcome gift")
      .Option("--given-name", "member.given_name", "Given name")
      .Option("--family-name", "member.family_name", "Family name")
      .Option("--phone", "member.phone", "As in +49301234567")
      .Option("--email", "member.email", "E-mail address")
      .Option("--address", "member.address", "Postal address, in lines")
      .Option("--birth-date", "member.birth_date", "As in 1990-12-31")
      .Option("--card", "card_number", "A card that was handed out; a new one without")
      .As("support")
      .ShowRecord("", {{"Member", "member"},
                       {"Existed before", "existed"},
                       {"Card", "card_number"},
                       {"Welcome points", "welcome_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddAction(noun, context, "show",
            "Shows one timeline: postings, refusals, parked items and promises",
            [&context](Arguments& arguments) { return ShowMember(arguments, context); });
  AddAction(noun, context, "balance", "Shows what a member owns now",
            [&context](Arguments& arguments) { return ShowBalance(arguments, context); });
  AddReads(noun, context);
  AddMemberPointsCommands(noun, context);
  AddPersonVerbs(noun, context);
  AddMemberDocumentVerbs(noun, context);
  AddMemberImportVerb(noun, context);
}

}  // namespace guilder::cli
