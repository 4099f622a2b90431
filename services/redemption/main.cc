// guilder-redemption: takes points as payment, and gives gifts and vouchers for them.

#include "libs/ledger/store/card_directory.h"
#include "libs/ledger/store/lanes.h"
#include "services/host/program.h"
#include "services/redemption/rpc/catalog_service.h"
#include "services/redemption/rpc/redemption_service.h"
#include "services/redemption/rpc/spending_service.h"

int main(int argc, char** argv) {
  using guilder::host::Environment;
  using guilder::host::HostedService;
  // Outlive the service, which the program stops before it returns.
  std::unique_ptr<guilder::ledger::Lanes> lanes;
  std::unique_ptr<guilder::ledger::CardDirectory> cards;
  return guilder::host::RunProgram(
      {.name = "guilder-redemption",
       .description =
           "Takes the points of a loyalty programme's members as payment at its partners.",
       .listen_address = "127.0.0.1:7404",
       .make_services =
           [&](const Environment& environment) -> absl::StatusOr<std::vector<HostedService>> {
         auto started = guilder::ledger::Lanes::Start({.dsn = environment.dsn});
         if (!started.ok()) return started.status();
         lanes = *std::move(started);
         cards = std::make_unique<guilder::ledger::CardDirectory>(environment.pool);
         return std::vector<HostedService>{
             {guilder::redemption::kRedemptionServiceName,
              guilder::redemption::MakeRedemptionService(
                  {environment.runtime, environment.pool, *lanes, *cards, environment.secrets})},
             {guilder::redemption::kSpendingServiceName,
              guilder::redemption::MakeSpendingService(
                  {environment.runtime, environment.pool, *lanes, environment.secrets})},
             {guilder::redemption::kCatalogServiceName,
              guilder::redemption::MakeCatalogService(
                  {environment.runtime, environment.pool, *lanes, environment.secrets})}};
       }},
      argc, argv);
}
