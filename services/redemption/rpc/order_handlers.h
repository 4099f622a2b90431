// Answers the calls of guilder.redemption.v1.CatalogService about orders.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/catalog_service.pb.h"

#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/names.h"
#include "services/redemption/rpc/catalog_commands.h"
#include "services/redemption/rpc/catalog_service.h"

namespace guilder::redemption {

// Thread safe. The reading ones block on the database; the others answer later.
class OrderHandlers {
 public:
  // The rows outlive what the lanes still have to do.
  OrderHandlers(const CatalogServiceDependencies& dependencies, CatalogRows& rows);

  void OrderReward(std::shared_ptr<const rpc::Call> call, const v1::OrderRewardRequest& request,
                   rpc::Responder<v1::OrderRewardResponse> respond);
  void CancelOrder(std::shared_ptr<const rpc::Call> call, const v1::CancelOrderRequest& request,
                   rpc::Responder<v1::CancelOrderResponse> respond);
  void UpdateOrderStatus(std::shared_ptr<const rpc::Call> call,
                         const v1::UpdateOrderStatusRequest& request,
                         rpc::Responder<v1::UpdateOrderStatusResponse> respond);
  absl::StatusOr<v1::GetOrderResponse> GetOrder(const rpc::Call& call,
                                                const v1::GetOrderRequest& request);
  absl::StatusOr<v1::ListOrdersResponse> ListOrders(const rpc::Call& call,
                                                    const v1::ListOrdersRequest& request);

 private:
  // The order of a name, where the caller may see it.
  absl::StatusOr<OrderRow> FindVisible(const rpc::Call& call, const std::string& name);
  // Submits a step of an order that the caller may take it for.
  template <typename Response>
  void Step(std::shared_ptr<const rpc::Call> call, const std::string& name, const Uuid& request_id,
            OrderState to, rpc::Responder<Response> respond);
  v1::Order Shown(const rpc::Call& call, const OrderRow& row) const;

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  rpc::WorkerPool& workers_;
  CatalogRows& rows_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::redemption
