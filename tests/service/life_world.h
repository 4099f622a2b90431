// The world of access tests, seen from tills and from operators.
#pragma once

#include <optional>
#include <string>

#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/operator/v1/operator_service.grpc.pb.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "tests/service/access_world.h"

namespace guilder::access {

using Partners = partner::v1::PartnerService;
using Operators = operator_::v1::OperatorService;

// A till of `fresh` and one of `books`.
struct Life : World {
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Ask(const std::string& who,
                               grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Response*),
                               const Request& request) {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<Service>(network().AsOperator(who)).Invoke(method, request, once);
  }
  std::optional<Reason> Try(const std::string& key, const std::string& method,
                            const std::string& text) {
    const AnyAnswer answer = Do(key, method, text);
    INFO(answer.status.ToString());
    CHECK(answer.reason() != Reason::kInternal);
    return answer.reason();
  }
  std::optional<Reason> Buy() {
    SetFact("now", absl::StrCat(coalition().Now().value() / 1'000'000));
    return Try(fresh, "accrual.v1.AccrualService.RecordPurchase",
               "request_id:'<uuid>' receipt{store:'partners/fresh/stores/s1' order_id:'<uuid>'} "
               "<sale>");
  }
  std::optional<Reason> Return() {
    SetFact("now", absl::StrCat(coalition().Now().value() / 1'000'000));
    return Try(fresh, "accrual.v1.AccrualService.RecordReturn",
               "request_id:'<uuid>' store:'partners/fresh/stores/s1' purchase:'<purchase>' "
               "occurred_at{seconds:<now>} lines{line_id:'1' quantity:1}");
  }
  std::optional<Reason> TakePoints(const std::string& key, const std::string& slug) {
    return Try(key, "redemption.v1.RedemptionService.AuthorizeRedemption",
               absl::StrCat("request_id:'<uuid>' store:'partners/", slug,
                            "/stores/s1' card_number:'<card>' points:1"));
  }
  std::optional<Reason> Terminate(const partner::v1::TerminatePartnerRequest& request) {
    return ReasonOf(Ask<Partners>("anna", &Partners::Stub::TerminatePartner, request).status());
  }
  google::protobuf::Timestamp InDays(int days) {
    return rpc::ToProto(coalition().Now() + Timestamp(days * kMicrosPerDay));
  }

  const std::string fresh = Key("life", "fresh", "");
  const std::string books = Key("life-books", "books", "");
};

}  // namespace guilder::access
