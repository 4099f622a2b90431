// A coalition in which one partner pays for its points in advance.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/accrual_service.h"
#include "services/partner/rpc/partner_service.h"
#include "services/settlement/rpc/settlement_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"

namespace guilder::prepaid {

namespace accrual_v1 = accrual::v1;
namespace partner_v1 = partner::v1;
using Accrual = accrual_v1::AccrualService;
using Partners = partner_v1::PartnerService;

inline constexpr char kFresh[] = "partners/fresh";

inline clients::RetryPolicy Once() {
  clients::RetryPolicy policy;
  policy.max_attempts = 1;
  return policy;
}

// A coalition whose partner `fresh` pays in advance.
struct World {
  explicit World(const std::string& when_exhausted = "REFUSE", int books = 2) : coalition(books) {
    coalition.database().Query(
        absl::StrCat("update partner.contracts set funding = 'PREPAID_BLOCK', when_exhausted = '",
                     when_exhausted, "' where kind = 'ISSUANCE' and partner_id = ",
                     "(select partner_id from partner.partners where slug = 'fresh')"));
    coalition.database().Query("update ledger.configuration set version = version + 1");
    testing::ServiceNetwork& network = coalition.network();
    network.Add(accrual::MakeAccrualService({network.runtime(), network.pool(), coalition.lanes(),
                                             coalition.cards(), network.secrets()}),
                accrual::kAccrualServiceName);
    auto partners =
        partner::MakePartnerService({network.runtime(), network.pool(), network.secrets()});
    REQUIRE(partners.ok());
    network.Add(*std::move(partners), partner::kPartnerServiceName);
    network.Add(
        settlement::MakeSettlementService({network.runtime(), network.pool(), network.secrets()}),
        settlement::kSettlementServiceName);
    network.Start();
    card = coalition.AMember();
  }

  static partner_v1::BuyPointBlockRequest ABlock(int64_t points) {
    partner_v1::BuyPointBlockRequest request;
    request.set_parent(kFresh);
    request.set_request_id(clients::NewRequestId());
    request.set_points(points);
    return request;
  }
  absl::StatusOr<partner_v1::BuyPointBlockResponse> Sell(
      const partner_v1::BuyPointBlockRequest& request,
      clients::Answered* answered = nullptr) const {
    return clients::Client<Partners>(coalition.network().AsOperator("anna"))
        .Invoke(&Partners::Stub::BuyPointBlock, request, Once(), answered);
  }
  partner_v1::Exposure Exposure(const std::string& partner) const {
    partner_v1::GetExposureRequest request;
    request.set_name("partners/" + partner);
    const auto shown = clients::Client<Partners>(coalition.AsPartner(partner))
                           .Invoke(&Partners::Stub::GetExposure, request, Once());
    if (!shown.ok()) FAIL(shown.status().ToString());
    return shown->exposure();
  }

  // A purchase of so many full euros, one line of as many pieces, which are as many points.
  absl::StatusOr<accrual_v1::RecordPurchaseResponse> Buy(const std::string& partner,
                                                         int64_t euros) {
    return BuyWith(card, clients::Client<Accrual>(coalition.AsPartner(partner)), partner, euros);
  }
  // The same with some card, by any thread.
  absl::StatusOr<accrual_v1::RecordPurchaseResponse> BuyWith(const std::string& by,
                                                             const clients::Client<Accrual>& till,
                                                             const std::string& partner,
                                                             int64_t euros) {
    accrual_v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_receipt()->set_store(absl::StrCat("partners/", partner, "/stores/s1"));
    request.mutable_receipt()->set_terminal("t1");
    request.mutable_receipt()->set_receipt_number(std::to_string(++receipts));
    request.mutable_receipt()->set_business_date("2026-03-01");
    request.set_card_number(by);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now() - Timestamp(1'800'000'000));
    request.set_currency_code("EUR");
    accrual_v1::PurchaseLine& line = *request.add_lines();
    line.set_sku("milk");
    line.set_quantity(euros);
    line.set_amount_minor_units(euros * 100);
    return till.Invoke(&Accrual::Stub::RecordPurchase, request, Once());
  }
  absl::StatusOr<accrual_v1::RecordReturnResponse> Return(
      const std::string& purchase, int64_t pieces, const std::string& partner = "fresh") const {
    accrual_v1::RecordReturnRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store(absl::StrCat("partners/", partner, "/stores/s1"));
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    request.set_purchase(purchase);
    request.add_lines()->set_line_id("1");
    request.mutable_lines(0)->set_quantity(pieces);
    return clients::Client<Accrual>(coalition.AsPartner(partner))
        .Invoke(&Accrual::Stub::RecordReturn, request, Once());
  }

  mutable testing::Coalition coalition;
  std::string card;
  std::atomic<int> receipts = 0;
};

}  // namespace guilder::prepaid
