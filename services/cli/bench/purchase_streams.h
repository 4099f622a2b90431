// RecordPurchases, with so many items in flight on each of several streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"

#include "services/cli/bench/load.h"

namespace guilder::cli::bench {

struct PurchaseStreamPlan {
  std::shared_ptr<grpc::Channel> channel;
  std::string authorization;
  // Fills the next item. Called by one thread at a time.
  std::function<void(accrual::v1::RecordPurchaseRequest&)> fill;
};

// At most `limit` items over all streams.
std::unique_ptr<Load> MakePurchaseStreams(std::vector<PurchaseStreamPlan> plans, int in_flight_each,
                                          int64_t limit);

}  // namespace guilder::cli::bench
