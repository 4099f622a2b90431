// A settlement service over a coalition whose first day is settled: grocer and florist are those of
// the worked example in libs/netting/README.md. The grocer owes 146.91 EUR, and the florist is paid
// 57.96 EUR.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/security/keys.h"
#include "services/settlement/rpc/settlement_service.h"
#include "tests/support/catch2.h"
#include "tests/support/posted_ledger.h"
#include "tests/support/service_network.h"

namespace guilder::settlement {

class SettledWorld {
 public:
  using Stub = v1::SettlementService::Stub;

  // 2026-01-01T00:00:00+01:00, the start of a window.
  static constexpr Timestamp kStart{1'767'222'000 * kMicrosPerSecond};
  static constexpr char kIban[] = "DE89370400440532013000";
  static constexpr ContractId kGrocerIssues{1};
  static constexpr ContractId kFloristIssues{2};
  static constexpr ContractId kFloristRedeems{3};

  // The first day's settlement is approved and, unless told otherwise, its payments are instructed.
  explicit SettledWorld(bool instructed = true) : ledger_(network_.database()) {
    network_.database().Query(
        absl::StrCat("update ledger.programmes set started_at_us = ", Day(0).value()));
    network_.database().Query(kPartners);
    network_.database().Query(kContracts);
    ledger_.MoveClockTo(Day(0) + Timestamp(3'600 * kMicrosPerSecond));
    network_.Add(MakeSettlementService({network_.runtime(), network_.pool(), network_.secrets()}),
                 kSettlementServiceName);
    network_.Start();
    PostExample(0);
    Settle(1);
    if (!instructed) return;
    v1::ExportPaymentsRequest request;
    request.set_name("settlements/1");
    Get("anna", &Stub::ExportPayments, request);
  }

  const testing::TestDatabase& db() const { return network_.database(); }
  testing::PostedLedger& ledger() { return ledger_; }
  static constexpr Timestamp Day(int day) { return kStart + Timestamp(day * kMicrosPerDay); }

  // The points of the worked example, over two books, in the window of that day.
  void PostExample(int day) {
    using ledger::Movement;
    ledger_.AddPosition(1, kGrocerIssues, Day(day), Movement::kIssued, 10'000);
    ledger_.AddPosition(2, kGrocerIssues, Day(day), Movement::kIssued, 2'400);
    ledger_.AddPosition(2, kGrocerIssues, Day(day), Movement::kReversedPending, 55);
    ledger_.AddPosition(1, kFloristIssues, Day(day), Movement::kIssued, 1'000);
    ledger_.AddPosition(1, kFloristRedeems, Day(day), Movement::kRedeemed, 9'100);
    ledger_.AddPosition(2, kFloristRedeems, Day(day), Movement::kRefunded, 100);
  }
  // Seals the windows before that day, computes their settlement, and approves it.
  v1::ApproveSettlementResponse Settle(int day) {
    ledger_.MoveClockTo(Day(day) + Timestamp(kMicrosPerSecond));
    v1::CloseWindowRequest close;
    close.set_name(
        absl::FormatTime("windows/%Y%m%dT%H%M%SZ", ToAbslTime(Day(day - 1)), absl::UTCTimeZone()));
    Get("anna", &Stub::CloseWindow, close);
    const v1::Settlement computed =
        Get("anna", &Stub::ComputeSettlement, v1::ComputeSettlementRequest()).settlement();
    v1::ApproveSettlementRequest approve;
    approve.set_name(computed.name());
    approve.set_etag(computed.etag());
    return Get("bert", &Stub::ApproveSettlement, approve);
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(const std::string& who,
                               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                               const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return As(who).Invoke(method, request, once);
  }
  template <typename Request, typename Response>
  Response Get(const std::string& who,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    auto answer = Ask(who, method, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *std::move(answer);
  }
  template <typename Request, typename Response>
  std::optional<Reason> Refusal(const std::string& who,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    return ReasonOf(Ask(who, method, request).status());
  }

  v1::Obligation ObligationOf(const std::string& partner, int settlement = 1) const {
    v1::ListObligationsRequest request;
    request.set_parent(absl::StrCat("settlements/", settlement));
    const v1::ListObligationsResponse response = Get("auditor", &Stub::ListObligations, request);
    for (const v1::Obligation& obligation : response.obligations()) {
      if (obligation.partner() == "partners/" + partner) return obligation;
    }
    FAIL("no obligation of " << partner);
    return {};
  }
  // Debits less credits of an account of the money ledger, of all partners.
  int64_t Balance(const std::string& account) const {
    return db()
        .Query(
            absl::StrCat("select coalesce(sum(case when debit_account = '", account,
                         "' then amount else 0 end) - sum(case when credit_account = '", account,
                         "' then amount else 0 end), 0)::bigint from settlement.money_entries"))[0]
        .Int(0);
  }

  // Partners "grocer" and "florist" by keys of their own, everybody else by an operator's token.
  clients::Client<v1::SettlementService> As(const std::string& who) const {
    if (who != "grocer" && who != "florist") {
      return clients::Client<v1::SettlementService>(network_.AsOperator(who));
    }
    return clients::Client<v1::SettlementService>(network_.WithKey(KeyOf(who)));
  }

 private:
  static constexpr char kPartners[] = R"sql(
    insert into partner.partners (slug, programme_id, display_name, legal_name, iban, state,
                                  programme_operator)
    values ('club', 1, 'Club', 'Club AG', 'DE89370400440532013000', 'ACTIVE', true),
           ('grocer', 1, 'Grocer', 'Grocer <script>alert(1)</script> & Co', 'DE02120300000000202051',
            'ACTIVE', false),
           ('florist', 1, 'Florist', 'Blumen & Söhne', 'DE02500105170137075030', 'ACTIVE', false)
  )sql";
  static constexpr char kContracts[] = R"sql(
    insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                   currency, tax_code, tax_ppm, fee_ppm, fee_tax_code, fee_tax_ppm,
                                   proposed_by, approved_by)
    values (2, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 0, '', 0, 'anna', 'bert'),
           (3, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 0, '', 0, 'anna', 'bert'),
           (3, 2, 'REDEMPTION', 'APPROVED', 0, 8000, 'EUR', 'O', 0, 25000, 'S19', 190000, 'anna',
            'bert')
  )sql";

  // Issued when it is first asked for.
  const std::string& KeyOf(const std::string& slug) const {
    std::string& key = keys_[slug];
    if (!key.empty()) return key;
    key = security::GenerateKey(security::KeyKind::kPartner, slug);
    const security::KeyHasher hasher(network_.secrets().KeyPepper());
    db().Query(absl::StrCat(
        "insert into partner.credentials (credential_id, partner_id, display_name, key_hash, "
        "scopes, created_at_us) select '",
        slug, "', partner_id, 'till', '\\x", ToHex(AsView(hasher.Hash(key))),
        "', '{}', 0 from partner.partners where slug = '", slug, "'"));
    return key;
  }

  testing::ServiceNetwork network_;
  testing::PostedLedger ledger_;
  mutable std::map<std::string, std::string> keys_;
};

}  // namespace guilder::settlement
