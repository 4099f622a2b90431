// Goal: a connection to the database that is lost at any point of sealing, computing, approving or
// exporting changes nothing: the repeat succeeds and gives what an undisturbed one gives.
// Method: as in nth_statement_test.cc, with a settlement of its own for each lost connection.
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "services/settlement/rpc/settlement_service.h"
#include "tests/support/catch2.h"
#include "tests/support/posted_ledger.h"
#include "tests/support/service_network.h"

namespace guilder::settlement {
namespace {

using ledger::Movement;
using testing::TcpGate;
using Stub = v1::SettlementService::Stub;

// 2026-01-01T00:00:00Z, the start of a window.
constexpr Timestamp kStart{1'767'225'600 * kMicrosPerSecond};
constexpr int kMoreThanAnyRequestSends = 200;

constexpr Timestamp Day(int day) {
  return kStart + Timestamp(day * kMicrosPerDay);
}

constexpr char kPartners[] = R"sql(
  insert into partner.partners (slug, programme_id, display_name, legal_name, iban, state,
                                programme_operator)
  values ('club', 1, 'Club', 'Club AG', 'DE89370400440532013000', 'ACTIVE', true),
         ('florist', 1, 'Florist', 'Blumen & Söhne', 'DE02500105170137075030', 'ACTIVE', false);
  insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                 currency, tax_code, tax_ppm, fee_ppm, fee_tax_code, fee_tax_ppm,
                                 proposed_by, approved_by)
  values (2, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 0, '', 0, 'anna', 'bert'),
         (2, 2, 'REDEMPTION', 'APPROVED', 0, 8000, 'EUR', 'O', 0, 25000, 'S19', 190000, 'anna',
          'bert')
)sql";

// Each day is a window, and each window a settlement.
class World {
 public:
  World() : network_({.gated = true}), ledger_(network_.database()) {
    // In a zone whose days are equally long.
    network_.database().Query(absl::StrCat(
        "update ledger.programmes set time_zone = 'UTC', started_at_us = ", Day(0).value()));
    network_.database().Query(kPartners);
    ledger_.MoveClockTo(Day(0) + Timestamp(kMicrosPerSecond));
    network_.Add(MakeSettlementService({network_.runtime(), network_.pool(), network_.secrets()}),
                 kSettlementServiceName);
    network_.Start();
  }

  TcpGate& gate() { return network_.gate(); }
  int64_t Count(const std::string& query) const {
    return network_.database().Query("select count(*) from " + query)[0].Int(0);
  }

  // Posts for another day, and lets it end; gives its window's name.
  std::string EndedWindow() {
    ledger_.Append(1, Day(day_) + Timestamp(2 * kMicrosPerSecond));
    ledger_.AddPosition(1, ContractId(1), Day(day_), Movement::kIssued, 1'000);
    ledger_.AddPosition(1, ContractId(2), Day(day_), Movement::kRedeemed, 5'000);
    const std::string name =
        absl::FormatTime("windows/%Y%m%dT%H%M%SZ", ToAbslTime(Day(day_)), absl::UTCTimeZone());
    ledger_.MoveClockTo(Day(++day_) + Timestamp(kMicrosPerSecond));
    return name;
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(const std::string& who,
                               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                               const Request& request, const clients::RetryPolicy& policy) const {
    return clients::Client<v1::SettlementService>(network_.AsOperator(who))
        .Invoke(method, request, policy);
  }
  template <typename Request, typename Response>
  Response Get(const std::string& who,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    auto answer = Ask(who, method, request, {});
    INFO(answer.status().ToString());
    REQUIRE(answer.ok());
    return *std::move(answer);
  }

  std::string Sealed() {
    v1::CloseWindowRequest request;
    request.set_name(EndedWindow());
    Get("anna", &Stub::CloseWindow, request);
    return request.name();
  }
  // An approval of a new settlement.
  v1::ApproveSettlementRequest Computed() {
    Sealed();
    const v1::Settlement computed =
        Get("anna", &Stub::ComputeSettlement, v1::ComputeSettlementRequest()).settlement();
    v1::ApproveSettlementRequest request;
    request.set_name(computed.name());
    request.set_etag(computed.etag());
    return request;
  }
  std::string Approved() {
    const v1::ApproveSettlementRequest request = Computed();
    Get("bert", &Stub::ApproveSettlement, request);
    return request.name();
  }

 private:
  testing::ServiceNetwork network_;
  testing::PostedLedger ledger_;
  int day_ = 0;
};

template <typename Request, typename Response>
int FailEach(World& world, TcpGate::Failure failure, const std::string& who,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             const std::function<Request()>& make) {
  clients::RetryPolicy once;
  once.max_attempts = 1;
  for (int nth = 1; nth < kMoreThanAnyRequestSends; ++nth) {
    INFO("at " << nth
               << (failure == TcpGate::Failure::kBeforeRequest ? ", before it is sent"
                                                               : ", before its answer"));
    const Request request = make();
    world.gate().FailRequest(nth, failure);
    const auto first = world.Ask(who, method, request, once);
    const bool untouched = !world.gate().failed_request();
    world.gate().Restore();
    if (untouched) {
      INFO(first.status().ToString());
      CHECK(first.ok());
      return nth - 1;
    }
    const std::string second = world.Get(who, method, request).SerializeAsString();
    if (first.ok()) CHECK(first->SerializeAsString() == second);
    CHECK(world.Get(who, method, request).SerializeAsString() == second);
  }
  FAIL("no request gets through");
  return 0;
}

template <typename Request, typename Response>
int FailEachBothWays(World& world, const std::string& who,
                     grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const std::function<Request()>& make) {
  world.Get(who, method, make());
  const int before = FailEach(world, TcpGate::Failure::kBeforeRequest, who, method, make);
  const int after = FailEach(world, TcpGate::Failure::kBeforeAnswer, who, method, make);
  CHECK(before >= 3);
  CHECK(after >= 3);
  // Of each kind one more than failed: the request that got through. And the first.
  return before + after + 3;
}

TEST_CASE("CloseWindow: lost connections at any statement change nothing",
          "[service][settlement][faults][inv-80][inv-105]") {
  World world;

  const int sealed = FailEachBothWays<v1::CloseWindowRequest, v1::CloseWindowResponse>(
      world, "anna", &Stub::CloseWindow, [&] {
        v1::CloseWindowRequest request;
        request.set_name(world.EndedWindow());
        return request;
      });

  CHECK(world.Count("settlement.windows") == sealed);
  CHECK(world.Count("ledger.seals") == 2 * sealed);
}

TEST_CASE("ComputeSettlement: lost connections at any statement change nothing",
          "[service][settlement][faults][inv-83][inv-105]") {
  World world;

  FailEachBothWays<v1::ComputeSettlementRequest, v1::ComputeSettlementResponse>(
      world, "anna", &Stub::ComputeSettlement, [&] {
        world.Sealed();
        return v1::ComputeSettlementRequest();
      });

  CHECK(world.Count("settlement.settlements") == 1);
}

TEST_CASE("ApproveSettlement: lost connections at any statement change nothing",
          "[service][settlement][faults][inv-79][inv-105]") {
  World world;

  const int approved =
      FailEachBothWays<v1::ApproveSettlementRequest, v1::ApproveSettlementResponse>(
          world, "bert", &Stub::ApproveSettlement, [&] { return world.Computed(); });

  CHECK(world.Count("settlement.settlements where state = 'APPROVED'") == approved);
  // Numbers without gaps: an invoice and a self-billed one for each.
  CHECK(world.Count("settlement.invoices") == 2 * approved);
  CHECK(world.Count("settlement.invoices where right(invoice_number, 6)::int > " +
                    std::to_string(approved)) == 0);
}

TEST_CASE("ExportPayments: lost connections at any statement change nothing",
          "[service][settlement][faults][inv-105]") {
  World world;

  const int exported = FailEachBothWays<v1::ExportPaymentsRequest, v1::ExportPaymentsResponse>(
      world, "anna", &Stub::ExportPayments, [&] {
        v1::ExportPaymentsRequest request;
        request.set_name(world.Approved());
        return request;
      });

  CHECK(world.Count("settlement.payment_files") == exported);
}

}  // namespace
}  // namespace guilder::settlement
