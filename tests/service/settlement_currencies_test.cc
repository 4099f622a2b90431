// Contracts in several currencies: each is settled by itself.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/iso20022/camt053.h"
#include "libs/ledger/store/sealing.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "services/settlement/store/computing.h"
#include "tests/service/settlement_world.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

// Contracts 4 and 5: a diner in dollars that gives and takes points; 6: a kiosk that gives them in
// yen.
constexpr char kAbroad[] = R"sql(
  insert into partner.partners (slug, programme_id, display_name, legal_name, iban, state,
                                programme_operator)
  values ('diner', 1, 'Diner', 'Diner Inc', 'DE02100500000054540402', 'ACTIVE', false),
         ('kiosk', 1, 'Kiosk', 'Kiosk KK', 'DE02300209000106531065', 'ACTIVE', false);
  insert into partner.contracts (partner_id, number, kind, state, effective_from_us, rate_micros,
                                 currency, tax_code, tax_ppm, fee_ppm, fee_tax_code, fee_tax_ppm,
                                 proposed_by, approved_by)
  values (4, 1, 'ISSUANCE', 'APPROVED', 0, 11000, 'USD', 'U', 0, 0, '', 0, 'anna', 'bert'),
         (4, 2, 'REDEMPTION', 'APPROVED', 0, 9000, 'USD', 'U', 0, 0, '', 0, 'anna', 'bert'),
         (5, 1, 'ISSUANCE', 'APPROVED', 0, 1500000, 'JPY', 'J', 100000, 0, '', 0, 'anna', 'bert')
)sql";

class WorldAbroad : public World {
 public:
  WorldAbroad() { db().Query(kAbroad); }
  void PostDay(int day) {
    PostExample(day);
    ledger().AddPosition(1, ContractId(4), Day(day), Movement::kIssued, 1'000);
    ledger().AddPosition(1, ContractId(5), Day(day), Movement::kRedeemed, 3'000);
    ledger().AddPosition(2, ContractId(6), Day(day), Movement::kIssued, 333);
  }
};

v1::ImportBankStatementRequest APayment(const std::string& reference, const Currency& currency,
                                        int64_t minor_units) {
  iso20022::StatementEntry entry;
  entry.bank_reference = absl::StrCat(reference, FormatCurrency(currency));
  entry.amount = {currency, minor_units};
  entry.credit = true;
  entry.booked = true;
  entry.booked_on = absl::CivilDay(2026, 1, 3);
  entry.payments = {{.end_to_end_id = reference, .amount = entry.amount, .credit = true}};
  iso20022::BankStatement statement;
  statement.id = entry.bank_reference;
  statement.account = "DE89370400440532013000";
  statement.entries.push_back(std::move(entry));
  v1::ImportBankStatementRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_file(iso20022::WriteCamt053({statement.id, {statement}}, Timestamp(0),
                                          absl::CivilDay(2026, 1, 3)));
  return request;
}

TEST_CASE("ComputeSettlement: each currency has a settlement, a file and books by itself",
          "[service][settlement][inv-79][inv-83]") {
  WorldAbroad world;
  world.PostDay(0);
  world.SealUntil(1);

  const v1::ComputeSettlementResponse computed =
      world.Get("anna", &Stub::ComputeSettlement, v1::ComputeSettlementRequest());

  REQUIRE(computed.settlements_size() == 3);
  CHECK(computed.settlement().currency_code() == "EUR");
  CHECK(computed.settlement().nets_size() == 2);
  const auto read = [&](int number) {
    return world.GetNamed("auditor", &Stub::GetSettlement, absl::StrCat("settlements/", number))
        .settlement();
  };
  CHECK(read(2).currency_code() == "JPY");
  // 333 points at 1.5 yen are 499.5, and ten per cent tax.
  CHECK(NetOf(read(2), "partners/kiosk").net_minor_units() == -550);
  CHECK(read(3).currency_code() == "USD");
  CHECK(NetOf(read(3), "partners/diner").net_minor_units() == 2'700 - 1'100);
  CHECK(read(3).windows_size() == 1);
  // Computing again is the same, and they are approved in the order of their numbers.
  CHECK(world.Get("anna", &Stub::ComputeSettlement, v1::ComputeSettlementRequest())
            .SerializeAsString() == computed.SerializeAsString());
  v1::ApproveSettlementRequest early;
  early.set_name("settlements/3");
  early.set_etag(read(3).etag());
  CHECK(world.Refusal("bert", &Stub::ApproveSettlement, early) == Reason::kWrongState);
  for (const int number : {1, 2, 3}) {
    world.Approve("bert", absl::StrCat("settlements/", number));
  }

  const v1::ExportPaymentsResponse dollars = world.Export("settlements/3");
  CHECK(dollars.total().currency_code() == "USD");
  CHECK(dollars.total().minor_units() == 1'600);
  CHECK(absl::StrContains(dollars.file(), "<InstdAmt Ccy=\"USD\">16.00</InstdAmt>"));
  CHECK_FALSE(absl::StrContains(dollars.file(), "SEPA"));
  CHECK(world.Export("settlements/1").total().currency_code() == "EUR");
  v1::GetBalanceSheetResponse sheet = world.BalanceSheet("");
  CHECK(sheet.totals_size() == 3);
  for (const v1::BalanceSheetTotal& total : sheet.totals()) {
    INFO(total.currency_code());
    CHECK(total.assets_minor_units() ==
          total.liabilities_minor_units() + total.result_minor_units());
  }
  // The next ones follow each currency's last one, and so does what a verification recomputes.
  world.PostDay(1);
  world.SealUntil(2);
  CHECK(
      world.Get("anna", &Stub::ComputeSettlement, v1::ComputeSettlementRequest()).settlements(2) ==
      "settlements/6");
  CHECK(NetOf(read(5), "partners/kiosk").net_minor_units() == -(1'099 - 550));
  postgres::Pool pool(world.db().dsn(), 1);
  const auto report = ledger::Verify(pool, {}, [](const auto&) { return true; });
  REQUIRE(report.ok());
  for (const ledger::VerifyCheck& check : report->checks) {
    const bool of_settlements = absl::StrContains(check.name, "settle") ||
                                absl::StrContains(check.name, "money") ||
                                absl::StrContains(check.name, "nets");
    INFO(check.name << ": " << check.first_failure);
    if (of_settlements) CHECK(check.ok);
  }
}

TEST_CASE("ImportBankStatement: money pays what is owed in its own currency",
          "[service][settlement][inv-92]") {
  WorldAbroad world;
  world.PostDay(0);
  world.SealUntil(1);
  world.Compute("anna");
  for (const int number : {1, 2, 3}) {
    world.Approve("bert", absl::StrCat("settlements/", number));
  }

  const v1::BankEntry euros = world
                                  .Get("anna", &Stub::ImportBankStatement,
                                       APayment("GLD-2-5", Currency{'E', 'U', 'R'}, 550 * 1'000))
                                  .entries(0);
  const v1::BankEntry pounds = world
                                   .Get("anna", &Stub::ImportBankStatement,
                                        APayment("GLD-2-5", Currency{'G', 'B', 'P'}, 550 * 1'000))
                                   .entries(0);

  CHECK(euros.outcome() == v1::BANK_OUTCOME_WRONG_REFERENCE);
  CHECK(pounds.outcome() == v1::BANK_OUTCOME_OTHER_CURRENCY);
  v1::AllocateSuspenseRequest allocate;
  allocate.set_request_id(clients::NewRequestId());
  allocate.set_entry(euros.name());
  allocate.set_obligation("settlements/2/obligations/kiosk");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, allocate) == Reason::kWrongState);
  const v1::BankEntry yen = world
                                .Get("anna", &Stub::ImportBankStatement,
                                     APayment("GLD-2-5", Currency{'J', 'P', 'Y'}, 550 * 100'000))
                                .entries(0);
  CHECK(yen.outcome() == v1::BANK_OUTCOME_EXACT);
  allocate.set_obligation("settlements/1/obligations/grocer");
  world.Get("anna", &Stub::AllocateSuspense, allocate);
}

TEST_CASE("RejectSettlement: each that is discarded is noted by its name, with what it was",
          "[service][settlement][inv-97]") {
  WorldAbroad world;
  world.PostDay(0);
  world.SealUntil(1);
  world.Compute("anna");
  REQUIRE(world.db().Query("select count(*) from settlement.settlements")[0].Int(0) == 3);
  v1::RejectSettlementRequest request;
  request.set_name("settlements/2");
  request.set_note("a rate is wrong");
  request.set_etag(world.EtagOf("settlements/2"));

  world.Get("bert", &Stub::RejectSettlement, request);

  CHECK(world.db().Query("select count(*) from settlement.settlements")[0].Int(0) == 1);
  CHECK(world.db()
            .Query("select string_agg(resource, ',' order by number) from operator.audit_log "
                   "where action = 'SettlementService/RejectSettlement' and actor = "
                   "'operators/bert' and before::jsonb->>'name' = resource "
                   "and before::jsonb->>'etag' <> '' "
                   "and after::jsonb->>'note' = 'a rate is wrong'")[0]
            .Text(0) == "settlements/2,settlements/3");
}

TEST_CASE("Clearing: a job three days late settles each currency as one that came every night",
          "[service][settlement][inv-80][inv-83]") {
  const auto run = [](const World& world) {
    postgres::Pool pool(world.db().dsn(), 1);
    REQUIRE(ledger::SealEndedWindows(pool).ok());
    REQUIRE(ComputeDueSettlements(pool).ok());
  };
  const auto made = [](const World& world) {
    return std::string(world.db()
                           .Query("select string_agg(concat_ws(' ', settlement_id, currency, "
                                  "start_us, end_us, digest), ';' order by settlement_id) "
                                  "from settlement.settlements")[0]
                           .Text(0));
  };
  WorldAbroad on_time;
  WorldAbroad late;
  for (World* const world : {static_cast<World*>(&on_time), static_cast<World*>(&late)}) {
    world->db().Query(
        "insert into settlement.policies (programme_id, settle_each_window) values (1, true)");
  }
  for (int day = 0; day < 3; ++day) {
    on_time.PostDay(day);
    late.PostDay(day);
    on_time.ledger().MoveClockTo(Day(day + 1) + Timestamp(kMicrosPerSecond));
    run(on_time);
  }
  late.ledger().MoveClockTo(Day(3) + Timestamp(kMicrosPerSecond));

  run(late);

  CHECK(made(late) == made(on_time));
  CHECK(late.db().Query("select count(*) from settlement.settlements")[0].Int(0) == 9);
}

}  // namespace
}  // namespace guilder::settlement
