// The settlement service over a socket, with the grocer and the florist of the worked example in
// libs/netting/README.md.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/security/keys.h"
#include "services/settlement/rpc/settlement_service.h"
#include "tests/support/catch2.h"
#include "tests/support/posted_ledger.h"
#include "tests/support/service_network.h"

namespace guilder::settlement {

using ledger::Movement;
using Stub = v1::SettlementService::Stub;

// 2026-01-01T00:00:00+01:00, the start of a window.
inline constexpr Timestamp kStart{1'767'222'000 * kMicrosPerSecond};
inline constexpr Timestamp Day(int day) {
  return kStart + Timestamp(day * kMicrosPerDay);
}

inline constexpr char kPartners[] = R"sql(
  insert into partner.partners (slug, programme_id, display_name, legal_name, iban, state,
                                programme_operator)
  values ('club', 1, 'Club', 'Club AG', 'DE89370400440532013000', 'ACTIVE', true),
         ('grocer', 1, 'Grocer', 'Grocer GmbH', 'DE02120300000000202051', 'ACTIVE', false),
         ('florist', 1, 'Florist', 'Blumen & Söhne', 'DE02500105170137075030', 'ACTIVE', false)
)sql";

inline constexpr char kContracts[] = R"sql(
  insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                 currency, tax_code, tax_ppm, fee_ppm, fee_tax_code, fee_tax_ppm,
                                 proposed_by, approved_by)
  values (2, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 0, '', 0, 'anna', 'bert'),
         (3, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 0, '', 0, 'anna', 'bert'),
         (3, 2, 'REDEMPTION', 'APPROVED', 0, 8000, 'EUR', 'O', 0, 25000, 'S19', 190000, 'anna',
          'bert')
)sql";
inline constexpr ContractId kGrocerIssues{1};
inline constexpr ContractId kFloristIssues{2};
inline constexpr ContractId kFloristRedeems{3};

class World {
 public:
  World() : ledger_(network_.database()) {
    network_.database().Query(
        absl::StrCat("update ledger.programmes set started_at_us = ", Day(0).value()));
    network_.database().Query(kPartners);
    network_.database().Query(kContracts);
    ledger_.MoveClockTo(Day(0) + Timestamp(3'600 * kMicrosPerSecond));
    network_.Add(MakeSettlementService({network_.runtime(), network_.pool(), network_.secrets()}),
                 kSettlementServiceName);
    network_.Start();
  }

  const testing::TestDatabase& db() const { return network_.database(); }
  testing::PostedLedger& ledger() { return ledger_; }

  // The points of the worked example, over two books, in the window of that day.
  void PostExample(int day) {
    ledger_.AddPosition(1, kGrocerIssues, Day(day), Movement::kIssued, 10'000);
    ledger_.AddPosition(2, kGrocerIssues, Day(day), Movement::kIssued, 2'400);
    ledger_.AddPosition(2, kGrocerIssues, Day(day), Movement::kReversedPending, 55);
    ledger_.AddPosition(1, kFloristIssues, Day(day), Movement::kIssued, 1'000);
    ledger_.AddPosition(1, kFloristIssues, Day(day), Movement::kActivated, 1'000);
    ledger_.AddPosition(1, kFloristRedeems, Day(day), Movement::kRedeemed, 9'100);
    ledger_.AddPosition(2, kFloristRedeems, Day(day), Movement::kRefunded, 100);
  }
  // Ends the windows before that day, and seals them.
  void SealUntil(int day) {
    ledger_.MoveClockTo(Day(day) + Timestamp(kMicrosPerSecond));
    v1::CloseWindowRequest request;
    request.set_name(WindowOf(day - 1));
    Get("anna", &Stub::CloseWindow, request);
  }
  static std::string WindowOf(int day) {
    return absl::FormatTime("windows/%Y%m%dT%H%M%SZ", ToAbslTime(Day(day)), absl::UTCTimeZone());
  }

  template <typename Request, typename Response>
  Response Get(const std::string& who,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    auto answer = As(who).Invoke(method, request, Once());
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *std::move(answer);
  }
  template <typename Request, typename Response>
  std::optional<Reason> Refusal(const std::string& who,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    return ReasonOf(As(who).Invoke(method, request, Once()).status());
  }
  template <typename Request, typename Response>
  Response GetNamed(const std::string& who,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const std::string& name) const {
    Request request;
    request.set_name(name);
    return Get(who, method, request);
  }

  v1::Settlement Compute(const std::string& who) const {
    return Get(who, &Stub::ComputeSettlement, v1::ComputeSettlementRequest()).settlement();
  }
  v1::GetBalanceSheetResponse BalanceSheet(const std::string& window) const {
    v1::GetBalanceSheetRequest request;
    request.set_window(window);
    return Get("auditor", &Stub::GetBalanceSheet, request);
  }
  std::string EtagOf(const std::string& name) const {
    return GetNamed("auditor", &Stub::GetSettlement, name).settlement().etag();
  }
  v1::ApproveSettlementResponse Approve(const std::string& who, const std::string& name) const {
    v1::ApproveSettlementRequest request;
    request.set_name(name);
    request.set_etag(EtagOf(name));
    return Get(who, &Stub::ApproveSettlement, request);
  }
  v1::ExportPaymentsResponse Export(const std::string& name) const {
    return GetNamed("anna", &Stub::ExportPayments, name);
  }

  // A key of that partner.
  std::string IssueKey(int partner_id) const {
    const std::string id = absl::StrCat("k", partner_id);
    const std::string key = security::GenerateKey(security::KeyKind::kPartner, id);
    const security::KeyHasher hasher(network_.secrets().KeyPepper());
    db().Query(absl::StrCat(
        "insert into partner.credentials (credential_id, partner_id, display_name, key_hash, "
        "scopes, "
        "created_at_us) values ('",
        id, "', ", partner_id, ", 'till', '\\x", ToHex(AsView(hasher.Hash(key))), "', '{}', 0)"));
    return key;
  }
  clients::Client<v1::SettlementService> WithKey(const std::string& key) const {
    return clients::Client<v1::SettlementService>(network_.WithKey(key));
  }
  static clients::RetryPolicy Once() {
    clients::RetryPolicy policy;
    policy.max_attempts = 1;
    return policy;
  }

 private:
  clients::Client<v1::SettlementService> As(const std::string& who) const {
    return clients::Client<v1::SettlementService>(network_.AsOperator(who));
  }

  testing::ServiceNetwork network_;
  testing::PostedLedger ledger_;
};

inline const v1::PartnerNet& NetOf(const v1::Settlement& settlement, const std::string& partner) {
  for (const v1::PartnerNet& net : settlement.nets()) {
    if (net.partner() == partner) return net;
  }
  FAIL("no net of " << partner);
  return settlement.nets(0);
}

}  // namespace guilder::settlement
