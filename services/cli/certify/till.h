// A till of a partner that is certified: what it sends, and what it learns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"

namespace guilder::cli::certify {

// Where the till stands, and whose card is shown at it.
struct Place {
  std::string store;  // "partners/{partner}/stores/{store}"
  std::string currency;
  std::string card;
  absl::Time now;  // By the programme's clock.
};

// Not thread safe. Every sale has a receipt of its own; amounts are in minor units.
class Till {
 public:
  using Accrual = clients::Client<accrual::v1::AccrualService>;
  using Redemption = clients::Client<redemption::v1::RedemptionService>;

  Till(const clients::Channel& accrual, const clients::Channel& redemption, Place place)
      : accrual_(accrual), redemption_(redemption), place_(std::move(place)) {}

  const Place& place() const { return place_; }
  const Accrual& accrual() const { return accrual_; }
  const Redemption& redemption() const { return redemption_; }

  // A sale of two lines, `minutes` ago, with a new request id and receipt.
  accrual::v1::RecordPurchaseRequest ASale(int minutes = 1);
  // Sends it once, or until it is answered. `replayed` learns whether the answer was stored.
  absl::StatusOr<accrual::v1::RecordPurchaseResponse> Send(
      const accrual::v1::RecordPurchaseRequest& sale, bool* replayed = nullptr) const;
  // Some pieces of the first line come back.
  absl::StatusOr<accrual::v1::RecordReturnResponse> Return(const std::string& purchase,
                                                           int64_t pieces) const;

 private:
  const Accrual accrual_;
  const Redemption redemption_;
  const Place place_;
  int receipts_ = 0;
};

}  // namespace guilder::cli::certify
