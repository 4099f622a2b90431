#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/base/text.h"
#include "tests/service/settlement_world.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

// Every number of a kind from 1 to how many there are.
void CheckGapless(const World& world, const std::string& kind) {
  const postgres::Rows rows =
      world.db().Query(absl::StrCat("select invoice_number from settlement.invoices where kind = '",
                                    kind, "' order by invoice_number"));
  for (int i = 0; i < rows.size(); ++i) {
    CHECK(absl::EndsWith(std::string(rows[i].Text(0)), absl::StrCat("00", i + 1)));
  }
}

TEST_CASE("SettlementService: the worked example settles to the minor unit",
          "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);

  const v1::Settlement settlement = world.Compute("anna");

  CHECK(settlement.name() == "settlements/1");
  CHECK(settlement.state() == v1::SETTLEMENT_STATE_COMPUTED);
  CHECK(settlement.currency_code() == "EUR");
  REQUIRE(settlement.windows_size() == 1);
  CHECK(settlement.windows(0) == World::WindowOf(0));
  CHECK(settlement.lines_size() == 4);
  const v1::PartnerNet& grocer = NetOf(settlement, "partners/grocer");
  CHECK(grocer.points_issued() == 12'400);
  CHECK(grocer.points_reversed() == 55);
  CHECK(grocer.issuance_minor_units() == 12'345);
  CHECK(grocer.tax_minor_units() == 2'346);
  CHECK(grocer.net_minor_units() == -14'691);
  const v1::PartnerNet& florist = NetOf(settlement, "partners/florist");
  CHECK(florist.points_redeemed() == 9'000);
  CHECK(florist.reimbursement_minor_units() == 7'200);
  CHECK(florist.fee_minor_units() == 180);
  CHECK(florist.net_minor_units() == 5'796);
  CHECK(settlement.operator_net_minor_units() == -8'895);
}

TEST_CASE("SettlementService: computed again, a settlement has the same bytes",
          "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  const v1::Settlement first = world.Compute("anna");

  const v1::Settlement second = world.Compute("anna");

  CHECK(first.SerializeAsString() == second.SerializeAsString());
  const v1::Settlement read =
      world.GetNamed("auditor", &Stub::GetSettlement, first.name()).settlement();
  CHECK(read.SerializeAsString() == first.SerializeAsString());
}

TEST_CASE("SettlementService: computed again, it takes in what was sealed meanwhile",
          "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  REQUIRE(world.Compute("anna").windows_size() == 1);
  world.SealUntil(3);

  const v1::Settlement settlement = world.Compute("bert");

  CHECK(settlement.name() == "settlements/1");
  CHECK(settlement.windows_size() == 3);
  CHECK(settlement.computed_by() == "bert");
}

TEST_CASE(
    "SettlementService: what was rejected is gone, and its windows are settled by the next one",
    "[service][settlement][inv-97]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  const v1::Settlement computed = world.Compute("anna");
  v1::RejectSettlementRequest request;
  request.set_name(computed.name());
  request.set_note("a purchase is missing");
  request.set_etag("another");
  CHECK(world.Refusal("bert", &Stub::RejectSettlement, request) == Reason::kEtagMismatch);
  request.set_etag(world.EtagOf(computed.name()));
  CHECK(world.Refusal("auditor", &Stub::RejectSettlement, request) == Reason::kPermissionDenied);

  const auto rejected = world.Get("bert", &Stub::RejectSettlement, request);

  CHECK(rejected.settlement().SerializeAsString() == computed.SerializeAsString());
  CHECK(world.Refusal("bert", &Stub::RejectSettlement, request) == Reason::kSettlementNotFound);
  world.SealUntil(2);
  const v1::Settlement again = world.Compute("bert");
  CHECK(again.name() == computed.name());
  CHECK(again.windows_size() == 2);
  CHECK(again.lines_size() == computed.lines_size());
  // What the first one's etag said does not approve, or discard, the next.
  CHECK(world.Refusal("anna", &Stub::RejectSettlement, request) == Reason::kEtagMismatch);
  world.Approve("anna", again.name());
  request.clear_etag();
  CHECK(world.Refusal("bert", &Stub::RejectSettlement, request) == Reason::kWrongState);
  request.set_note(std::string(501, 'x'));
  CHECK(world.Refusal("bert", &Stub::RejectSettlement, request) == Reason::kRequestMalformed);
}

TEST_CASE("SettlementService: a second person approves, and invoices and money follow",
          "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  const std::string name = world.Compute("anna").name();
  v1::ApproveSettlementRequest request;
  request.set_name(name);
  request.set_etag(world.EtagOf(name));
  CHECK(world.Refusal("anna", &Stub::ApproveSettlement, request) == Reason::kSamePerson);

  const v1::ApproveSettlementResponse approved = world.Approve("bert", name);

  CHECK(approved.settlement().state() == v1::SETTLEMENT_STATE_APPROVED);
  CHECK(approved.settlement().approved_by() == "bert");
  CHECK(world.Refusal("cleo", &Stub::ApproveSettlement, request) == Reason::kWrongState);
  const std::vector<std::string> invoices(approved.invoices().begin(), approved.invoices().end());
  CHECK(invoices == std::vector<std::string>{"invoices/INV-2026-000001", "invoices/INV-2026-000002",
                                             "invoices/SB-2026-000001"});
  const v1::Invoice invoice =
      world.GetNamed("anna", &Stub::GetInvoice, "invoices/INV-2026-000001").invoice();
  CHECK(invoice.partner() == "partners/grocer");
  REQUIRE(invoice.lines_size() == 1);
  CHECK(invoice.lines(0).text() == "12345 points issued at 0.01 EUR");
  CHECK(invoice.gross_minor_units() == 14'691);
  const v1::Invoice florist =
      world.GetNamed("anna", &Stub::GetInvoice, "invoices/INV-2026-000002").invoice();
  REQUIRE(florist.lines_size() == 2);
  CHECK(florist.lines(1).text() == "Fee of 2.5 % (1.80 EUR) on 9000 points redeemed");
  REQUIRE(florist.taxes_size() == 1);
  CHECK(florist.taxes(0).base_minor_units() == 1'180);
  // What partners owe and are owed in the money ledger is what the obligations say.
  const postgres::Rows books = world.db().Query(R"sql(
    select coalesce(sum(case when debit_partner = 2 then amount else 0 end)
                    - sum(case when credit_partner = 2 then amount else 0 end), 0)::bigint
      from settlement.money_entries)sql");
  CHECK(books[0].Int(0) == 14'691);
}

TEST_CASE(
    "SettlementService: a block of points is billed, and what is issued of it costs nothing again",
    "[service][settlement][inv-85]") {
  World world;
  world.db().Query("update partner.contracts set funding = 'PREPAID_BLOCK' where partner_id = 2");
  world.db().Query(absl::StrCat(
      "insert into partner.point_blocks (partner_id, number, points, bought_at_us, sold_by, "
      "request_id, contract_id) values (2, 1, 20000, ",
      Day(0).value(), ", 'operators/anna', gen_random_uuid(), ", kGrocerIssues.value(), ")"));
  world.PostExample(0);
  world.SealUntil(1);

  const v1::Settlement settlement = world.Compute("anna");

  REQUIRE(settlement.lines_size() == 5);
  CHECK(settlement.lines(0).points() == 12'345);
  CHECK(settlement.lines(0).amount_minor_units() == 0);
  CHECK(settlement.lines(0).tax_minor_units() == 0);
  CHECK(settlement.lines(1).leg() == v1::SETTLEMENT_LEG_POINT_BLOCK);
  CHECK(settlement.lines(1).amount_minor_units() == 20'000);
  CHECK(settlement.lines(1).tax_minor_units() == 3'800);
  const v1::PartnerNet& grocer = NetOf(settlement, "partners/grocer");
  CHECK(grocer.points_issued() == 12'400);
  CHECK(grocer.point_blocks_minor_units() == 20'000);
  CHECK(grocer.net_minor_units() == -23'800);
  CHECK(NetOf(settlement, "partners/florist").net_minor_units() == 5'796);
  world.Approve("bert", settlement.name());
  const v1::Invoice invoice =
      world.GetNamed("anna", &Stub::GetInvoice, "invoices/INV-2026-000001").invoice();
  CHECK(invoice.partner() == "partners/grocer");
  REQUIRE(invoice.lines_size() == 2);
  CHECK(invoice.lines(0).text() == "12345 points issued, PREPAID");
  CHECK(invoice.lines(0).rate_micros() == 0);
  CHECK(invoice.lines(1).text() == "20000 points sold in advance at 0.01 EUR");
  CHECK(invoice.lines(1).rate_micros() == 10'000);
  CHECK(invoice.gross_minor_units() == 23'800);

  // What it has not given stays its deposit, also when more is given in the next window.
  const auto deposit = [&] {
    return world.db()
        .Query(
            "select sum(case when credit_account = 'PREPAID_DEPOSIT' then amount else -amount end)"
            "::bigint from settlement.money_entries "
            "where 'PREPAID_DEPOSIT' in (credit_account, debit_account)")[0]
        .Int(0);
  };
  CHECK(deposit() == 20'000 - 12'345);
  world.ledger().AddPosition(1, kGrocerIssues, Day(1), Movement::kIssued, 655);
  world.SealUntil(2);
  const v1::Settlement next = world.Compute("anna");
  CHECK(NetOf(next, "partners/grocer").net_minor_units() == 0);
  world.Approve("bert", next.name());
  CHECK(deposit() == 20'000 - 13'000);
}

TEST_CASE("SettlementService: later settlements bill what is new, and numbers have no gaps",
          "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  world.Approve("bert", world.Compute("anna").name());
  world.ledger().AddPosition(1, kGrocerIssues, Day(1), Movement::kReversed, 12'345);
  world.SealUntil(2);

  const v1::Settlement second = world.Compute("anna");

  CHECK(second.name() == "settlements/2");
  REQUIRE(second.lines_size() == 1);
  CHECK(second.lines(0).points() == -12'345);
  CHECK(second.lines(0).cumulative_points() == 0);
  CHECK(NetOf(second, "partners/grocer").net_minor_units() == 14'691);
  const v1::ApproveSettlementResponse approved = world.Approve("bert", second.name());
  REQUIRE(approved.invoices_size() == 1);
  CHECK(approved.invoices(0) == "invoices/CN-2026-000001");
  CheckGapless(world, "CREDIT_NOTE");
  CheckGapless(world, "INVOICE");
  CheckGapless(world, "SELF_BILLED");
}

TEST_CASE("SettlementService: the payment file is valid, complete and repeatable",
          "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  const std::string name = world.Compute("anna").name();
  v1::ExportPaymentsRequest early;
  early.set_name(name);
  CHECK(world.Refusal("anna", &Stub::ExportPayments, early) == Reason::kWrongState);
  world.Approve("bert", name);

  const v1::ExportPaymentsResponse exported = world.Export(name);

  CHECK(exported.payments() == 1);
  CHECK(exported.total().minor_units() == 5'796);
  CHECK(absl::StrContains(exported.file(), "GLD-1-3"));
  CHECK(absl::StrContains(exported.file(), "57.96"));
  CHECK(world.Export(name).file() == exported.file());
  CHECK(world.GetNamed("anna", &Stub::GetSettlement, name).settlement().state() ==
        v1::SETTLEMENT_STATE_INSTRUCTED);

  const char* source = std::getenv("GUILDER_SOURCE_DIR");
  if (source == nullptr || std::system("xmllint --version > /dev/null 2>&1") != 0) {
    WARN("the schema was not checked: it needs xmllint and GUILDER_SOURCE_DIR");
    return;
  }
  const std::string path = std::filesystem::temp_directory_path() / (world.db().name() + ".xml");
  std::ofstream(path, std::ios::binary) << exported.file();
  const std::string command = absl::StrCat("xmllint --noout --schema ", source,
                                           "/tests/data/pain.001.001.09.xsd ", path, " 2>&1");
  CHECK(std::system(command.c_str()) == 0);
  std::filesystem::remove(path);
}

TEST_CASE("SettlementService: obligations are listed page by page", "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  world.Approve("bert", world.Compute("anna").name());
  v1::ListObligationsRequest request;
  request.set_page_size(1);

  const v1::ListObligationsResponse first = world.Get("anna", &Stub::ListObligations, request);
  REQUIRE(first.obligations_size() == 1);
  CHECK(first.obligations(0).name() == "settlements/1/obligations/grocer");
  CHECK_FALSE(first.obligations(0).partner_is_paid());
  CHECK(first.obligations(0).amount().minor_units() == 14'691);
  request.set_page_token(first.next_page_token());
  const v1::ListObligationsResponse second = world.Get("anna", &Stub::ListObligations, request);
  REQUIRE(second.obligations_size() == 1);
  CHECK(second.obligations(0).partner() == "partners/florist");
  CHECK(second.obligations(0).end_to_end_id() == "GLD-1-3");
  CHECK(second.next_page_token().empty());

  request.set_parent("settlements/1");
  CHECK(world.Refusal("anna", &Stub::ListObligations, request) == Reason::kPageTokenInvalid);
}

TEST_CASE("SettlementService: a partner reads its own statement and invoices only",
          "[service][settlement]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  world.Approve("bert", world.Compute("anna").name());
  const auto florist = world.WithKey(world.IssueKey(3));
  v1::GetPartnerStatementRequest request;
  request.set_settlement("settlements/1");
  request.set_partner("partners/florist");

  const auto statement = florist.Invoke(&Stub::GetPartnerStatement, request, World::Once());
  REQUIRE(statement.ok());
  CHECK(statement->net().net_minor_units() == 5'796);
  CHECK(statement->lines_size() == 3);
  CHECK(statement->obligation().partner_is_paid());
  REQUIRE(statement->invoices_size() == 2);
  CHECK(statement->invoices(1).kind() == v1::INVOICE_KIND_SELF_BILLED);

  request.set_partner("partners/grocer");
  CHECK(ReasonOf(florist.Invoke(&Stub::GetPartnerStatement, request, World::Once()).status()) ==
        Reason::kNotYours);
  v1::GetInvoiceRequest invoice;
  invoice.set_name("invoices/INV-2026-000001");
  CHECK(ReasonOf(florist.Invoke(&Stub::GetInvoice, invoice, World::Once()).status()) ==
        Reason::kNotYours);
  CHECK(ReasonOf(
            florist.Invoke(&Stub::ComputeSettlement, v1::ComputeSettlementRequest(), World::Once())
                .status()) == Reason::kPermissionDenied);
}

TEST_CASE("SettlementService: windows go from open to settled", "[service][settlement]") {
  World world;
  world.ledger().Append(1, Day(0) + Timestamp(1));
  world.PostExample(0);
  const std::string first = World::WindowOf(0);
  const auto state = [&] {
    return world.GetNamed("auditor", &Stub::GetWindow, first).window().state();
  };
  CHECK(state() == v1::WINDOW_STATE_OPEN);
  v1::CloseWindowRequest close;
  close.set_name(first);
  CHECK(world.Refusal("anna", &Stub::CloseWindow, close) == Reason::kWindowNotOver);
  world.ledger().MoveClockTo(Day(2));
  CHECK(state() == v1::WINDOW_STATE_ENDED);

  const v1::Window sealed = world.Get("anna", &Stub::CloseWindow, close).window();

  CHECK(sealed.state() == v1::WINDOW_STATE_SEALED);
  REQUIRE(sealed.heads_size() == 2);
  CHECK(sealed.heads(0).last_number() == 1);
  CHECK(sealed.heads(0).root_hash().size() == 32);
  CHECK(sealed.heads(1).last_number() == 0);
  CHECK(world.Get("anna", &Stub::CloseWindow, close).window().SerializeAsString() ==
        sealed.SerializeAsString());
  const std::string computed = world.Compute("anna").name();
  CHECK(state() == v1::WINDOW_STATE_COMPUTED);
  world.Approve("bert", computed);
  CHECK(state() == v1::WINDOW_STATE_SETTLED);

  v1::ListWindowsRequest list;
  list.set_page_size(2);
  const v1::ListWindowsResponse page = world.Get("auditor", &Stub::ListWindows, list);
  REQUIRE(page.windows_size() == 2);
  CHECK(page.windows(0).name() == World::WindowOf(2));
  CHECK(page.windows(1).state() == v1::WINDOW_STATE_ENDED);
  list.set_page_token(page.next_page_token());
  const v1::ListWindowsResponse rest = world.Get("auditor", &Stub::ListWindows, list);
  REQUIRE(rest.windows_size() == 1);
  CHECK(rest.windows(0).settlement() == "settlements/1");
  CHECK(rest.next_page_token().empty());
}

TEST_CASE("SettlementService: on demand, the open window ends and is sealed",
          "[service][settlement]") {
  World world;
  world.PostExample(0);

  const v1::Window closed =
      world.Get("anna", &Stub::CloseWindow, v1::CloseWindowRequest()).window();

  CHECK(closed.name() == World::WindowOf(0));
  CHECK(closed.state() == v1::WINDOW_STATE_SEALED);
  CHECK(world.Compute("anna").operator_net_minor_units() == -8'895);
}

TEST_CASE("SettlementService: what does not exist is said to be missing", "[service][settlement]") {
  const World world;
  CHECK(world.Refusal("anna", &Stub::ComputeSettlement, v1::ComputeSettlementRequest()) ==
        Reason::kNothingToSettle);
  for (const char* name : {"windows/20250101T000000Z", "windows/", "windows/2026-01-01", "x"}) {
    v1::GetWindowRequest window;
    window.set_name(name);
    CHECK(world.Refusal("anna", &Stub::GetWindow, window) == Reason::kWindowNotFound);
  }
  for (const char* name : {"settlements/1", "settlements/01", "settlements/", "1"}) {
    v1::GetSettlementRequest settlement;
    settlement.set_name(name);
    CHECK(world.Refusal("anna", &Stub::GetSettlement, settlement) == Reason::kSettlementNotFound);
  }
  v1::GetInvoiceRequest invoice;
  invoice.set_name("invoices/INV-2026-000001");
  CHECK(world.Refusal("anna", &Stub::GetInvoice, invoice) == Reason::kInvoiceNotFound);
}

}  // namespace
}  // namespace guilder::settlement
