#include "services/redemption/rpc/catalog_service.h"

#include <functional>

#include "guilder/redemption/v1/catalog_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/redemption/rpc/lapse_keeper.h"
#include "services/redemption/rpc/order_handlers.h"
#include "services/redemption/rpc/reward_handlers.h"
#include "services/redemption/rpc/voucher_handlers.h"

namespace guilder::redemption {
namespace {

class CatalogService final : public v1::CatalogService::CallbackService {
 public:
  explicit CatalogService(const CatalogServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kCatalogServiceName),
        rows_(dependencies.secrets),
        rewards_(dependencies),
        orders_(dependencies, rows_),
        vouchers_(dependencies, rows_),
        lapse_keeper_(dependencies, rows_) {}

// Each method is the handler of its name.
#define GUILDER_CATALOG_METHOD_(Method, Wrapper, handlers, Handlers)          \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return Wrapper(methods_, #Method, context, request, response,             \
                   std::bind_front(&Handlers::Method, &handlers));            \
  }
  GUILDER_CATALOG_METHOD_(CreateReward, rpc::Unary, rewards_, RewardHandlers)
  GUILDER_CATALOG_METHOD_(UpdateReward, rpc::Unary, rewards_, RewardHandlers)
  GUILDER_CATALOG_METHOD_(GetReward, rpc::Unary, rewards_, RewardHandlers)
  GUILDER_CATALOG_METHOD_(ListRewards, rpc::Unary, rewards_, RewardHandlers)
  GUILDER_CATALOG_METHOD_(OrderReward, rpc::UnaryAsync, orders_, OrderHandlers)
  GUILDER_CATALOG_METHOD_(CancelOrder, rpc::UnaryAsync, orders_, OrderHandlers)
  GUILDER_CATALOG_METHOD_(UpdateOrderStatus, rpc::UnaryAsync, orders_, OrderHandlers)
  GUILDER_CATALOG_METHOD_(GetOrder, rpc::Unary, orders_, OrderHandlers)
  GUILDER_CATALOG_METHOD_(ListOrders, rpc::Unary, orders_, OrderHandlers)
  GUILDER_CATALOG_METHOD_(IssueVoucher, rpc::UnaryAsync, vouchers_, VoucherHandlers)
  GUILDER_CATALOG_METHOD_(RedeemVoucher, rpc::UnaryAsync, vouchers_, VoucherHandlers)
  GUILDER_CATALOG_METHOD_(RefundVoucher, rpc::UnaryAsync, vouchers_, VoucherHandlers)
  GUILDER_CATALOG_METHOD_(GetVoucher, rpc::Unary, vouchers_, VoucherHandlers)
  GUILDER_CATALOG_METHOD_(ListVouchers, rpc::Unary, vouchers_, VoucherHandlers)
#undef GUILDER_CATALOG_METHOD_

 private:
  const rpc::Methods methods_;
  // Outlives the commands that lanes still have: they are drained before the service goes.
  CatalogRows rows_;
  RewardHandlers rewards_;
  OrderHandlers orders_;
  VoucherHandlers vouchers_;
  LapseKeeper lapse_keeper_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeCatalogService(const CatalogServiceDependencies& dependencies) {
  return std::make_shared<CatalogService>(dependencies);
}

}  // namespace guilder::redemption
