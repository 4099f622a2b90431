#include "services/operator/rpc/operator_service.h"

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/operator/v1/operator_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/lanes.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/domain/purchase.h"
#include "tests/support/catch2.h"
#include "tests/support/service_network.h"

namespace guilder::operator_ {
namespace {

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
    return Try("anna", &Stub::CreateOperator, request);
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

constexpr char kPartners[] = R"sql(
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
constexpr char kSettle[] = R"sql(
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
  insert into settlement.money_entries (settlement_id, line, partner_id, cause, currency, debit_account,
                                        debit_partner, credit_account, credit_partner, amount)
  values (1, 1, 1, 'ISSUANCE', 'EUR', 'RECEIVABLE', 1, 'POINTS_LIABILITY', null, 130),
         (1, 2, 1, 'ISSUANCE', 'EUR', 'RECEIVABLE', 1, 'TAX:S19', null, 25);
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

bool Has(const std::vector<v1::ExplanationStep>& steps, const std::string& kind,
         const std::string& name, const std::string& text = "") {
  for (const v1::ExplanationStep& step : steps) {
    if (step.kind() == kind && step.name() == name && absl::StrContains(step.text(), text)) {
      return true;
    }
  }
  return false;
}

std::string Text(const std::vector<v1::ExplanationStep>& steps) {
  std::string text;
  for (const v1::ExplanationStep& step : steps) {
    absl::StrAppend(&text, std::string(2 * static_cast<size_t>(step.depth()), ' '), step.kind(),
                    " ", step.name(), ": ", step.text(), "\n");
  }
  return text;
}

}  // namespace

TEST_CASE("CreateOperator: the token of the answer opens what the roles allow",
          "[service][operator]") {
  const World world;
  const auto created = world.Create("dora", {v1::ROLE_AUDITOR, v1::ROLE_ADMIN});
  REQUIRE(created.ok());
  CHECK(created->operator_().name() == "operators/dora");

  clients::Client<v1::OperatorService> dora(world.network.WithKey(created->token()));
  const auto listed = dora.Invoke(&Stub::ListOperators, v1::ListOperatorsRequest());
  REQUIRE(listed.ok());
  REQUIRE(listed->operators_size() == 5);
  const v1::Operator& last = listed->operators(4);
  CHECK(last.name() == "operators/dora");
  CHECK(last.display_name() == "Dora");
  REQUIRE(last.roles_size() == 2);
  CHECK(last.roles(0) == v1::ROLE_ADMIN);
  CHECK(last.roles(1) == v1::ROLE_AUDITOR);
}

TEST_CASE("CreateOperator: what is malformed or taken is refused", "[service][operator]") {
  const World world;
  for (const char* id : {"", "d", "Dora", "d_ora", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    INFO(id);
    CHECK(ReasonOf(world.Create(id, {v1::ROLE_ADMIN}).status()) == Reason::kRequestMalformed);
  }
  CHECK(ReasonOf(world.Create("dora", {}).status()) == Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Create("dora", {v1::ROLE_UNSPECIFIED}).status()) ==
        Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Create("dora", {static_cast<v1::Role>(77)}).status()) ==
        Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Create("anna", {v1::ROLE_ADMIN}).status()) == Reason::kAlreadyExists);
}

TEST_CASE("ListOperators: pages give everyone once, in order", "[service][operator]") {
  const World world;
  v1::ListOperatorsRequest request;
  request.set_page_size(3);
  std::string names;
  do {
    const auto page = world.Get("auditor", &Stub::ListOperators, request);
    for (const v1::Operator& one : page.operators()) absl::StrAppend(&names, one.name(), " ");
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  CHECK(names == "operators/anna operators/auditor operators/bert operators/cleo ");

  request.set_page_token("made up");
  CHECK(ReasonOf(world.Try("auditor", &Stub::ListOperators, request).status()) ==
        Reason::kPageTokenInvalid);
}

TEST_CASE("AdvanceClock: moves every book forward, with partitions ahead", "[service][operator]") {
  const World world;
  const v1::Programme before = world.Programme();
  CHECK(before.name() == "programmes/guilder");
  CHECK(before.mode() == "DEVELOPMENT");
  v1::AdvanceClockRequest request;
  request.mutable_duration()->set_seconds(400 * 86'400);
  const v1::Programme after = world.Get("anna", &Stub::AdvanceClock, request).programme();

  const int64_t moved = after.clock().seconds() - before.clock().seconds();
  CHECK(moved >= 400 * 86'400);
  CHECK(moved < 400 * 86'400 + 60);
  const auto offsets = world.network.database().Query(
      "select count(*), count(distinct clock_offset_us), min(clock_offset_us) from ledger.books");
  CHECK(offsets[0].Int(0) == 2);
  CHECK(offsets[0].Int(1) == 1);
  CHECK(offsets[0].Int(2) == 400 * kMicrosPerDay);
  // Two for each month of 400 and 62 days, and the default ones.
  const auto partitions = world.network.database().Query(
      "select count(*) from pg_inherits i join pg_class c on c.oid = i.inhparent "
      "where c.relname in ('journal', 'entries')");
  CHECK(partitions[0].Int(0) >= 2 * 16);

  request.Clear();
  *request.mutable_until() = after.clock();
  request.mutable_until()->set_seconds(after.clock().seconds() + 86'400);
  const v1::Programme later = world.Get("anna", &Stub::AdvanceClock, request).programme();
  CHECK(later.clock().seconds() == request.until().seconds());
}

TEST_CASE("AdvanceClock: neither backwards nor too far, and never a live programme's",
          "[service][operator]") {
  const World world;
  const auto refusal = [](const World& of, const v1::AdvanceClockRequest& request) {
    return ReasonOf(of.Try("anna", &Stub::AdvanceClock, request).status());
  };
  v1::AdvanceClockRequest request;
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_duration()->set_seconds(0);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_duration()->set_seconds(-5);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_duration()->set_seconds(INT64_MAX);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);
  request.mutable_until()->set_seconds(1'000);
  CHECK(refusal(world, request) == Reason::kClockNotMovable);
  request.mutable_until()->set_seconds(250'000'000'000);
  CHECK(refusal(world, request) == Reason::kRequestMalformed);

  const World live("LIVE");
  request.mutable_duration()->set_seconds(60);
  CHECK(refusal(live, request) == Reason::kClockNotMovable);
}

TEST_CASE("VerifyLedger: tells its progress, and at last every check", "[service][operator]") {
  const LivingWorld world;
  const std::vector<v1::VerifyLedgerResponse> messages = world.Verify();
  REQUIRE(messages.size() > 1);
  for (size_t i = 0; i + 1 < messages.size(); ++i) CHECK_FALSE(messages[i].done());
  const v1::VerifyLedgerResponse& last = messages.back();
  CHECK(last.done());
  CHECK(last.records_done() == 3);
  CHECK(last.checks_size() == 20);
  for (const v1::LedgerCheck& check : last.checks()) {
    INFO(check.name() << ": " << check.first_failure());
    CHECK(check.ok());
  }
  CHECK(last.ok());
}

TEST_CASE("VerifyLedger: what was tampered with is named", "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query("update ledger.journal set content = 'other' where number = 2");
  const v1::VerifyLedgerResponse last = world.Verify().back();
  CHECK_FALSE(last.ok());
  for (const v1::LedgerCheck& check : last.checks()) {
    CHECK(check.ok() == (check.name() != "leaves digest what is stored"));
    if (!check.ok()) CHECK(check.first_failure() == "record 1-2");
  }
}

TEST_CASE("GetTrialBalance: debits equal credits, in points and in money", "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  const auto balance = world.Get("auditor", &Stub::GetTrialBalance, v1::GetTrialBalanceRequest());
  const auto find = [](const auto& lines, const std::string& account) {
    for (const v1::TrialBalanceLine& line : lines) {
      if (line.account() == account) return std::pair(line.debit(), line.credit());
    }
    return std::pair<int64_t, int64_t>(-1, -1);
  };
  const auto sums_agree = [](const auto& lines) {
    int64_t sum = 0;
    for (const v1::TrialBalanceLine& line : lines) sum += line.debit() - line.credit();
    return sum == 0;
  };
  using Sides = std::pair<int64_t, int64_t>;
  CHECK(find(balance.points(), "ISSUED partners/fresh") == Sides(130, 0));
  CHECK(find(balance.points(), "AVAILABLE") == Sides(0, 110));
  CHECK(find(balance.points(), "HELD") == Sides(0, 20));
  CHECK(find(balance.money(), "RECEIVABLE partners/fresh") == Sides(155, 0));
  CHECK(find(balance.money(), "TAX:S19") == Sides(0, 25));
  CHECK(sums_agree(balance.points()));
  CHECK(sums_agree(balance.money()));
}

TEST_CASE("Explain: a payment leads to the purchases and the rules that it comes from",
          "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  const std::vector<v1::ExplanationStep> steps = world.Explain("GLD-1-1");
  INFO(Text(steps));
  CHECK(Has(steps, "payment", "GLD-1-1", "1.55 EUR from Fresh"));
  CHECK(Has(steps, "obligation", "settlements/1/obligations/fresh", "issuance 1.30 EUR"));
  CHECK(Has(steps, "invoice", "invoices/INV-2026-000001"));
  CHECK(Has(steps, "invoice line", "settlements/1/lines/1", "ISSUANCE of 130 points"));
  CHECK(Has(steps, "contract", "partners/fresh/contracts/1", "0.010000 EUR a point"));
  CHECK(Has(steps, "entry", "entries/1-1-1", "30 points from ISSUED of partners/fresh"));
  CHECK(Has(steps, "purchase", "purchases/1-2", "2 lines for 12.50 EUR, receipt R-17"));
  CHECK(Has(steps, "rule", "ruleSets/4", "approved by bert"));
  int last_depth = -1;
  for (const v1::ExplanationStep& step : steps) {
    CHECK(step.depth() <= last_depth + 1);
    last_depth = step.depth();
  }
}

TEST_CASE("Explain: every kind of name has an explanation", "[service][operator]") {
  const LivingWorld world;
  world.network.database().Query(kSettle);
  world.network.database().Query(
      "insert into accrual.parked_items (request_id, partner_id, reason, created_at_us, refers_to, "
      "content) values ('0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f5', 1, 'RECEIPT_CONFLICT', 1, "
      "'purchases/1-1', 'receipt R-17')");
  const auto window = world.network.database().Query(
      "select to_char(to_timestamp(window_start_us / 1000000) at time zone 'UTC', "
      "'YYYYMMDD\"T\"HH24MISS\"Z\"') from settlement.windows");
  const std::vector<std::pair<std::string, std::string>> names = {
      {"purchases/1-1", "purchase"},
      {"redemptions/1-3", "redemption"},
      {"entries/1-2-1", "entry"},
      {"lots/1-1024", "lot"},
      {absl::StrCat("members/", world.account.value()), "member"},
      {"partners/diner/contracts/1", "contract"},
      {"ruleSets/4", "rule"},
      {"settlements/1", "settlement"},
      {"settlements/1/lines/1", "invoice line"},
      {"settlements/1/obligations/fresh", "obligation"},
      {"invoices/INV-2026-000001", "invoice"},
      {"GLD-1-1", "payment"},
      {absl::StrCat("windows/", ToAbsl(window[0].Text(0))), "window"},
      {"parkedItems/1-0192f0c4-8a6b-7c3d-9e4f-a0b1c2d3e4f5", "parked item"},
  };
  for (const auto& [name, kind] : names) {
    INFO(name);
    const std::vector<v1::ExplanationStep> steps = world.Explain(name);
    REQUIRE_FALSE(steps.empty());
    CHECK(steps[0].depth() == 0);
    CHECK(steps[0].name() == name);
    CHECK(steps[0].kind() == kind);
    CHECK_FALSE(steps[0].text().empty());
  }
  CHECK(Has(world.Explain(names.back().first), "purchase", "purchases/1-1"));
}

TEST_CASE("Explain: what has no such name is not found", "[service][operator]") {
  const LivingWorld world;
  for (const char* name : {"",
                           "/",
                           "purchases/",
                           "purchases/1-9",
                           "purchases/9-1",
                           "purchases/1",
                           "purchases/1-1-1",
                           "purchases/-1-1",
                           "purchases/1-99999999999999999999",
                           "lots/1-1",
                           "entries/1-1-99",
                           "members/7",
                           "windows/20260101",
                           "windows/20000101T000000Z",
                           "settlements/9",
                           "settlements/99999999999",
                           "settlements/1/lines/9",
                           "invoices/x",
                           "nothing",
                           "a b",
                           "\x01",
                           "partners/none/contracts/1",
                           "parkedItems/1-x",
                           "parkedItems/x"}) {
    INFO(name);
    v1::ExplainRequest request;
    request.set_name(name);
    CHECK(ReasonOf(world.Try("auditor", &Stub::Explain, request).status()) ==
          Reason::kNameNotFound);
  }
}

TEST_CASE("OperatorService: only those may whose role it is", "[service][operator]") {
  const World world;
  v1::CreateOperatorRequest create;
  CHECK(ReasonOf(world.Try("auditor", &Stub::CreateOperator, create).status()) ==
        Reason::kPermissionDenied);
  CHECK(ReasonOf(world.Try("auditor", &Stub::AdvanceClock, v1::AdvanceClockRequest()).status()) ==
        Reason::kPermissionDenied);
  clients::Client<v1::OperatorService> nobody(world.network.WithKey(""));
  CHECK(ReasonOf(nobody.Invoke(&Stub::GetTrialBalance, v1::GetTrialBalanceRequest()).status()) ==
        Reason::kCredentialsMissing);
}

}  // namespace guilder::operator_
