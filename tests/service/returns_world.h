// Accrual, its rules and redemption over a coalition, for tests of returns.
#pragma once

#include <string>
#include <vector>

#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "services/redemption/rpc/redemption_service.h"
#include "tests/service/earning_world.h"
#include "tests/support/invariants.h"

namespace guilder::accrual {

using Redemptions = redemption::v1::RedemptionService::Stub;

// The invariants are checked at the end.
struct ReturnsWorld : EarningWorld {
  explicit ReturnsWorld(const v1::RuleSet& set)
      : EarningWorld([](testing::Coalition& coalition) {
          coalition.network().Add(
              redemption::MakeRedemptionService({coalition.network().runtime(),
                                                 coalition.network().pool(), coalition.lanes(),
                                                 coalition.cards(), coalition.network().secrets()}),
              redemption::kRedemptionServiceName);
        }) {
    PutInForce(set);
  }
  ~ReturnsWorld() { testing::CheckInvariants(coalition.database()); }

  v1::RecordReturnResponse Return(const std::string& purchase, const std::string& line,
                                  int64_t quantity) const {
    const auto returned = AsPartner(&Stub::RecordReturn, AReturn(purchase, line, quantity));
    if (!returned.ok()) FAIL(returned.status().ToString());
    return *returned;
  }
  v1::RecordReturnRequest AReturn(const std::string& purchase, const std::string& line,
                                  int64_t quantity) const {
    v1::RecordReturnRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/fresh/stores/s1");
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    if (!purchase.empty()) request.set_purchase(purchase);
    request.add_lines()->set_line_id(line);
    request.mutable_lines(0)->set_quantity(quantity);
    return request;
  }
  v1::PreviewReturnResponse Preview(const std::string& purchase, const std::string& line,
                                    int64_t quantity) const {
    v1::PreviewReturnRequest request;
    request.set_store("partners/fresh/stores/s1");
    request.set_purchase(purchase);
    request.add_lines()->set_line_id(line);
    request.mutable_lines(0)->set_quantity(quantity);
    const auto preview = AsPartner(&Stub::PreviewReturn, request);
    if (!preview.ok()) FAIL(preview.status().ToString());
    return *preview;
  }
  // Points that can be spent now, by a purchase of their own. Gives its name.
  std::string Earn(int64_t euros) const {
    const std::string name = Buy(APurchase(euros)).name();
    const clients::Client<v1::AccrualService> client(coalition.AsPartner("fresh"));
    grpc::ClientContext context;
    client.channel().Prepare(context, absl::Now() + absl::Seconds(10));
    auto stream = client.stub().ConfirmPurchases(&context);
    v1::ConfirmPurchasesRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_purchase(name);
    request.set_outcome(v1::PURCHASE_OUTCOME_CONFIRMED);
    stream->Write(request);
    stream->WritesDone();
    v1::ConfirmPurchasesResponse response;
    REQUIRE(stream->Read(&response));
    REQUIRE(stream->Finish().ok());
    REQUIRE_FALSE(response.has_error());
    return name;
  }
  template <typename Request, typename Response>
  Response Redeem(grpc::Status (Redemptions::*method)(grpc::ClientContext*, const Request&,
                                                      Response*),
                  const Request& request) const {
    const clients::Client<redemption::v1::RedemptionService> client(coalition.AsPartner("fresh"));
    const auto answer = client.Invoke(method, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *answer;
  }
  std::string Hold(int64_t points) const {
    redemption::v1::AuthorizeRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/fresh/stores/s1");
    request.set_card_number(card);
    request.set_points(points);
    return Redeem(&Redemptions::AuthorizeRedemption, request).name();
  }
  void Spend(int64_t points) const {
    redemption::v1::CaptureRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(Hold(points));
    request.set_final(true);
    Redeem(&Redemptions::CaptureRedemption, request);
  }
  int64_t Balance(const std::string& of) const {
    return Count("select sum(" + of + ")::bigint from ledger.accounts");
  }
  v1::Purchase Get(const std::string& name) const {
    v1::GetPurchaseRequest request;
    request.set_name(name);
    const auto purchase = AsPartner(&Stub::GetPurchase, request);
    if (!purchase.ok()) FAIL(purchase.status().ToString());
    return purchase->purchase();
  }
  // The parked items, closed ones too.
  std::vector<v1::ParkedItem> Parked() const {
    v1::ListParkedItemsRequest request;
    request.set_parent("partners/fresh");
    request.set_include_resolved(true);
    const auto list = AsPartner(&Stub::ListParkedItems, request);
    if (!list.ok()) FAIL(list.status().ToString());
    return {list->parked_items().begin(), list->parked_items().end()};
  }
  absl::StatusOr<v1::ResolveParkedItemResponse> Post(const std::string& item) const {
    v1::ResolveParkedItemRequest request;
    request.set_name(item);
    request.set_resolution("looked at");
    request.set_action(v1::PARKED_ITEM_ACTION_POST);
    return clients::Client<v1::AccrualService>(coalition.network().AsOperator("anna"))
        .Invoke(&Stub::ResolveParkedItem, request);
  }
};

}  // namespace guilder::accrual
