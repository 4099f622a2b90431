// guilder-member: keeps members, their cards and what they own.

#include "libs/ledger/store/lanes.h"
#include "services/host/program.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/points_service.h"
#include "services/member/rpc/standing_service.h"

int main(int argc, char** argv) {
  using guilder::host::Environment;
  using guilder::host::HostedService;
  // Outlives the service, which the program stops before it returns.
  std::unique_ptr<guilder::ledger::Lanes> lanes;
  return guilder::host::RunProgram(
      {.name = "guilder-member",
       .description = "Enrols members, issues their cards, and says what they own and why.",
       .listen_address = "127.0.0.1:7403",
       .make_services =
           [&](const Environment& environment) -> absl::StatusOr<std::vector<HostedService>> {
         auto started = guilder::ledger::Lanes::Start({.dsn = environment.dsn});
         if (!started.ok()) return started.status();
         lanes = *std::move(started);
         const guilder::member::MemberServiceDependencies dependencies{
             environment.runtime, environment.pool, *lanes, environment.secrets};
         return std::vector<HostedService>{
             {guilder::member::kMemberServiceName,
              guilder::member::MakeMemberService(dependencies)},
             {guilder::member::kPointsServiceName,
              guilder::member::MakePointsService(dependencies)},
             {guilder::member::kStandingServiceName,
              guilder::member::MakeStandingService(dependencies)},
             {guilder::member::kPersonServiceName,
              guilder::member::MakePersonService(dependencies)},
             {guilder::member::kImportServiceName,
              guilder::member::MakeImportService(dependencies)},
             {guilder::member::kDocumentServiceName,
              guilder::member::MakeDocumentService(dependencies)},
             {guilder::member::kCardServiceName, guilder::member::MakeCardService(dependencies)},
             {guilder::member::kNoticeServiceName,
              guilder::member::MakeNoticeService(dependencies)},
             {guilder::member::kBonusServiceName, guilder::member::MakeBonusService(dependencies)}};
       }},
      argc, argv);
}
