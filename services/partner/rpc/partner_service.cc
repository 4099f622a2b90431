#include "services/partner/rpc/partner_service.h"

#include <functional>

#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/handlers.h"
#include "services/partner/rpc/exposure_keeper.h"
#include "services/partner/rpc/partner_handlers.h"

namespace guilder::partner {
namespace {

class PartnerService final : public v1::PartnerService::CallbackService {
 public:
  PartnerService(const PartnerServiceDependencies& dependencies,
                 const ledger::ProgrammeFacts& programme)
      : methods_(dependencies.runtime, kPartnerServiceName),
        handlers_(dependencies.pool, dependencies.secrets, programme),
        exposure_keeper_(dependencies.pool, programme) {}

// Each method is the handler of its name.
#define GUILDER_PARTNER_METHOD_(Method)                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&PartnerHandlers::Method, &handlers_)); \
  }
  GUILDER_PARTNER_METHOD_(CreatePartner)
  GUILDER_PARTNER_METHOD_(GetPartner)
  GUILDER_PARTNER_METHOD_(ListPartners)
  GUILDER_PARTNER_METHOD_(UpdatePartner)
  GUILDER_PARTNER_METHOD_(SubmitPartner)
  GUILDER_PARTNER_METHOD_(ReviewPartner)
  GUILDER_PARTNER_METHOD_(ApprovePartner)
  GUILDER_PARTNER_METHOD_(RejectPartner)
  GUILDER_PARTNER_METHOD_(AttachDocument)
  GUILDER_PARTNER_METHOD_(SuspendPartner)
  GUILDER_PARTNER_METHOD_(ReinstatePartner)
  GUILDER_PARTNER_METHOD_(TerminatePartner)
  GUILDER_PARTNER_METHOD_(PlanExit)
  GUILDER_PARTNER_METHOD_(CreateStore)
  GUILDER_PARTNER_METHOD_(ListStores)
  GUILDER_PARTNER_METHOD_(UpdateStore)
  GUILDER_PARTNER_METHOD_(RegisterTerminal)
  GUILDER_PARTNER_METHOD_(ProposeContract)
  GUILDER_PARTNER_METHOD_(ApproveContract)
  GUILDER_PARTNER_METHOD_(RejectContract)
  GUILDER_PARTNER_METHOD_(ListContracts)
  GUILDER_PARTNER_METHOD_(BuyPointBlock)
  GUILDER_PARTNER_METHOD_(GetExposure)
  GUILDER_PARTNER_METHOD_(UpdateExposurePolicy)
  GUILDER_PARTNER_METHOD_(IssueCredential)
  GUILDER_PARTNER_METHOD_(ListCredentials)
  GUILDER_PARTNER_METHOD_(RevokeCredential)
  GUILDER_PARTNER_METHOD_(RotateCredential)
#undef GUILDER_PARTNER_METHOD_

 private:
  const rpc::Methods methods_;
  PartnerHandlers handlers_;
  ExposureKeeper exposure_keeper_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Service>> MakePartnerService(
    const PartnerServiceDependencies& dependencies) {
  GUILDER_ASSIGN_OR_RETURN(const ledger::ProgrammeFacts programme,
                           dependencies.pool.Read(ledger::ReadProgramme));
  return std::make_shared<PartnerService>(dependencies, programme);
}

}  // namespace guilder::partner
