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

}  // namespace
}  // namespace guilder::settlement
