#include "services/redemption/rpc/redemption_handlers.h"

#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/names.h"
#include "services/redemption/rpc/commands.h"
#include "services/redemption/rpc/redemption_proto.h"

namespace guilder::redemption {

RedemptionHandlers::RedemptionHandlers(const RedemptionServiceDependencies& dependencies)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      cards_(dependencies.cards, workers_),
      redemptions_(dependencies.pool) {}

absl::Status RedemptionHandlers::CheckOwnStore(const rpc::Call& call,
                                               const Authorization& asked) const {
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const partner = configuration->FindPartner(call.principal().partner);
  if (partner == nullptr) return absl::OkStatus();
  if (partner->slug != asked.partner_slug) return Refuse(Reason::kNotYours);
  if (!partner->stores.contains(asked.store_code)) return Refuse(Reason::kStoreNotFound);
  return absl::OkStatus();
}

void RedemptionHandlers::AuthorizeRedemption(
    std::shared_ptr<const rpc::Call> call, const v1::AuthorizeRedemptionRequest& request,
    rpc::Responder<v1::AuthorizeRedemptionResponse> respond) {
  auto asked = FromProto(request);
  if (!asked.ok()) return respond(asked.status());
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  if (const absl::Status own = call->CheckActsIn(asked->store_code); !own.ok()) {
    return respond(own);
  }
  const CardNumber card = asked->card;
  const absl::Time deadline = call->deadline();
  cards_.Find(card, deadline,
              [this, call = std::move(call), request_id = *request_id, asked = *std::move(asked),
               respond](absl::StatusOr<AccountId> account) {
                if (!account.ok()) {
                  // A store that is wrong is said before a card that is.
                  const absl::Status store = CheckOwnStore(*call, asked);
                  return respond(store.ok() ? account.status() : store);
                }
                SubmitAuthorization(call, request_id, *account, asked, respond);
              });
}

void RedemptionHandlers::SubmitAuthorization(
    std::shared_ptr<const rpc::Call> call, const Uuid& request_id, AccountId account,
    const Authorization& asked, rpc::Responder<v1::AuthorizeRedemptionResponse> respond) {
  const PartnerId partner = call->principal().partner;
  auto command = MakeCommand(partner, request_id, account, asked);
  command->deadline = call->deadline();
  lanes_.Submit(std::move(command),
                [this, call, account, partner, respond](absl::StatusOr<ledger::Answer> answer) {
                  if (!answer.ok()) return respond(answer.status());
                  // The capture comes soon, and then needs no look at the database.
                  redemptions_.Add({answer->place.book, answer->place.number}, {account, partner});
                  respond(rpc::ToResponse<v1::AuthorizeRedemptionResponse>(*answer, *call));
                });
}

template <typename Response, typename Request>
void RedemptionHandlers::Act(std::shared_ptr<const rpc::Call> call, const Request& request,
                             rpc::Responder<Response> respond) {
  const auto asked = FromProto(request);
  if (!asked.ok()) return respond(asked.status());
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  const auto submit = [this, call, request_id = *request_id, asked = *asked,
                       respond](const absl::StatusOr<RedemptionOwner>& owner) {
    if (!owner.ok()) return respond(owner.status());
    const PartnerId partner = call->principal().partner;
    if (owner->partner != partner) return respond(Refuse(Reason::kRedemptionNotFound));
    rpc::SubmitAndRespond<Response>(lanes_, MakeCommand(partner, request_id, owner->account, asked),
                                    call, respond);
  };
  const RedemptionId& redemption = asked->redemption;
  if (const auto owner = redemptions_.FindCached(redemption)) return submit(*owner);
  const bool queued = workers_.TrySubmit([this, call, redemption, submit] {
    submit(redemptions_.Find(redemption, call->deadline()));
  });
  if (!queued) respond(Refuse(Reason::kQueueFull));
}

void RedemptionHandlers::CaptureRedemption(std::shared_ptr<const rpc::Call> call,
                                           const v1::CaptureRedemptionRequest& request,
                                           rpc::Responder<v1::CaptureRedemptionResponse> respond) {
  Act(std::move(call), request, std::move(respond));
}

void RedemptionHandlers::VoidRedemption(std::shared_ptr<const rpc::Call> call,
                                        const v1::VoidRedemptionRequest& request,
                                        rpc::Responder<v1::VoidRedemptionResponse> respond) {
  Act(std::move(call), request, std::move(respond));
}

void RedemptionHandlers::RefundRedemption(std::shared_ptr<const rpc::Call> call,
                                          const v1::RefundRedemptionRequest& request,
                                          rpc::Responder<v1::RefundRedemptionResponse> respond) {
  Act(std::move(call), request, std::move(respond));
}

absl::StatusOr<v1::GetRedemptionResponse> RedemptionHandlers::GetRedemption(
    const rpc::Call& call, const v1::GetRedemptionRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const RedemptionId id, ParseRedemptionName(request.name()));
  const auto row = pool_.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<RedemptionRow> {
        auto read = ReadRedemption(tx, id);
        // Another partner's does not exist for this one.
        if (!read || !call.CheckActsFor(read->partner).ok()) {
          return Refuse(Reason::kRedemptionNotFound);
        }
        return *std::move(read);
      },
      call.deadline());
  if (!row.ok()) return row.status();
  v1::GetRedemptionResponse response;
  *response.mutable_redemption() = ToProto(id, *row, *lanes_.configuration());
  return response;
}

}  // namespace guilder::redemption
