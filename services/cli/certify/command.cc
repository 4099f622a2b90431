#include "services/cli/certify/command.h"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/member/v1/member_service.pb.h"
#include "guilder/operator/v1/operator_service.pb.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "libs/base/status_macros.h"
#include "libs/clients/channel.h"
#include "services/cli/certify/duties.h"
#include "services/cli/context.h"
#include "services/cli/output/table.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

using certify::Duty;
using nlohmann::ordered_json;

struct CertifyFlags {
  const std::string& partner;
  const std::string& store;
  const std::string& card;
};

// Certifying posts sales: never where points are worth money.
absl::StatusOr<operator_::v1::Programme> SandboxOf(Context& context) {
  operator_::v1::GetProgrammeRequest request;
  operator_::v1::GetProgrammeResponse response;
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
  if (response.programme().mode() == "LIVE") {
    return absl::FailedPreconditionError(
        "this programme is live; certify against a sandbox: guilder setup --mode SANDBOX");
  }
  return response.programme();
}

absl::StatusOr<std::string> OpenStoreOf(Context& context, const std::string& partner) {
  partner::v1::ListStoresRequest request;
  partner::v1::ListStoresResponse response;
  request.set_parent(partner);
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
  for (const partner::v1::Store& store : response.stores()) {
    if (store.open()) return store.name();
  }
  return absl::FailedPreconditionError(absl::StrCat(partner, " has no open store"));
}

absl::StatusOr<std::string> TestCard(Context& context) {
  member::v1::EnrolMemberRequest request;
  member::v1::EnrolMemberResponse response;
  request.set_request_id(clients::NewRequestId());
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "support"));
  return response.card_number();
}

struct Outcome {
  const Duty* duty;
  const char* verdict;
  std::string detail;
};

Outcome Try(const Duty& duty, certify::Till& till) {
  const absl::Status done = duty.run(till);
  if (done.ok()) return {&duty, "PASS", ""};
  const bool concerns = !absl::IsUnimplemented(done);
  return {&duty, concerns ? "FAIL" : "NOT_APPLICABLE", std::string(done.message())};
}

absl::Status Show(Output& output, const std::string& partner, const certify::Place& place,
                  const std::vector<Outcome>& outcomes) {
  bool passed = true;
  ordered_json duties = ordered_json::array();
  Table table({{"DUTY"}, {"A TILL"}, {"VERDICT"}, {"WHAT CAME INSTEAD"}});
  for (const Outcome& outcome : outcomes) {
    passed = passed && outcome.verdict != std::string_view("FAIL");
    duties.push_back({{"duty", outcome.duty->name},
                      {"text", outcome.duty->text},
                      {"verdict", outcome.verdict},
                      {"detail", outcome.detail}});
    table.AddRow({outcome.duty->name, outcome.duty->text, outcome.verdict, outcome.detail});
  }
  output.Json({{"partner", partner},
               {"store", place.store},
               {"verdict", passed ? "PASS" : "FAIL"},
               {"duties", std::move(duties)}});
  output.Print(table);
  return passed ? absl::OkStatus() : absl::AbortedError(absl::StrCat(partner, " is not certified"));
}

absl::Status Certify(Context& context, const CertifyFlags& flags) {
  const std::string partner = absl::StartsWith(flags.partner, "partners/")
                                  ? flags.partner
                                  : absl::StrCat("partners/", flags.partner);
  GUILDER_ASSIGN_OR_RETURN(const operator_::v1::Programme programme, SandboxOf(context));
  certify::Place place;
  place.currency = programme.currency_code();
  place.now = absl::FromUnixSeconds(programme.clock().seconds());
  if (flags.store.empty()) {
    GUILDER_ASSIGN_OR_RETURN(place.store, OpenStoreOf(context, partner));
  } else {
    place.store = absl::StrCat(partner, "/stores/", flags.store);
  }
  if (flags.card.empty()) {
    GUILDER_ASSIGN_OR_RETURN(place.card, TestCard(context));
  } else {
    place.card = flags.card;
  }
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel accrual, context.ChannelTo("accrual", partner));
  GUILDER_ASSIGN_OR_RETURN(const clients::Channel redemption,
                           context.ChannelTo("redemption", partner));
  certify::Till till(accrual, redemption, place);
  std::vector<Outcome> outcomes;
  for (const Duty& duty : certify::Duties()) outcomes.push_back(Try(duty, till));
  return Show(context.output(), partner, place, outcomes);
}

}  // namespace

void AddCertifyCommand(CLI::App& noun, Context& context) {
  AddAction(noun, context, "certify",
            "Plays the duties of a partner's tills against a sandbox, and says which it passes",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const CertifyFlags flags{
                  arguments.Text("PARTNER", "The partner, whose key is used", true),
                  arguments.Text("--store", "The id of a store; the first open one if absent"),
                  arguments.Text("--card", "A member's card; a new member's if absent")};
              return [&context, flags] { return Certify(context, flags); };
            });
}

}  // namespace guilder::cli
