// Invoices, statements and reports of a settled day.
#include <string>
#include <vector>

#include "absl/strings/match.h"

#include "libs/iso20022/camt053.h"
#include "tests/service/settled_world.h"

namespace guilder::settlement {
namespace {

using Stub = SettledWorld::Stub;

std::vector<std::string> InvoicesOf(const SettledWorld& world, const std::string& who,
                                    const v1::ListInvoicesRequest& request = {}) {
  std::vector<std::string> names;
  const v1::ListInvoicesResponse response = world.Get(who, &Stub::ListInvoices, request);
  for (const v1::Invoice& invoice : response.invoices()) names.push_back(invoice.name());
  return names;
}

v1::RenderStatementRequest AStatement(const std::string& partner, v1::StatementFormat format) {
  v1::RenderStatementRequest request;
  request.set_settlement("settlements/1");
  request.set_partner("partners/" + partner);
  request.set_format(format);
  return request;
}

TEST_CASE("ListInvoices: by number, with tax and references, and a partner's own only",
          "[service][settlement][inv-84][inv-89]") {
  SettledWorld world;
  const std::vector<std::string> all = InvoicesOf(world, "auditor");

  CHECK(all == std::vector<std::string>{"invoices/INV-2026-000001", "invoices/INV-2026-000002",
                                        "invoices/SB-2026-000001"});
  CHECK(InvoicesOf(world, "grocer") == std::vector<std::string>{"invoices/INV-2026-000001"});
  v1::ListInvoicesRequest request;
  request.set_partner("partners/florist");
  CHECK(world.Refusal("grocer", &Stub::ListInvoices, request) == Reason::kNotYours);
  const auto florist = world.Get("florist", &Stub::ListInvoices, request).invoices();
  REQUIRE(florist.size() == 2);
  CHECK(florist[0].payment_reference() == "GLD-1-3");
  CHECK(florist[0].settlement() == "settlements/1");
  int64_t tax = 0;
  for (const v1::InvoiceTax& part : florist[0].taxes()) tax += part.tax_minor_units();
  CHECK(tax == florist[0].tax_minor_units());
  request.set_partner("partners/nobody");
  CHECK(world.Refusal("auditor", &Stub::ListInvoices, request) == Reason::kPartnerNotFound);
  request.Clear();
  request.set_settlement("settlements/x");
  CHECK(world.Refusal("auditor", &Stub::ListInvoices, request) == Reason::kSettlementNotFound);
  request.Clear();
  request.set_page_size(2);
  request.set_page_token(world.Get("auditor", &Stub::ListInvoices, request).next_page_token());
  CHECK(InvoicesOf(world, "auditor", request) ==
        std::vector<std::string>{"invoices/SB-2026-000001"});
  request.set_page_token("forged");
  CHECK(world.Refusal("auditor", &Stub::ListInvoices, request) == Reason::kPageTokenInvalid);
}

TEST_CASE("RenderStatement: as CSV, JSON and HTML, and hostile names are text",
          "[service][settlement][inv-84]") {
  SettledWorld world;

  const auto csv =
      world.Get("grocer", &Stub::RenderStatement, AStatement("grocer", v1::STATEMENT_FORMAT_CSV));
  const auto json =
      world.Get("auditor", &Stub::RenderStatement, AStatement("grocer", v1::STATEMENT_FORMAT_JSON));
  const auto html =
      world.Get("auditor", &Stub::RenderStatement, AStatement("grocer", v1::STATEMENT_FORMAT_HTML));

  CHECK(csv.file_name() == "statement-1-grocer.csv");
  CHECK(absl::StrContains(csv.content(),
                          "closing,settlements/1,grocer,2026-01-01,2026-01-01,"
                          "Closing balance,,,-146.91,,,EUR\r\n"));
  CHECK(absl::StrContains(json.content(), "\"closing_minor_units\": -14691"));
  CHECK(html.content_type() == "text/html; charset=utf-8");
  CHECK(absl::StrContains(html.content(), "Grocer &lt;script&gt;alert(1)&lt;/script&gt; &amp; Co"));
  CHECK_FALSE(absl::StrContains(html.content(), "<script"));
}

TEST_CASE("RenderStatement: the closing balance of one settlement is the opening of the next",
          "[service][settlement][inv-84]") {
  SettledWorld world;
  world.PostExample(1);
  world.Settle(2);
  v1::GetPartnerStatementRequest request;
  request.set_partner("partners/grocer");
  request.set_settlement("settlements/1");
  const v1::StatementBalance first =
      world.Get("grocer", &Stub::GetPartnerStatement, request).balance();
  request.set_settlement("settlements/2");

  const v1::StatementBalance second =
      world.Get("grocer", &Stub::GetPartnerStatement, request).balance();

  CHECK(first.opening_minor_units() == 0);
  CHECK(first.closing_minor_units() == -14'691);
  CHECK(second.opening_minor_units() == first.closing_minor_units());
  CHECK(second.payments_minor_units() == 0);
  CHECK(second.closing_minor_units() == second.opening_minor_units() + second.net_minor_units());
}

// A payment of the grocer for its first obligation, by the bank.
void Pay(const SettledWorld& world, int64_t cents, const std::string& end_to_end_id,
         bool credit = true) {
  iso20022::StatementEntry entry;
  entry.amount = {{'E', 'U', 'R'}, cents * 1'000};
  entry.credit = credit;
  entry.booked = true;
  entry.booked_on = absl::CivilDay(2026, 1, 3);
  entry.payments = {{.end_to_end_id = end_to_end_id, .amount = entry.amount, .credit = credit}};
  iso20022::BankStatement statement;
  statement.id = absl::StrCat(end_to_end_id, "/", cents);
  statement.account = SettledWorld::kIban;
  statement.entries = {entry};
  v1::ImportBankStatementRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_file(iso20022::WriteCamt053({statement.id, {statement}}, Timestamp(0),
                                          absl::CivilDay(2026, 1, 3)));
  world.Get("anna", &Stub::ImportBankStatement, request);
}

v1::GetPartnerStatementResponse StatementOf(const SettledWorld& world, const std::string& partner,
                                            int settlement) {
  v1::GetPartnerStatementRequest request;
  request.set_partner("partners/" + partner);
  request.set_settlement(absl::StrCat("settlements/", settlement));
  return world.Get("auditor", &Stub::GetPartnerStatement, request);
}

// What the money ledger says of a partner's account now, by a query of its own.
int64_t AccountOf(const SettledWorld& world, int partner) {
  return world.db()
      .Query(absl::StrCat(
          "select coalesce(sum(amount * ((credit_partner is not distinct from ", partner,
          " and credit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE'))::int "
          "- (debit_partner is not distinct from ",
          partner,
          " and debit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE'))::int)), 0)::bigint "
          "from settlement.money_entries"))[0]
      .Int(0);
}

// That the last settlement's statements begin where those before it ended, add up, and end as the
// money ledger does at its approval.
void CheckStatements(const SettledWorld& world, int settlement) {
  const char* const partners[] = {"grocer", "florist"};
  for (int i = 0; i < 2; ++i) {
    CAPTURE(partners[i], settlement);
    const v1::StatementBalance now = StatementOf(world, partners[i], settlement).balance();
    const v1::StatementBalance before = StatementOf(world, partners[i], settlement - 1).balance();
    CHECK(now.opening_minor_units() == before.closing_minor_units());
    CHECK(now.closing_minor_units() == now.opening_minor_units() + now.payments_minor_units() +
                                           now.credits_minor_units() + now.losses_minor_units() +
                                           now.net_minor_units());
    CHECK(now.closing_minor_units() == AccountOf(world, 2 + i));
  }
}

TEST_CASE("RenderStatement: a settlement without money shows what was paid since",
          "[service][settlement][inv-84]") {
  SettledWorld world;
  Pay(world, 10'000, "GLD-1-2");

  world.Settle(2);

  CheckStatements(world, 2);
  const v1::StatementBalance balance = StatementOf(world, "grocer", 2).balance();
  CHECK(balance.payments_minor_units() == 10'000);
  CHECK(balance.net_minor_units() == 0);
  CHECK(balance.closing_minor_units() == -4'691);
  Pay(world, 4'691, "GLD-1-2");
  CHECK(StatementOf(world, "grocer", 2).balance().closing_minor_units() == -4'691);
  world.PostExample(2);
  world.Settle(3);
  CheckStatements(world, 3);
}

TEST_CASE("RenderStatement: a default, and what is paid of it afterwards, are both told",
          "[service][settlement][inv-84]") {
  SettledWorld world;
  world.ledger().MoveClockTo(SettledWorld::Day(40));
  v1::DefaultObligationRequest request;
  request.set_name("settlements/1/obligations/grocer");
  request.set_loss_owner("partners/florist");
  world.Get("bert", &Stub::DefaultObligation, request);
  Pay(world, 73, "GLD-1-2");
  world.Settle(41);

  CheckStatements(world, 2);

  const v1::StatementBalance grocer = StatementOf(world, "grocer", 2).balance();
  CHECK(grocer.payments_minor_units() == 73);
  CHECK(grocer.losses_minor_units() == 14'691 - 73);
  CHECK(grocer.closing_minor_units() == 0);
  // Who bears the loss is paid and owes as before.
  CHECK(StatementOf(world, "florist", 2).balance().losses_minor_units() == 0);
}

TEST_CASE("RenderStatement: credit notes are on the statement after them",
          "[service][settlement][inv-84][inv-91]") {
  SettledWorld world;
  v1::OpenDisputeRequest open;
  open.set_request_id(clients::NewRequestId());
  open.set_line("settlements/1/lines/1");
  open.set_reason("cancelled");
  open.set_evidence_sha256(std::string(32, 'e'));
  v1::ResolveDisputeRequest decide;
  decide.set_name(world.Get("grocer", &Stub::OpenDispute, open).dispute().name());
  decide.set_outcome(v1::DISPUTE_STATE_UPHELD);
  decide.set_credited_minor_units(10'000);
  decide.set_note("right");
  world.Get("bert", &Stub::ResolveDispute, decide);
  world.Settle(2);

  CheckStatements(world, 2);

  const v1::GetPartnerStatementResponse statement = StatementOf(world, "grocer", 2);
  CHECK(statement.balance().credits_minor_units() == 11'900);
  REQUIRE(statement.invoices_size() == 1);
  const v1::Invoice& note = statement.invoices(0);
  CHECK(note.name() == "invoices/CN-2026-000001");
  CHECK(note.credited_invoice() == "invoices/INV-2026-000001");
  CHECK(note.lines(0).text() == "Credit for line 1 of invoice INV-2026-000001, by disputes/1");
  CHECK(note.seller().legal_name() == "Club AG");
  for (const auto format : {v1::STATEMENT_FORMAT_CSV, v1::STATEMENT_FORMAT_HTML}) {
    v1::RenderStatementRequest request = AStatement("grocer", format);
    CHECK_FALSE(absl::StrContains(world.Get("grocer", &Stub::RenderStatement, request).content(),
                                  "CN-2026-000001"));
    request.set_settlement("settlements/2");
    CHECK(absl::StrContains(world.Get("grocer", &Stub::RenderStatement, request).content(),
                            "CN-2026-000001"));
  }
}

TEST_CASE("Invoices: points taken back are credited, for the invoice that billed them last",
          "[service][settlement][inv-84]") {
  SettledWorld world;
  world.PostExample(1);
  world.Settle(2);
  world.ledger().AddPosition(1, SettledWorld::kGrocerIssues, SettledWorld::Day(2),
                             ledger::Movement::kReversed, 33);
  world.ledger().AddPosition(1, SettledWorld::kFloristIssues, SettledWorld::Day(2),
                             ledger::Movement::kIssued, 100);
  world.ledger().AddPosition(1, SettledWorld::kFloristRedeems, SettledWorld::Day(2),
                             ledger::Movement::kRefunded, 1'000);

  const v1::ApproveSettlementResponse approved = world.Settle(3);

  const std::vector<std::string> numbers(approved.invoices().begin(), approved.invoices().end());
  CHECK(numbers == std::vector<std::string>{"invoices/CN-2026-000001", "invoices/CN-2026-000002",
                                            "invoices/CN-2026-000003", "invoices/INV-2026-000005"});
  v1::GetInvoiceRequest request;
  request.set_name("invoices/CN-2026-000001");
  const v1::Invoice note = world.Get("grocer", &Stub::GetInvoice, request).invoice();
  CHECK(note.kind() == v1::INVOICE_KIND_CREDIT_NOTE);
  CHECK(note.credited_invoice() == "invoices/INV-2026-000003");
  CHECK(note.net_minor_units() == 33);
  CHECK(note.lines(0).points() == 33);
  CHECK(note.gross_minor_units() == 33 + note.tax_minor_units());
  // The fee was on the invoice, the reimbursement on the self-billed one.
  request.set_name("invoices/CN-2026-000002");
  CHECK(world.Get("florist", &Stub::GetInvoice, request).invoice().credited_invoice() ==
        "invoices/INV-2026-000004");
  request.set_name("invoices/CN-2026-000003");
  const v1::Invoice refund = world.Get("florist", &Stub::GetInvoice, request).invoice();
  CHECK(refund.credited_invoice() == "invoices/SB-2026-000002");
  CHECK(refund.seller().partner() == "partners/florist");
  CHECK(refund.buyer().partner() == "partners/club");
  CheckStatements(world, 3);
}

TEST_CASE("RenderInvoice: it says what it said when it was issued",
          "[service][settlement][inv-84]") {
  SettledWorld world;
  v1::RenderInvoiceRequest request;
  request.set_name("invoices/INV-2026-000001");
  request.set_format(v1::INVOICE_FORMAT_HTML);

  const v1::RenderInvoiceResponse html = world.Get("grocer", &Stub::RenderInvoice, request);
  world.db().Query(
      "update partner.partners set legal_name = 'Renamed', tax_id = 'DE1', registration_number = "
      "'HRB 1'");

  CHECK(html.file_name() == "INV-2026-000001.html");
  CHECK(absl::StrContains(html.content(), "Grocer &lt;script&gt;alert(1)&lt;/script&gt; &amp; Co"));
  CHECK(absl::StrContains(html.content(), "Club AG"));
  CHECK(absl::StrContains(html.content(), "2026-01-01 to 2026-01-01"));
  CHECK(absl::StrContains(html.content(), "pays 146.91 EUR by 2026-01-16"));
  CHECK_FALSE(absl::StrContains(html.content(), "<script"));
  CHECK(world.Get("auditor", &Stub::RenderInvoice, request).content() == html.content());
  CHECK(world.Refusal("florist", &Stub::RenderInvoice, request) == Reason::kNotYours);
  request.set_format(v1::INVOICE_FORMAT_JSON);
  CHECK(absl::StrContains(world.Get("auditor", &Stub::RenderInvoice, request).content(),
                          "\"gross_minor_units\": 14691"));
  request.clear_format();
  CHECK(world.Refusal("auditor", &Stub::RenderInvoice, request) == Reason::kRequestMalformed);
  request.set_name("invoices/INV-2026-000099");
  CHECK(world.Refusal("auditor", &Stub::RenderInvoice, request) == Reason::kInvoiceNotFound);
}

TEST_CASE("ListSettlements: latest first, with what is due", "[service][settlement]") {
  SettledWorld world;
  world.PostExample(1);
  world.Settle(2);
  v1::ListSettlementsRequest request;
  request.set_page_size(1);

  const v1::ListSettlementsResponse first = world.Get("auditor", &Stub::ListSettlements, request);

  REQUIRE(first.settlements_size() == 1);
  CHECK(first.settlements(0).name() == "settlements/2");
  CHECK(first.settlements(0).window_count() == 1);
  CHECK(first.settlements(0).due_minor_units() == 5'796 - 14'690);
  request.set_page_token(first.next_page_token());
  const v1::ListSettlementsResponse second = world.Get("auditor", &Stub::ListSettlements, request);
  REQUIRE(second.settlements_size() == 1);
  CHECK(second.settlements(0).name() == "settlements/1");
  CHECK(second.next_page_token().empty());
  request.set_page_token("forged");
  CHECK(world.Refusal("auditor", &Stub::ListSettlements, request) == Reason::kPageTokenInvalid);
}

TEST_CASE("RenderStatement: only the partner's own, and only where there is one",
          "[service][settlement][inv-89]") {
  SettledWorld world;

  CHECK(world.Refusal("florist", &Stub::RenderStatement,
                      AStatement("grocer", v1::STATEMENT_FORMAT_CSV)) == Reason::kNotYours);
  CHECK(world.Refusal("auditor", &Stub::RenderStatement,
                      AStatement("nobody", v1::STATEMENT_FORMAT_HTML)) == Reason::kPartnerNotFound);
  CHECK(world.Refusal("auditor", &Stub::RenderStatement,
                      AStatement("grocer", v1::STATEMENT_FORMAT_UNSPECIFIED)) ==
        Reason::kRequestMalformed);
  v1::RenderStatementRequest request = AStatement("grocer", v1::STATEMENT_FORMAT_JSON);
  request.set_settlement("settlements/9");
  CHECK(world.Refusal("auditor", &Stub::RenderStatement, request) == Reason::kSettlementNotFound);
}

TEST_CASE("RenderSettlementReport: one page with pictures, for those who read finances",
          "[service][settlement]") {
  SettledWorld world;
  v1::RenderSettlementReportRequest request;
  request.set_name("settlements/1");

  const auto report = world.Get("auditor", &Stub::RenderSettlementReport, request);

  CHECK(report.file_name() == "settlement-1.html");
  CHECK(absl::StrContains(report.content(), "grocer pays 146.91"));
  CHECK(absl::StrContains(report.content(), "florist is paid 57.96"));
  CHECK(absl::StrContains(report.content(), "2026-01-01: 13,400 issued"));
  CHECK(absl::StrContains(report.content(), "What members had at 2026-01-01T23:00:00"));
  CHECK_FALSE(absl::StrContains(report.content(), "<script"));
  CHECK(world.Refusal("grocer", &Stub::RenderSettlementReport, request) ==
        Reason::kPermissionDenied);
  request.set_name("settlements/9");
  CHECK(world.Refusal("auditor", &Stub::RenderSettlementReport, request) ==
        Reason::kSettlementNotFound);
}

TEST_CASE(
    "RenderSettlementReport: what is outstanding is of the settlement's end, at any later time",
    "[service][settlement]") {
  SettledWorld world;
  const std::string first = absl::StrCat(SettledWorld::Day(0).value());
  const std::string later = absl::StrCat(SettledWorld::Day(1).value());
  world.db().Query("insert into settlement.lot_positions values (1, " + first + ", 1, " + first +
                   ", 0, 1, 4321), (2, " + first + ", 1, " + first + ", 0, 3, 21)");
  v1::RenderSettlementReportRequest request;
  request.set_name("settlements/1");
  const std::string before = world.Get("auditor", &Stub::RenderSettlementReport, request).content();
  CHECK(absl::StrContains(before, "4,300"));

  world.db().Query("insert into settlement.lot_positions values (1, " + later + ", 1, " + first +
                   ", 0, 3, 300)");
  world.ledger().MoveClockTo(SettledWorld::Day(90));

  CHECK(world.Get("auditor", &Stub::RenderSettlementReport, request).content() == before);
}

}  // namespace
}  // namespace guilder::settlement
