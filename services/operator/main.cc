#include "services/host/program.h"
#include "services/operator/rpc/operator_service.h"

int main(int argc, char** argv) {
  using guilder::host::Environment;
  using guilder::host::HostedService;
  return guilder::host::RunProgram(
      {.name = "guilder-operator",
       .description =
           "Runs a loyalty programme: its people, its clock, and the proof of its books.",
       .listen_address = "127.0.0.1:7406",
       .make_services =
           [](const Environment& environment) -> absl::StatusOr<std::vector<HostedService>> {
         auto service = guilder::operator_::MakeOperatorService(
             {environment.runtime, environment.pool, environment.secrets});
         if (!service.ok()) return service.status();
         return std::vector<HostedService>{
             {guilder::operator_::kOperatorServiceName, *std::move(service)}};
       }},
      argc, argv);
}
