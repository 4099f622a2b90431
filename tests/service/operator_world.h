// The operator service over a socket, alone and with a ledger that has been lived in.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "guilder/operator/v1/operator_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/clients/client.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/lanes.h"
#include "services/accrual/domain/purchase.h"
#include "services/operator/rpc/operator_service.h"
#include "tests/support/catch2.h"
#include "tests/support/service_network.h"

namespace guilder::operator_ {

using testing::ServiceNetwork;
using Stub = v1::OperatorService::Stub;

struct World {
  explicit World(const std::string& mode = "DEVELOPMENT") : network(OfMode(mode)) {
    auto service = MakeOperatorService({network.runtime(), network.pool(), network.secrets()});
    REQUIRE(service.ok());
    network.Add(*std::move(service), kOperatorServiceName);
    network.Start();
  }
  static ServiceNetwork::Options OfMode(const std::string& mode) {
    ServiceNetwork::Options options;
    options.mode = mode;
    return options;
  }

  clients::Client<v1::OperatorService> As(const std::string& by) const {
    return clients::Client<v1::OperatorService>(network.AsOperator(by));
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Try(const std::string& by,
                               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                               const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return As(by).Invoke(method, request, once);
  }
  template <typename Request, typename Response>
  Response Get(const std::string& by,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    absl::StatusOr<Response> response = Try(by, method, request);
    if (!response.ok()) FAIL(response.status().ToString());
    return *std::move(response);
  }

  absl::StatusOr<v1::CreateOperatorResponse> Create(const std::string& id,
                                                    const std::vector<v1::Role>& roles) const {
    v1::CreateOperatorRequest request;
    request.set_operator_id(id);
    request.set_display_name("Dora");
    for (const v1::Role role : roles) request.add_roles(role);
    auto created = Try("anna", &Stub::CreateOperator, request);
    if (ReasonOf(created.status()) != Reason::kApprovalRequired) return created;
    Approve(request);
    return Try("anna", &Stub::CreateOperator, request);
  }
  // anna asks, bert approves.
  void Approve(const google::protobuf::Message& request) const {
    v1::RequestApprovalRequest ask;
    ask.mutable_request()->PackFrom(request);
    v1::ApproveRequest approve;
    const v1::Approval asked = Get("anna", &Stub::RequestApproval, ask).approval();
    approve.set_name(asked.name());
    approve.set_etag(asked.etag());
    Get("bert", &Stub::Approve, approve);
  }
  v1::Programme Programme() const {
    return Get("anna", &Stub::GetProgramme, v1::GetProgrammeRequest()).programme();
  }
  std::vector<v1::ExplanationStep> Explain(const std::string& name) const {
    v1::ExplainRequest request;
    request.set_name(name);
    const v1::ExplainResponse response = Get("auditor", &Stub::Explain, request);
    return {response.steps().begin(), response.steps().end()};
  }
  std::vector<v1::VerifyLedgerResponse> Verify() const {
    const clients::Client<v1::OperatorService> client = As("auditor");
    grpc::ClientContext context;
    client.channel().Prepare(context, absl::Now() + absl::Seconds(60));
    const auto reader = client.stub().VerifyLedger(&context, v1::VerifyLedgerRequest());
    std::vector<v1::VerifyLedgerResponse> messages;
    for (v1::VerifyLedgerResponse message; reader->Read(&message);) messages.push_back(message);
    CHECK(reader->Finish().ok());
    return messages;
  }

  ServiceNetwork network;
};

using Decide = std::function<absl::Status(ledger::Posting&)>;

class TestCommand final : public ledger::Command {
 public:
  explicit TestCommand(operator_::Decide decide) : decide_(std::move(decide)) {}
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&,
                                     ledger::Posting& posting) override {
    GUILDER_RETURN_IF_ERROR(decide_(posting));
    return "done";
  }

 private:
  operator_::Decide decide_;
};

inline constexpr char kPartners[] = R"sql(
  insert into partner.partners (partner_id, slug, programme_id, display_name, state)
  overriding system value
  values (1, 'fresh', 1, 'Fresh', 'ACTIVE'), (2, 'diner', 1, 'Diner', 'ACTIVE');
  insert into partner.contracts (contract_id, partner_id, number, kind, state, effective_from_us,
                                 rate_micros, currency, tax_code, tax_ppm, proposed_by, approved_by)
  overriding system value
  values (1, 1, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', 'S19', 190000, 'anna', 'bert'),
         (2, 2, 1, 'REDEMPTION', 'APPROVED', 0, 9000, 'EUR', '', 0, 'anna', 'bert');
  insert into accrual.rule_sets (rule_set_id, state, effective_from_us, rules, proposed_by, approved_by)
  overriding system value
  values (4, 'APPROVED', 0, '', 'anna', 'bert');
)sql";

// One settlement over the one window that has positions, with an invoice and a payment.
inline constexpr char kSettle[] = R"sql(
  insert into settlement.settlements (settlement_id, programme_id, currency, state, start_us, end_us,
                                      computed_by, approved_by, approved_at_us)
  select 1, 1, 'EUR', 'APPROVED', min(window_start_us), min(window_start_us) + 86400000000, 'anna',
         'bert', 1
    from ledger.positions;
  insert into settlement.windows (window_start_us, window_end_us, sealed_at_us, settlement_id)
  select start_us, end_us, end_us, 1 from settlement.settlements;
  insert into settlement.lines (settlement_id, line, partner_id, contract_id, leg, points,
                                cumulative_points, amount, tax_code, tax_ppm, tax)
  values (1, 1, 1, 1, 'ISSUANCE', 130, 130, 130, 'S19', 190000, 25);
  insert into settlement.nets (settlement_id, partner_id, points_issued, points_reversed,
                               points_redeemed, issuance, reimbursement, fee, tax, net)
  values (1, 1, 130, 0, 0, 130, 0, 0, 25, -155);
  insert into settlement.obligations (settlement_id, partner_id, partner_is_paid, amount, state,
                                      end_to_end_id)
  values (1, 1, false, 155, 'OPEN', 'GLD-1-1');
  insert into settlement.money_transactions (number, posted_at_us, kind, currency, reference,
                                             idempotency_key, posted_by, settlement_id, leaf, root)
  values (1, 1, 'SETTLEMENT', 'EUR', 'settlements/1', 'settlements/1/approval', 'bert', 1, '', '');
  insert into settlement.money_entries (number, line, partner_id, cause, debit_account, debit_partner,
                                        credit_account, credit_partner, amount)
  values (1, 1, 1, 'ISSUANCE', 'PARTNER_RECEIVABLE', 1, 'POINTS_LIABILITY', null, 130),
         (1, 2, 1, 'ISSUANCE', 'PARTNER_RECEIVABLE', 1, 'TAX:S19', null, 25);
  insert into settlement.invoices (invoice_number, kind, partner_id, settlement_id, issued_at_us, net,
                                   tax)
  values ('INV-2026-000001', 'INVOICE', 1, 1, 1, 130, 25);
  insert into settlement.invoice_lines (invoice_number, line, settlement_id)
  values ('INV-2026-000001', 1, 1);
)sql";

// A member who bought for 30 and 100 points at Fresh and has 20 of them held at the Diner.
struct LivingWorld : World {
  LivingWorld() {
    network.database().Query(kPartners);
    auto started = ledger::Lanes::Start({.dsn = network.database().dsn(), .lanes = 1});
    REQUIRE(started.ok());
    lanes = *std::move(started);
    Buy(30, AccountId());
    Buy(100, account);
    Post(ledger::RecordKind::kAuthorization, "", [](ledger::Posting& posting) {
      return ledger::DecideHold(posting, {.partner = PartnerId(2),
                                          .store = StoreId(1),
                                          .contract = ContractId(2),
                                          .points = Points(20),
                                          .expires_at = kNever - Timestamp(1)});
    });
  }

  void Buy(int64_t points, AccountId by) {
    accrual::Purchase purchase;
    purchase.receipt.store = "s1";
    purchase.receipt.receipt_number = "R-17";
    purchase.occurred_at = Timestamp(1'700'000'000'000'000);
    purchase.currency = {'E', 'U', 'R'};
    purchase.lines = {{"1", "apple", 1, MinorUnits(250), "fruit"},
                      {"2", "pear", 2, MinorUnits(1'000), "fruit"}};
    accrual::PurchaseOutcome outcome;
    outcome.line_points = {Points(points - 10), Points(10)};
    outcome.rule_set = 4;
    account = by;
    Post(ledger::RecordKind::kPurchase,
         accrual::EncodeRecorded(accrual::EncodePurchase(purchase), outcome),
         [&](ledger::Posting& posting) {
           account = posting.account().id;
           return ledger::DecideEarn(posting, {.issuer = PartnerId(1),
                                               .contract = ContractId(1),
                                               .points = Points(points),
                                               .activates_at = Timestamp(0)});
         });
  }

  void Post(ledger::RecordKind kind, const std::string& content, Decide decide) {
    auto command = std::make_unique<TestCommand>(std::move(decide));
    command->kind = kind;
    command->partner = PartnerId(1);
    command->request_id[0] = ++requests;
    command->content = content;
    command->book = BookId(1);
    command->account = account;
    command->needs_lots = true;
    std::promise<absl::StatusOr<ledger::Answer>> promise;
    lanes->Submit(std::move(command), [&](absl::StatusOr<ledger::Answer> answer) {
      promise.set_value(std::move(answer));
    });
    const auto answer = promise.get_future().get();
    INFO(answer.status().ToString());
    REQUIRE(answer.ok());
  }

  std::unique_ptr<ledger::Lanes> lanes;
  AccountId account;
  uint8_t requests = 0;
};

}  // namespace guilder::operator_
