#include "services/host/program.h"
#include "services/settlement/rpc/settlement_service.h"

int main(int argc, char** argv) {
  using guilder::host::Environment;
  using guilder::host::HostedService;
  return guilder::host::RunProgram(
      {.name = "guilder-settlement",
       .description =
           "Cuts windows, settles them, and turns the result into invoices and payments.",
       .listen_address = "127.0.0.1:7405",
       .make_services =
           [](const Environment& environment) -> absl::StatusOr<std::vector<HostedService>> {
         return std::vector<HostedService>{
             {guilder::settlement::kSettlementServiceName,
              guilder::settlement::MakeSettlementService(
                  {environment.runtime, environment.pool, environment.secrets})}};
       }},
      argc, argv);
}
