#include "libs/base/status_macros.h"
#include "libs/ledger/store/lanes.h"
#include "services/host/program.h"
#include "services/member/rpc/member_service.h"

namespace {

using guilder::host::Environment;
using guilder::host::HostedService;

// The service goes before what it submits to.
struct Hosted {
  std::unique_ptr<guilder::ledger::Lanes> lanes;
  std::shared_ptr<grpc::Service> service;
};

absl::StatusOr<std::vector<HostedService>> MakeServices(const Environment& environment) {
  guilder::ledger::LanesOptions options;
  options.dsn = environment.dsn;
  GUILDER_ASSIGN_OR_RETURN(std::unique_ptr<guilder::ledger::Lanes> lanes,
                           guilder::ledger::Lanes::Start(std::move(options)));
  auto hosted = std::make_shared<Hosted>();
  hosted->lanes = std::move(lanes);
  hosted->service = guilder::member::MakeMemberService(
      {environment.runtime, environment.pool, *hosted->lanes, environment.secrets});
  grpc::Service* const service = hosted->service.get();
  return std::vector<HostedService>{{guilder::member::kMemberServiceName,
                                     std::shared_ptr<grpc::Service>(std::move(hosted), service)}};
}

}  // namespace

int main(int argc, char** argv) {
  return guilder::host::RunProgram(
      {.name = "guilder-member",
       .description = "Enrols members, issues their cards, and says what they own and why.",
       .listen_address = "127.0.0.1:7403",
       .make_services = MakeServices},
      argc, argv);
}
