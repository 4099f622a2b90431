// An accrual service over a coalition, and the requests that its tests send.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "guilder/accrual/v1/accrual_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/status.h"
#include "services/accrual/rpc/accrual_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"

namespace guilder::accrual {

using Stub = v1::AccrualService::Stub;

constexpr int64_t kDay = kMicrosPerDay;

struct World {
  // `add` gives the network other services besides, before it starts.
  explicit World(const std::function<void(testing::ServiceNetwork&)>& add = {}) {
    if (add) add(coalition.network());
    coalition.network().Add(
        MakeAccrualService({coalition.network().runtime(), coalition.network().pool(),
                            coalition.lanes(), coalition.cards(), coalition.network().secrets()}),
        kAccrualServiceName);
    coalition.network().Start();
    card = coalition.AMember();
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(const std::string& partner,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request,
                                clients::Answered* answered = nullptr) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::AccrualService>(coalition.AsPartner(partner))
        .Invoke(method, request, once, answered);
  }
  absl::StatusOr<v1::RecordPurchaseResponse> Buy(const v1::RecordPurchaseRequest& request,
                                                 clients::Answered* answered = nullptr) const {
    return Call("fresh", &Stub::RecordPurchase, request, answered);
  }
  absl::StatusOr<v1::RecordReturnResponse> Return(const v1::RecordReturnRequest& request) const {
    return Call("fresh", &Stub::RecordReturn, request);
  }

  // A receipt of `fresh` over 3 × 10.00 and 1 × 5.50 EUR, half an hour ago: 35 points.
  v1::RecordPurchaseRequest APurchase(const std::string& receipt_number) const {
    v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_receipt()->set_store("partners/fresh/stores/s1");
    request.mutable_receipt()->set_terminal("t1");
    request.mutable_receipt()->set_receipt_number(receipt_number);
    request.mutable_receipt()->set_business_date("2026-03-01");
    request.set_card_number(card);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now() - Timestamp(1'800'000'000));
    request.set_currency_code("EUR");
    AddLine(request, "milk", 3, 3000);
    AddLine(request, "bread", 1, 550);
    return request;
  }
  static void AddLine(v1::RecordPurchaseRequest& request, const std::string& sku, int64_t quantity,
                      int64_t amount, const std::string& category = "FOOD") {
    v1::PurchaseLine& line = *request.add_lines();
    line.set_sku(sku);
    line.set_quantity(quantity);
    line.set_amount_minor_units(amount);
    line.set_category(category);
  }
  v1::RecordReturnRequest AReturn(const std::string& purchase, const std::string& line,
                                  int64_t quantity) const {
    v1::RecordReturnRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/fresh/stores/s1");
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    request.set_purchase(purchase);
    request.add_lines()->set_line_id(line);
    request.mutable_lines(0)->set_quantity(quantity);
    return request;
  }
  absl::StatusOr<v1::ConfirmPurchasesResponse> Confirm(const std::string& purchase,
                                                       v1::PurchaseOutcome outcome) const {
    const clients::Client<v1::AccrualService> client(coalition.AsPartner("fresh"));
    grpc::ClientContext context;
    client.channel().Prepare(context, absl::Now() + absl::Seconds(10));
    auto stream = client.stub().ConfirmPurchases(&context);
    v1::ConfirmPurchasesRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_purchase(purchase);
    request.set_outcome(outcome);
    stream->Write(request);
    stream->WritesDone();
    v1::ConfirmPurchasesResponse response;
    const bool answered = stream->Read(&response);
    const grpc::Status status = stream->Finish();
    if (!answered) return rpc::FromGrpcStatus(status);
    return response;
  }

  int64_t Sum(const std::string& expression) const {
    const auto rows = coalition.database().Query("select coalesce(sum(" + expression +
                                                 "), 0) from ledger.accounts");
    return rows[0].Int(0);
  }
  int64_t Records() const {
    return coalition.database().Query("select count(*) from ledger.journal")[0].Int(0);
  }

  mutable testing::Coalition coalition;
  std::string card;
};

}  // namespace guilder::accrual
