#include "guilder/operator/v1/operator_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = operator_::v1;

std::vector<Field> ProgrammeFields() {
  return {{"Name", "name"},
          {"Display name", "display_name"},
          {"Currency", "currency_code"},
          {"Time zone", "time_zone"},
          {"Mode", "mode"},
          {"Windows", "cycle"},
          {"Clock", "clock", Show::kTime}};
}

}  // namespace

void AddOperatorCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "operator", "People who work for the programme");
  AddVerb<v1::CreateOperatorRequest, v1::CreateOperatorResponse>(
      noun, context, "create", "Creates an operator; the token is shown once and stored nowhere")
      .Argument("OPERATOR_ID", "operator_id", "2 to 40 of a-z, 0-9 and '-'")
      .Option("--display-name", "display_name", "For audits")
      .Option("--role", "roles", "What the person may do; may be repeated")
      .Required()
      .As("admin")
      .ShowRecord("", {{"Name", "operator.name"},
                       {"Display name", "operator.display_name"},
                       {"Roles", "operator.roles"},
                       {"Token", "token"}});
  AddVerb<v1::ListOperatorsRequest, v1::ListOperatorsResponse>(noun, context, "list",
                                                               "Lists the operators")
      .As("admin")
      .ShowList("operators",
                {{"NAME", "name"}, {"DISPLAY NAME", "display_name"}, {"ROLES", "roles"}},
                "no operators");
  AddVerb<v1::DisableOperatorRequest, v1::DisableOperatorResponse>(
      noun, context, "disable", "Takes an operator's access away, within a second and for good")
      .Argument("OPERATOR", "name", "The operator", "operators/")
      .As("admin")
      .ShowRecord("operator", {{"Name", "name"}, {"Disabled", "disable_time", Show::kTime}});
}

void AddProgrammeCommands(CLI::App& app, Context& context) {
  CLI::App& programme = AddNoun(app, "programme", "The loyalty programme");
  AddVerb<v1::GetProgrammeRequest, v1::GetProgrammeResponse>(programme, context, "show",
                                                             "Shows the programme and its clock")
      .As("auditor")
      .ShowRecord("programme", ProgrammeFields());
  CLI::App& clock = AddNoun(app, "clock", "The clock of a sandbox or development programme");
  AddVerb<v1::GetProgrammeRequest, v1::GetProgrammeResponse>(clock, context, "show",
                                                             "Shows what the clock shows")
      .As("auditor")
      .ShowRecord("programme", {{"Clock", "clock", Show::kTime}, {"Mode", "mode"}});
  AddVerb<v1::AdvanceClockRequest, v1::AdvanceClockResponse>(
      clock, context, "advance", "Moves the clock forward, as if the time had passed")
      .Argument("DURATION", "duration", "As in 14d, 36h or 90s")
      .Required(false)
      .Option("--until", "until", "Or to when, as in 2027-01-31")
      .As("admin")
      .ShowRecord("programme", ProgrammeFields());
}

}  // namespace guilder::cli
