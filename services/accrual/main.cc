// guilder-accrual: turns purchases and returns into points.

#include "libs/ledger/store/card_directory.h"
#include "libs/ledger/store/lanes.h"
#include "services/accrual/rpc/accrual_service.h"
#include "services/accrual/rpc/rule_service.h"
#include "services/host/program.h"

int main(int argc, char** argv) {
  using guilder::host::Environment;
  using guilder::host::HostedService;
  // Outlive the services, which the program stops before it returns.
  std::unique_ptr<guilder::ledger::Lanes> lanes;
  std::unique_ptr<guilder::ledger::CardDirectory> cards;
  return guilder::host::RunProgram(
      {.name = "guilder-accrual",
       .description =
           "Turns the purchases and returns of a loyalty programme's partners into points.",
       .listen_address = "127.0.0.1:7402",
       .make_services =
           [&](const Environment& environment) -> absl::StatusOr<std::vector<HostedService>> {
         auto started = guilder::ledger::Lanes::Start({.dsn = environment.dsn});
         if (!started.ok()) return started.status();
         lanes = *std::move(started);
         cards = std::make_unique<guilder::ledger::CardDirectory>(environment.pool);
         auto rules = guilder::accrual::MakeRuleService(
             {environment.runtime, environment.pool, environment.secrets});
         if (!rules.ok()) return rules.status();
         return std::vector<HostedService>{
             {guilder::accrual::kAccrualServiceName,
              guilder::accrual::MakeAccrualService(
                  {environment.runtime, environment.pool, *lanes, *cards, environment.secrets})},
             {guilder::accrual::kRuleServiceName, *std::move(rules)}};
       }},
      argc, argv);
}
