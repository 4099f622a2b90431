#include "services/accrual/rpc/accrual_service.h"

#include <functional>
#include <utility>

#include "guilder/accrual/v1/accrual_service.grpc.pb.h"

#include "libs/ledger/store/card_directory.h"
#include "libs/ledger/store/stock_cards.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/item_stream.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/status.h"
#include "libs/security/secrets.h"
#include "services/accrual/rpc/accrual_handlers.h"

namespace guilder::accrual {
namespace {

using SharedCall = std::shared_ptr<const rpc::Call>;

// An item's answer: the response that the ledger's answer stands for, or the refusal.
template <typename Item, typename Response>
Item AnswerItem(const std::string& request_id, const absl::StatusOr<ledger::Answer>& answer,
                Response* (Item::*result)()) {
  Item item;
  item.set_request_id(request_id);
  absl::StatusOr<Response> response =
      answer.ok() ? rpc::ToResponse<Response>(*answer) : answer.status();
  if (response.ok()) {
    *(item.*result)() = *std::move(response);
  } else {
    *item.mutable_error() = rpc::ToRpcStatus(response.status());
  }
  return item;
}

class AccrualService final : public v1::AccrualService::CallbackService {
 public:
  explicit AccrualService(const AccrualServiceDependencies& with)
      : methods_(with.runtime, kAccrualServiceName),
        handlers_(with.lanes, with.cards, with.pool, with.runtime.workers(),
                  with.secrets.Derive("guilder/page-token/1"),
                  with.secrets.Derive("guilder/quote/1"), with.secrets) {
    with.cards.OpenWith([&lanes = with.lanes](CardNumber card, absl::Time deadline) {
      return ledger::OpenStockCard(lanes, card, deadline);
    });
    handlers_.Start();
  }

  grpc::ServerUnaryReactor* RecordPurchase(grpc::CallbackServerContext* context,
                                           const v1::RecordPurchaseRequest* request,
                                           v1::RecordPurchaseResponse* response) override {
    return Posting("RecordPurchase", context, request, response, &AccrualHandlers::RecordPurchase);
  }
  grpc::ServerUnaryReactor* RecordReturn(grpc::CallbackServerContext* context,
                                         const v1::RecordReturnRequest* request,
                                         v1::RecordReturnResponse* response) override {
    return Posting("RecordReturn", context, request, response, &AccrualHandlers::RecordReturn);
  }

  grpc::ServerBidiReactor<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse>* RecordPurchases(
      grpc::CallbackServerContext* context) override {
    using Response = v1::RecordPurchasesResponse;
    return rpc::BidiItems<v1::RecordPurchasesRequest, Response>(
        methods_, "RecordPurchases", context, {},
        [this](const SharedCall& call, const v1::RecordPurchasesRequest& item,
               rpc::ItemResponder<Response> respond) {
          handlers_.RecordPurchase(call, item.purchase(),
                                   [respond, id = item.purchase().request_id()](
                                       const absl::StatusOr<ledger::Answer>& answer) {
                                     respond(AnswerItem(id, answer, &Response::mutable_purchase));
                                   });
        });
  }
  grpc::ServerBidiReactor<v1::ConfirmPurchasesRequest, v1::ConfirmPurchasesResponse>*
  ConfirmPurchases(grpc::CallbackServerContext* context) override {
    using Response = v1::ConfirmPurchasesResponse;
    return rpc::BidiItems<v1::ConfirmPurchasesRequest, Response>(
        methods_, "ConfirmPurchases", context, {},
        [this](const SharedCall& call, const v1::ConfirmPurchasesRequest& item,
               rpc::ItemResponder<Response> respond) {
          handlers_.Confirm(
              call, item,
              [respond, id = item.request_id()](const absl::StatusOr<ledger::Answer>& answer) {
                respond(AnswerItem(id, answer, &Response::mutable_confirmation));
              });
        });
  }

// Each method is the handler of its name.
#define GUILDER_ACCRUAL_METHOD_(Method)                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&AccrualHandlers::Method, &handlers_)); \
  }
  GUILDER_ACCRUAL_METHOD_(QuotePurchase)
  GUILDER_ACCRUAL_METHOD_(PreviewReturn)
  GUILDER_ACCRUAL_METHOD_(ListSequenceGaps)
  GUILDER_ACCRUAL_METHOD_(ListTopCards)
  GUILDER_ACCRUAL_METHOD_(ListFundedPoints)
  GUILDER_ACCRUAL_METHOD_(GetPurchase)
  GUILDER_ACCRUAL_METHOD_(ListPurchases)
  GUILDER_ACCRUAL_METHOD_(ExplainPurchase)
  GUILDER_ACCRUAL_METHOD_(ListParkedItems)
  GUILDER_ACCRUAL_METHOD_(ResolveParkedItem)
  GUILDER_ACCRUAL_METHOD_(ApproveParkedReturn)
  GUILDER_ACCRUAL_METHOD_(RejectParkedReturn)
#undef GUILDER_ACCRUAL_METHOD_

 private:
  // A unary method that a lane answers.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Posting(const char* method, grpc::CallbackServerContext* context,
                                    const Request* request, Response* response,
                                    void (AccrualHandlers::*handler)(const SharedCall&,
                                                                     const Request&,
                                                                     ledger::Lanes::Done)) {
    return rpc::UnaryAsync(
        methods_, method, context, request, response,
        [this, handler](const SharedCall& call, const Request& asked,
                        rpc::Responder<Response> respond) {
          (handlers_.*handler)(call, asked, [call, respond](absl::StatusOr<ledger::Answer> answer) {
            if (!answer.ok()) return respond(std::move(answer).status());
            respond(rpc::ToResponse<Response>(*answer, *call));
          });
        });
  }

  const rpc::Methods methods_;
  AccrualHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeAccrualService(const AccrualServiceDependencies& dependencies) {
  return std::make_shared<AccrualService>(dependencies);
}

}  // namespace guilder::accrual
