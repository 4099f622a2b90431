// Invoices, statements and reports of a settled day.
#include <string>
#include <vector>

#include "absl/strings/match.h"

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
  CHECK(absl::StrContains(json.content(), "\"closing_minor_units\": \"-14691\""));
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
