// The money ledger over a socket: its balance sheet, and its proof.
#include <string>

#include "tests/service/settlement_world.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

TEST_CASE("SettlementService: the balance sheet at a sealed window balances and never changes",
          "[service][settlement][inv-1][inv-81]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  world.Approve("bert", world.Compute("anna").name());
  v1::GetBalanceSheetRequest open;
  open.set_window(World::WindowOf(1));
  CHECK(world.Refusal("anna", &Stub::GetBalanceSheet, open) == Reason::kWindowNotSealed);
  open.set_window("windows/x");
  CHECK(world.Refusal("anna", &Stub::GetBalanceSheet, open) == Reason::kWindowNotFound);
  world.SealUntil(2);

  // Approved in the second window, so nothing was posted by the end of the first.
  CHECK(world.BalanceSheet(World::WindowOf(0)).accounts_size() == 0);
  const v1::GetBalanceSheetResponse sheet = world.BalanceSheet(World::WindowOf(1));

  REQUIRE(sheet.totals_size() == 1);
  const v1::BalanceSheetTotal& total = sheet.totals(0);
  CHECK(total.currency_code() == "EUR");
  CHECK(total.assets_minor_units() == total.liabilities_minor_units() + total.result_minor_units());
  CHECK(sheet.last_number() == 1);
  int64_t debit = 0;
  int64_t credit = 0;
  for (const v1::BalanceSheetAccount& account : sheet.accounts()) {
    debit += account.debit_minor_units();
    credit += account.credit_minor_units();
    if (account.partner() == "partners/grocer") CHECK(account.balance_minor_units() == 14'691);
  }
  CHECK(debit == credit);
  world.ledger().AddPosition(1, kGrocerIssues, Day(2), Movement::kIssued, 500);
  world.SealUntil(3);
  world.Approve("bert", world.Compute("anna").name());
  CHECK(world.BalanceSheet(World::WindowOf(1)).SerializeAsString() == sheet.SerializeAsString());
  CHECK(world.BalanceSheet("").last_number() == 2);
}

TEST_CASE("ListMoneyEntries: pages give every entry once, in the order of posting",
          "[service][settlement][inv-107]") {
  World world;
  world.PostExample(0);
  world.SealUntil(1);
  world.Approve("bert", world.Compute("anna").name());

  v1::ListMoneyEntriesRequest request;
  request.set_page_size(2);
  int64_t debit = 0;
  int lines = 0;
  do {
    const v1::ListMoneyEntriesResponse page =
        world.Get("auditor", &Stub::ListMoneyEntries, request);
    for (const v1::MoneyEntry& entry : page.entries()) {
      CHECK(entry.line() == ++lines);
      CHECK(entry.reference() == "settlements/1");
      debit += entry.amount().minor_units();
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());

  const v1::GetBalanceSheetResponse sheet = world.BalanceSheet("");
  int64_t sums = 0;
  for (const v1::BalanceSheetAccount& account : sheet.accounts()) {
    sums += account.debit_minor_units();
  }
  CHECK(debit == sums);
  request.Clear();
  request.set_after_number(1);
  CHECK(world.Get("auditor", &Stub::ListMoneyEntries, request).entries_size() == 0);
  request.set_page_token("x");
  CHECK(world.Refusal("auditor", &Stub::ListMoneyEntries, request) == Reason::kPageTokenInvalid);
}

TEST_CASE("GetLiability: it is of a sealed window, the last one unless another is named",
          "[service][settlement]") {
  World world;
  v1::GetLiabilityRequest request;
  CHECK(world.Refusal("anna", &Stub::GetLiability, request) == Reason::kWindowNotSealed);
  world.SealUntil(2);
  CHECK(world.Get("auditor", &Stub::GetLiability, request).window() == World::WindowOf(1));
  request.set_window(World::WindowOf(0));
  CHECK(world.Get("auditor", &Stub::GetLiability, request).window() == World::WindowOf(0));
  request.set_window(World::WindowOf(2));
  CHECK(world.Refusal("anna", &Stub::GetLiability, request) == Reason::kWindowNotSealed);
  request.set_window("windows/x");
  CHECK(world.Refusal("anna", &Stub::GetLiability, request) == Reason::kWindowNotFound);
}

TEST_CASE(
    "ApproveSettlement: less than the least payout is carried forward, and paid with the next",
    "[service][settlement][inv-83]") {
  World world;
  world.db().Query("update partner.contracts set minimum_payout = 6000 where contract_id = 3");
  world.PostExample(0);
  world.SealUntil(1);
  const v1::Settlement first = world.Compute("anna");
  CHECK(NetOf(first, "partners/florist").net_minor_units() == 5'796);
  CHECK(NetOf(first, "partners/florist").carried_out_minor_units() == 5'796);
  world.Approve("bert", first.name());
  const v1::Settlement approved =
      world.GetNamed("auditor", &Stub::GetSettlement, first.name()).settlement();
  CHECK_FALSE(NetOf(approved, "partners/florist").has_obligation());
  CHECK(NetOf(approved, "partners/florist").invoices_size() == 2);
  CHECK(NetOf(approved, "partners/grocer").obligation().state() == v1::OBLIGATION_STATE_OPEN);
  world.ledger().AddPosition(1, kFloristRedeems, Day(1), Movement::kRedeemed, 1'000);
  world.SealUntil(2);

  const v1::Settlement second = world.Compute("anna");

  const v1::PartnerNet& florist = NetOf(second, "partners/florist");
  CHECK(florist.carried_in_minor_units() == 5'796);
  CHECK(florist.carried_out_minor_units() == 0);
  world.Approve("bert", second.name());
  CHECK(world.Export(second.name()).total().minor_units() == 5'796 + florist.net_minor_units());
}

}  // namespace
}  // namespace guilder::settlement
