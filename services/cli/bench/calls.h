// The calls that are measured, as partners make them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"

#include "services/cli/bench/load.h"
#include "services/cli/bench/profile.h"
#include "services/cli/bench/world.h"
#include "services/cli/network.h"

namespace guilder::cli::bench {

// Makes callers, each over one of a few connections. Outlives them. Thread safe.
class Calls {
 public:
  static absl::StatusOr<std::unique_ptr<Calls>> Open(const Network& network,
                                                     std::vector<Shop> shops);

  // Enrols so many more members, many at a time. The other calls show all cards from then on.
  absl::Status EnrolMembers(size_t count);

  // One purchase of every member, so that each card has been seen.
  absl::Status ShopOnce(const Profile& profile);

  // Records purchases of three lines, of any member at any of the first `shops` shops.
  std::unique_ptr<Caller> Purchase(size_t shops);
  std::unique_ptr<Caller> Purchase() { return Purchase(world_.shops.size()); }
  // Authorizes and captures a redemption; both together are one call.
  std::unique_ptr<Caller> Pair();
  std::unique_ptr<Caller> Balance();
  std::unique_ptr<Caller> FindByCard();
  std::unique_ptr<Caller> FindByPhone();
  // What a call costs that does nothing: the health check.
  std::unique_ptr<Caller> Empty();
  // The same purchases over streams: at most `limit` of them.
  std::unique_ptr<Load> PurchaseStreams(size_t streams, int in_flight_each,
                                        int64_t limit = INT64_MAX);

  // For callers.
  void Fill(accrual::v1::RecordPurchaseRequest& request, const Shop& shop);
  const Shop& NextShop(size_t shops);
  const std::string& NextCard();
  // The phone number of any member.
  std::string NextPhone();

 private:
  explicit Calls(std::vector<Shop> shops);

  World world_;
  const std::string run_;  // makes receipt numbers unique
  const std::string business_date_;
  std::vector<std::shared_ptr<grpc::Channel>> accrual_;
  std::vector<std::shared_ptr<grpc::Channel>> member_;
  std::vector<std::shared_ptr<grpc::Channel>> redemption_;
  std::atomic<size_t> next_shop_{0};
  std::atomic<size_t> next_card_{0};
  std::atomic<size_t> next_phone_{0};
  std::atomic<size_t> next_receipt_{0};
  std::atomic<size_t> next_connection_{0};
};

}  // namespace guilder::cli::bench
