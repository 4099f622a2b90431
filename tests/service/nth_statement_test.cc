// Goal: a connection to the database that is lost at any point of a request changes nothing: the
// repeat succeeds, has one effect, and gives the same answer from then on.
// Method: a gate loses the connection at the Nth thing that is sent to the database, for N = 1, 2,
// 3 … until a request gets through untouched; once before it reaches the database, once before its
// answer comes back.
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/ledger/store/verify.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/accrual_service.h"
#include "services/member/rpc/member_service.h"
#include "services/redemption/rpc/redemption_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder {
namespace {

using accrual::v1::AccrualService;
using member::v1::MemberService;
using redemption::v1::RedemptionService;
using testing::TcpGate;

constexpr int kMoreThanAnyRequestSends = 200;

struct World {
  World() {
    testing::ServiceNetwork& network = coalition.network();
    network.Add(accrual::MakeAccrualService({network.runtime(), network.pool(), coalition.lanes(),
                                             coalition.cards(), network.secrets()}),
                accrual::kAccrualServiceName);
    network.Add(member::MakeMemberService(
                    {network.runtime(), network.pool(), coalition.lanes(), network.secrets()}),
                member::kMemberServiceName);
    network.Add(
        redemption::MakeRedemptionService({network.runtime(), network.pool(), coalition.lanes(),
                                           coalition.cards(), coalition.network().secrets()}),
        redemption::kRedemptionServiceName);
    network.Start();
    // Points can be spent at once.
    network.database().Query(
        "update partner.contracts set activation_days = 0 where partner_id = "
        "(select partner_id from partner.partners where slug = 'books') and kind = 'ISSUANCE'; "
        "update ledger.configuration set version = version + 1");
    card = coalition.AMember();
  }
  ~World() {
    testing::CheckInvariants(coalition.database());
    const auto report = ledger::Verify(coalition.network().pool(), {},
                                       [](const ledger::VerifyProgress&) { return true; });
    CHECK(report.ok());
    CHECK((report.ok() && report->ok));
  }

  TcpGate& gate() { return coalition.network().gate(); }
  clients::Channel Partner() const { return coalition.AsPartner("books"); }

  accrual::v1::RecordPurchaseRequest APurchase() const {
    accrual::v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    accrual::v1::ReceiptKey& receipt = *request.mutable_receipt();
    receipt.set_store("partners/books/stores/s1");
    receipt.set_terminal("t1");
    receipt.set_receipt_number(clients::NewRequestId());
    receipt.set_business_date("2026-01-31");
    request.set_card_number(card);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    request.set_currency_code("EUR");
    accrual::v1::PurchaseLine& line = *request.add_lines();
    line.set_quantity(1);
    line.set_amount_minor_units(10'000);
    return request;
  }
  // A purchase that is through, by its name.
  std::string Bought(const std::string& slug = "books") const {
    auto request = APurchase();
    request.mutable_receipt()->set_store("partners/" + slug + "/stores/s1");
    const auto bought = clients::Client<AccrualService>(coalition.AsPartner(slug))
                            .Invoke(&AccrualService::Stub::RecordPurchase, request);
    REQUIRE(bought.ok());
    return bought->name();
  }
  redemption::v1::AuthorizeRedemptionRequest AnAuthorization() const {
    redemption::v1::AuthorizeRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/books/stores/s1");
    request.set_card_number(card);
    request.set_points(10);
    return request;
  }
  std::string Held() const {
    Bought();
    const auto held = clients::Client<RedemptionService>(Partner()).Invoke(
        &RedemptionService::Stub::AuthorizeRedemption, AnAuthorization());
    REQUIRE(held.ok());
    return held->name();
  }
  std::string Captured() const {
    redemption::v1::CaptureRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(Held());
    REQUIRE(clients::Client<RedemptionService>(Partner())
                .Invoke(&RedemptionService::Stub::CaptureRedemption, request)
                .ok());
    return request.name();
  }

  mutable testing::Coalition coalition{2, /*gated=*/true};
  std::string card;
};

clients::RetryPolicy Once() {
  clients::RetryPolicy policy;
  policy.per_attempt = absl::Seconds(10);
  policy.max_attempts = 1;
  return policy;
}

// Makes the answer to a request, as bytes, by one attempt or by as many as it takes.
using Ask = std::function<absl::StatusOr<std::string>(const clients::RetryPolicy&)>;
struct Request {
  std::string id;
  Ask ask;
};

template <typename Service, typename Asked, typename Response>
Request Of(const clients::Channel& channel,
           grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Asked&, Response*),
           const Asked& asked) {
  return {asked.request_id(),
          [client = clients::Client<Service>(channel), method,
           asked](const clients::RetryPolicy& policy) -> absl::StatusOr<std::string> {
            const auto answer = client.Invoke(method, asked, policy);
            if (!answer.ok()) return answer.status();
            return answer->SerializeAsString();
          }};
}

// A confirmation is an item of a stream.
Request Confirmation(const clients::Channel& channel, const std::string& purchase) {
  accrual::v1::ConfirmPurchasesRequest item;
  item.set_request_id(clients::NewRequestId());
  item.set_purchase(purchase);
  item.set_outcome(accrual::v1::PURCHASE_OUTCOME_CONFIRMED);
  return {item.request_id(),
          [channel, item](const clients::RetryPolicy& policy) -> absl::StatusOr<std::string> {
            const auto stub = AccrualService::NewStub(channel.grpc());
            for (clients::Retrier retrier(policy);;) {
              grpc::ClientContext context;
              channel.Prepare(context, retrier.AttemptDeadline());
              const auto stream = stub->ConfirmPurchases(&context);
              stream->Write(item);
              stream->WritesDone();
              accrual::v1::ConfirmPurchasesResponse answer;
              const bool answered = stream->Read(&answer);
              absl::Status status = rpc::FromGrpcStatus(stream->Finish());
              if (answered) status = rpc::FromRpcStatus(answer.error());
              if (status.ok()) return answer.SerializeAsString();
              if (!retrier.WaitBeforeRepeat(status, channel)) return status;
            }
          }};
}

int64_t Records(const World& world, const std::string& request_id) {
  return world.coalition.database()
      .Query("select count(*) from ledger.journal where request_id = '" + request_id + "'")[0]
      .Int(0);
}

// Gives how many failures it took until a request got through.
int FailEach(World& world, TcpGate::Failure failure, const std::function<Request()>& make) {
  for (int nth = 1; nth < kMoreThanAnyRequestSends; ++nth) {
    INFO("at " << nth
               << (failure == TcpGate::Failure::kBeforeRequest ? ", before it is sent"
                                                               : ", before its answer"));
    const Request request = make();
    world.gate().FailRequest(nth, failure);
    const auto first = request.ask(Once());
    const bool untouched = !world.gate().failed_request();
    world.gate().Restore();
    if (untouched) {
      INFO(first.status().ToString());
      CHECK(first.ok());
      return nth - 1;
    }
    const auto second = request.ask({});
    INFO(second.status().ToString());
    REQUIRE(second.ok());
    if (first.ok()) CHECK(*first == *second);
    CHECK(*request.ask({}) == *second);
    CHECK(Records(world, request.id) == 1);
  }
  FAIL("no request gets through");
  return 0;
}

void FailEachBothWays(World& world, const std::function<Request()>& make) {
  // So that a session has its prepared statements.
  REQUIRE(make().ask({}).ok());
  const int before = FailEach(world, TcpGate::Failure::kBeforeRequest, make);
  const int after = FailEach(world, TcpGate::Failure::kBeforeAnswer, make);
  // Lock, read, write, commit at the least.
  CHECK(before >= 3);
  CHECK(after >= 3);
}

TEST_CASE("Earning: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    return Of<AccrualService>(world.Partner(), &AccrualService::Stub::RecordPurchase,
                              world.APurchase());
  });
}

TEST_CASE("Returning: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    accrual::v1::RecordReturnRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/books/stores/s1");
    request.set_return_number(clients::NewRequestId());
    *request.mutable_occurred_at() = rpc::ToProto(world.coalition.Now());
    request.set_purchase(world.Bought());
    accrual::v1::ReturnLine& line = *request.add_lines();
    line.set_line_id("1");
    line.set_quantity(1);
    return Of<AccrualService>(world.Partner(), &AccrualService::Stub::RecordReturn, request);
  });
}

TEST_CASE("Confirming: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    return Confirmation(world.coalition.AsPartner("fresh"), world.Bought("fresh"));
  });
}

TEST_CASE("Enrolling: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    member::v1::EnrolMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_member()->set_given_name("Ada");
    return Of<MemberService>(world.Partner(), &MemberService::Stub::EnrolMember, request);
  });
}

TEST_CASE("Authorizing: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    world.Bought();
    return Of<RedemptionService>(world.Partner(), &RedemptionService::Stub::AuthorizeRedemption,
                                 world.AnAuthorization());
  });
}

TEST_CASE("Capturing: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    redemption::v1::CaptureRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(world.Held());
    return Of<RedemptionService>(world.Partner(), &RedemptionService::Stub::CaptureRedemption,
                                 request);
  });
}

TEST_CASE("Voiding: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    redemption::v1::VoidRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(world.Held());
    return Of<RedemptionService>(world.Partner(), &RedemptionService::Stub::VoidRedemption,
                                 request);
  });
}

TEST_CASE("Refunding: lost connections at any statement change nothing",
          "[service][faults][inv-11][inv-105]") {
  World world;
  FailEachBothWays(world, [&] {
    redemption::v1::RefundRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(world.Captured());
    request.set_points(1);
    return Of<RedemptionService>(world.Partner(), &RedemptionService::Stub::RefundRedemption,
                                 request);
  });
}

}  // namespace
}  // namespace guilder
