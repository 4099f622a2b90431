#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/member/v1/bonus_service.pb.h"
#include "guilder/member/v1/notice_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = member::v1;

const std::vector<Field>& PolicyFields() {
  static const auto* const fields =
      new std::vector<Field>{{"Version", "version"},
                             {"Payer", "payer"},
                             {"Birthday", "birthday_points", Show::kNumber},
                             {"Referrer", "referrer_points", Show::kNumber},
                             {"Referred", "referred_points", Show::kNumber},
                             {"Days for a referral", "referral_days", Show::kNumber}};
  return *fields;
}

// All pages of birthdays.
std::function<absl::Status()> GrantBirthdays(Arguments&, Context& context) {
  return [&context]() -> absl::Status {
    int64_t looked_at = 0;
    int64_t members = 0;
    int64_t points = 0;
    v1::GrantBirthdayBonusesRequest request;
    do {
      v1::GrantBirthdayBonusesResponse response;
      GUILDER_RETURN_IF_ERROR(context.Call(request, response, "admin"));
      looked_at += response.looked_at();
      members += response.members();
      points += response.points();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    if (context.output().json()) {
      context.output().Json({{"looked_at", looked_at}, {"members", members}, {"points", points}});
    } else {
      context.output().Text(absl::StrCat(WithThousands(points), " points to ",
                                         WithThousands(members), " of ", WithThousands(looked_at),
                                         " members"));
    }
    return absl::OkStatus();
  };
}

// All pages of accounts.
std::function<absl::Status()> PrepareNotices(Arguments& arguments, Context& context) {
  const std::string& days =
      arguments.Text("--days", "For points that expire in so many; 14 without");
  return [&]() -> absl::Status {
    v1::PrepareNoticesRequest request;
    if (!days.empty()) GUILDER_RETURN_IF_ERROR(Assign(request, "days", days));
    int64_t notices = 0;
    do {
      v1::PrepareNoticesResponse response;
      GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
      notices += response.notices();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    if (context.output().json()) {
      context.output().Json({{"notices", notices}});
    } else {
      context.output().Text(absl::StrCat(WithThousands(notices), " notices are new"));
    }
    return absl::OkStatus();
  };
}

void AddNoticeCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "notice", "What members are told before points expire");
  AddAction(noun, context, "prepare", "Looks for points that expire soon",
            [&context](Arguments& arguments) { return PrepareNotices(arguments, context); });
  AddVerb<v1::ListNoticesRequest, v1::ListNoticesResponse>(
      noun, context, "list", "Lists notices to be sent, with figures of this moment")
      .As("support")
      .ShowList("notices",
                {{"NAME", "name"},
                 {"MEMBER", "member"},
                 {"EXPIRES", "expire_time", Show::kTime},
                 {"POINTS", "points", Show::kNumber}},
                "no notices");
  AddVerb<v1::AcknowledgeNoticesRequest, v1::AcknowledgeNoticesResponse>(
      noun, context, "acknowledge", "Takes a notice out of the outbox: the member was told")
      .Argument("NOTICE", "names", "The notice", "notices/")
      .As("support")
      .ShowRecord("", {});
}

}  // namespace

void AddBonusCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "bonus", "What a person gets once");
  AddVerb<v1::GetBonusPolicyRequest, v1::GetBonusPolicyResponse>(noun, context, "policy",
                                                                 "Shows the policy in force")
      .As("support")
      .ShowRecord("policy", PolicyFields());
  AddVerb<v1::UpdateBonusPolicyRequest, v1::UpdateBonusPolicyResponse>(noun, context, "set-policy",
                                                                       "Replaces the policy")
      .Option("--version", "policy.version", "Of the policy that was looked at")
      .NameOption("--payer", "policy.payer", "The partner that pays", "partners/")
      .Required()
      .Option("--birthday", "policy.birthday_points", "Points for a birthday")
      .Option("--referrer", "policy.referrer_points", "Points for who refers somebody")
      .Option("--referred", "policy.referred_points", "Points for who was referred")
      .Option("--referral-days", "policy.referral_days",
              "For how long after an enrolment a referral may be told; 30 without")
      .As("admin")
      .ShowRecord("policy", PolicyFields());
  AddVerb<v1::ReferMemberRequest, v1::ReferMemberResponse>(
      noun, context, "refer", "Says who referred a new member, and gives both their bonuses")
      .Argument("MEMBER", "member", "Who is new", "members/")
      .Option("--by", "referrer_card_number", "A card of who referred the member")
      .Required()
      .As("support")
      .ShowRecord("", {{"New member", "referred_points", Show::kNumber},
                       {"Referrer", "referrer_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddAction(noun, context, "birthdays", "Gives bonuses to whose birthday it is",
            [&context](Arguments& arguments) { return GrantBirthdays(arguments, context); });
  AddNoticeCommands(app, context);
}

}  // namespace guilder::cli
