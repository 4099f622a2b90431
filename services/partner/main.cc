#include "services/host/program.h"
#include "services/partner/rpc/partner_service.h"

int main(int argc, char** argv) {
  using guilder::host::Environment;
  using guilder::host::HostedService;
  return guilder::host::RunProgram(
      {.name = "guilder-partner",
       .description =
           "Onboards the partners of a loyalty programme: their stores, contracts and keys.",
       .listen_address = "127.0.0.1:7401",
       .make_services =
           [](const Environment& environment) -> absl::StatusOr<std::vector<HostedService>> {
         auto service = guilder::partner::MakePartnerService(
             {environment.runtime, environment.pool, environment.secrets});
         if (!service.ok()) return service.status();
         return std::vector<HostedService>{
             {guilder::partner::kPartnerServiceName, *std::move(service)}};
       }},
      argc, argv);
}
