#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = partner::v1;

std::string Money(const type::v1::Money& money) {
  return MoneyText(money.minor_units(), money.currency_code());
}

const char* Said(v1::ExitStepKind kind) {
  switch (kind) {
    case v1::EXIT_STEP_KIND_GIVE_NOTICE:
      return "notice is given at the latest";
    case v1::EXIT_STEP_KIND_TELL_MEMBERS:
      return "members with its points are told";
    case v1::EXIT_STEP_KIND_LAST_ISSUE:
      return "sales earn no more points";
    case v1::EXIT_STEP_KIND_LAST_REDEMPTION:
      return "it takes no more points";
    case v1::EXIT_STEP_KIND_LAST_RETURN:
      return "goods come back no more";
    case v1::EXIT_STEP_KIND_FINAL_SETTLEMENT:
      return "final settlement: it can be closed once all is paid";
    case v1::EXIT_STEP_KIND_LAST_EXPIRY:
      return "the last of its points have expired";
    default:
      return "";
  }
}

absl::Status ShowPlan(Output& output, const v1::ExitPlan& plan) {
  const nlohmann::ordered_json json = ToJson(plan);
  output.Json(json);
  if (output.json()) return absl::OkStatus();
  output.Heading(absl::StrCat("If ", plan.partner(), " left"));
  Table points({{"ISSUED, DAYS AGO"}, {"STILL OUT", Align::kRight}});
  for (const v1::OutstandingPoints& age : plan.outstanding()) {
    const std::string most =
        age.most_days() == 0 ? " or more" : absl::StrCat(" to ", age.most_days());
    points.AddRow({absl::StrCat(age.least_days(), most), WithThousands(age.points())});
  }
  points.AddRule();
  points.AddRow({"all", WithThousands(plan.outstanding_points())});
  points.AddRow({absl::StrCat("expected to be spent, ", plan.redeemed_share_ppm() / 10'000, " %"),
                 WithThousands(plan.expected_redeemed_points())});
  points.AddRow({"not given, of its blocks", WithThousands(plan.unused_block_points())});
  output.Print(points);
  Table money({{"MONEY"}, {"AMOUNT", Align::kRight}});
  money.AddRow({"not billed yet", Money(plan.unbilled_issuance())});
  money.AddRow({"billed, and not paid", Money(plan.unpaid_invoices())});
  money.AddRow({"payable when the run-off begins", Money(plan.payable_at_termination())});
  money.AddRow({"owed to it", Money(plan.owed_to_partner())});
  money.AddRow({"held of it", Money(plan.held())});
  money.AddRule();
  money.AddRow({"to be put up", Money(plan.escrow())});
  output.Print(money);
  Table steps({{"WHEN"}, {"WHAT"}});
  for (int i = 0; i < plan.steps_size(); ++i) {
    const std::string time = json["steps"][static_cast<size_t>(i)].value("time", "");
    steps.AddRow({time.substr(0, 10), Said(plan.steps(i).kind())});
  }
  output.Print(steps);
  return absl::OkStatus();
}

}  // namespace

void AddExitPlanCommand(CLI::App& noun, Context& context) {
  AddVerb<v1::PlanExitRequest, v1::PlanExitResponse>(
      noun, context, "exit-plan", "Shows what it would take if a partner left; changes nothing")
      .Argument("PARTNER", "name", "The partner", "partners/")
      .Option("--date", "date",
              "When issuing and redeeming are to end; the end of the notice if absent")
      .As("auditor")
      .Show([&context](const google::protobuf::Message& response) {
        return ShowPlan(context.output(),
                        static_cast<const v1::PlanExitResponse&>(response).exit_plan());
      });
}

}  // namespace guilder::cli
