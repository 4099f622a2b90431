#include "services/redemption/rpc/order_handlers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/security/secrets.h"
#include "services/redemption/rpc/catalog_lists.h"
#include "services/redemption/rpc/catalog_proto.h"
#include "services/redemption/store/rewards.h"

namespace guilder::redemption {
namespace {

using postgres::Transaction;

constexpr char kOrders[] = "orders";

Actor ActorOf(const rpc::Call& call) {
  if (call.principal().IsMember()) return Actor::kMember;
  return call.principal().IsPartner() ? Actor::kSupplier : Actor::kOperator;
}

bool MaySee(const rpc::Call& call, const OrderRow& row) {
  if (call.principal().IsMember()) return call.CheckActsForMember(row.order.account).ok();
  return call.CheckActsFor(row.order.supplier).ok() && call.CheckActsIn(row.store_code).ok();
}

}  // namespace

OrderHandlers::OrderHandlers(const CatalogServiceDependencies& dependencies, CatalogRows& rows)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      rows_(rows),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

v1::Order OrderHandlers::Shown(const rpc::Call& call, const OrderRow& row) const {
  v1::Order order = ToProto(row, lanes_.configuration()->programme().currency);
  if (call.principal().IsPartner()) order.clear_member();
  return order;
}

void OrderHandlers::OrderReward(std::shared_ptr<const rpc::Call> call,
                                const v1::OrderRewardRequest& request,
                                rpc::Responder<v1::OrderRewardResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  auto asked = FromProto(request);
  if (!asked.ok()) return respond(asked.status());
  if (const absl::Status own = call->CheckActsForMember(asked->account); !own.ok()) {
    return respond(own);
  }
  auto submit = [this, call, request_id = *request_id, asked = *std::move(asked), respond,
                 name = request.reward()]() mutable {
    const auto reward = ReadRewardId(pool_, name, call->deadline());
    if (!reward.ok()) return respond(reward.status());
    asked.reward = *reward;
    rpc::SubmitAndRespond<v1::OrderRewardResponse>(lanes_, MakeCommand(rows_, request_id, asked),
                                                   call, respond);
  };
  if (!workers_.TrySubmit(std::move(submit))) respond(Refuse(Reason::kQueueFull));
}

absl::StatusOr<OrderRow> OrderHandlers::FindVisible(const rpc::Call& call,
                                                    const std::string& name) {
  GUILDER_ASSIGN_OR_RETURN(const RecordKey key,
                           ParseRecordName("orders", name, Reason::kOrderNotFound));
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<OrderRow> {
        auto row = FindOrder(tx, key);
        // Another's does not exist for this one.
        if (!row || !MaySee(call, *row)) return Refuse(Reason::kOrderNotFound);
        return *std::move(row);
      },
      call.deadline());
}

template <typename Response>
void OrderHandlers::Step(std::shared_ptr<const rpc::Call> call, const std::string& name,
                         const Uuid& request_id, OrderState to, rpc::Responder<Response> respond) {
  auto submit = [this, call, name, request_id, to, respond] {
    const auto row = FindVisible(*call, name);
    if (!row.ok()) return respond(row.status());
    rpc::SubmitAndRespond<Response>(lanes_,
                                    MakeStepCommand(rows_, call->principal().partner, request_id,
                                                    row->order, to, ActorOf(*call)),
                                    call, respond);
  };
  if (!workers_.TrySubmit(std::move(submit))) respond(Refuse(Reason::kQueueFull));
}

void OrderHandlers::CancelOrder(std::shared_ptr<const rpc::Call> call,
                                const v1::CancelOrderRequest& request,
                                rpc::Responder<v1::CancelOrderResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  Step(std::move(call), request.name(), *request_id, OrderState::kCancelled, std::move(respond));
}

void OrderHandlers::UpdateOrderStatus(std::shared_ptr<const rpc::Call> call,
                                      const v1::UpdateOrderStatusRequest& request,
                                      rpc::Responder<v1::UpdateOrderStatusResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  const auto state = StateFromProto(request.state());
  if (!state.ok()) return respond(state.status());
  Step(std::move(call), request.name(), *request_id, *state, std::move(respond));
}

absl::StatusOr<v1::GetOrderResponse> OrderHandlers::GetOrder(const rpc::Call& call,
                                                             const v1::GetOrderRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const OrderRow row, FindVisible(call, request.name()));
  v1::GetOrderResponse response;
  *response.mutable_order() = Shown(call, row);
  return response;
}

absl::StatusOr<v1::ListOrdersResponse> OrderHandlers::ListOrders(
    const rpc::Call& call, const v1::ListOrdersRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const SeenBy seen_by, WhoSees(call, request.member()));
  std::optional<OrderState> state;
  if (request.state() != v1::ORDER_STATE_UNSPECIFIED) {
    if (!v1::OrderState_IsValid(request.state())) {
      return Refuse(Reason::kRequestMalformed, "state", {{"field", "state"}});
    }
    state = static_cast<OrderState>(request.state());
  }
  const std::string list = absl::StrCat(kOrders, "/", seen_by.account.value(), "/",
                                        seen_by.partner.value(), "/", request.state());
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<OrderRow> rows,
                           pool_.Read(
                               [&](Transaction& tx) -> absl::StatusOr<std::vector<OrderRow>> {
                                 return redemption::ListOrders(tx, seen_by, state, KeyOf(position),
                                                               page_size + 1);
                               },
                               call.deadline()));
  v1::ListOrdersResponse response;
  const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) *response.add_orders() = Shown(call, rows[i]);
  if (count < rows.size()) {
    const Order& last = rows[count - 1].order;
    response.set_next_page_token(page_tokens_.Make(list, PositionOf({last.book, last.number})));
  }
  return response;
}

}  // namespace guilder::redemption
