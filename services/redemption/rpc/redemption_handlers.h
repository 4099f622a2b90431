// Answers the calls of guilder.redemption.v1.RedemptionService: translates, submits, translates.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/redemption_service.pb.h"

#include "libs/ledger/store/card_directory.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/card_lookups.h"
#include "libs/rpc/handlers.h"
#include "libs/security/pin.h"
#include "services/redemption/domain/redemption.h"
#include "services/redemption/rpc/commands.h"
#include "services/redemption/rpc/redemption_service.h"
#include "services/redemption/store/redemptions.h"

namespace guilder::redemption {

// Thread safe. Those that post answer later and do not block; the others run on the runtime's
// workers.
class RedemptionHandlers {
 public:
  explicit RedemptionHandlers(const RedemptionServiceDependencies& dependencies);

  absl::StatusOr<v1::QuoteRedemptionResponse> QuoteRedemption(
      const rpc::Call& call, const v1::QuoteRedemptionRequest& request);
  void AuthorizeRedemption(std::shared_ptr<const rpc::Call> call,
                           const v1::AuthorizeRedemptionRequest& request,
                           rpc::Responder<v1::AuthorizeRedemptionResponse> respond);
  void CaptureRedemption(std::shared_ptr<const rpc::Call> call,
                         const v1::CaptureRedemptionRequest& request,
                         rpc::Responder<v1::CaptureRedemptionResponse> respond);
  void VoidRedemption(std::shared_ptr<const rpc::Call> call,
                      const v1::VoidRedemptionRequest& request,
                      rpc::Responder<v1::VoidRedemptionResponse> respond);
  void RefundRedemption(std::shared_ptr<const rpc::Call> call,
                        const v1::RefundRedemptionRequest& request,
                        rpc::Responder<v1::RefundRedemptionResponse> respond);
  absl::StatusOr<v1::GetRedemptionResponse> GetRedemption(const rpc::Call& call,
                                                          const v1::GetRedemptionRequest& request);

 private:
  // kNotYours or kStoreNotFound by the configuration that is known here. It may be behind; where a
  // lane decides, the decider checks by the current one.
  absl::Status CheckOwnStore(const rpc::Call& call, const Authorization& asked) const;
  // An authorization on its way to its lane.
  struct Asking {
    std::shared_ptr<const rpc::Call> call;
    Uuid request_id{};
    AccountId account;
    Authorization asked;
    std::string pin;
    std::string code;
  };
  // Compares a PIN on a worker, because that takes long, and submits.
  void CompareAndSubmit(Asking asking, rpc::Responder<v1::AuthorizeRedemptionResponse> respond);
  void SubmitAuthorization(const Asking& asking, const Shown& shown,
                           rpc::Responder<v1::AuthorizeRedemptionResponse> respond);
  absl::StatusOr<RedemptionId> FindAsked(postgres::Transaction& tx, const rpc::Call& call,
                                         const v1::GetRedemptionRequest& request) const;

  // Of a credential that is for some stores: whether the redemption was made in one of them.
  // Blocks. Errors: REDEMPTION_NOT_FOUND, NOT_YOURS.
  absl::Status CheckActsInStoreOf(const rpc::Call& call, const RedemptionId& redemption);
  // Submits what acts on a redemption that exists: finds its account first.
  template <typename Response, typename Request>
  void Act(std::shared_ptr<const rpc::Call> call, const Request& request,
           rpc::Responder<Response> respond);

  postgres::Pool& pool_;
  const security::PinHasher pins_;
  ledger::Lanes& lanes_;
  rpc::WorkerPool& workers_;
  rpc::CardLookups cards_;
  RedemptionDirectory redemptions_;
  RedemptionRows rows_;
};

}  // namespace guilder::redemption
