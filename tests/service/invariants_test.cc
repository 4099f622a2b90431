#include "tests/support/invariants.h"

#include "tests/support/coalition.h"

namespace guilder::testing {
namespace {

TEST_CASE("Invariants: what breaks one is named", "[service][ledger][inv-1]") {
  Coalition coalition;
  const AccountId account = coalition.AccountOf(coalition.AMember());
  const TestDatabase& database = coalition.database();
  REQUIRE(FindBrokenInvariant(database) == "");
  const auto broken_by = [&](const std::string& sql, const std::string& undo) {
    database.Query(sql);
    const std::string broken = FindBrokenInvariant(database);
    database.Query(undo);
    return broken.substr(0, broken.find(';'));
  };

  CHECK(broken_by("update ledger.accounts set available = available + 1",
                  "update ledger.accounts set available = available - 1") ==
        "each book's accounts sum to zero");
  CHECK(broken_by("update ledger.accounts set available = 5, debt = 5",
                  "update ledger.accounts set available = 0, debt = 0") ==
        "a member's balances are the sums of their entries");
  const std::string lot_of = "values (" + std::to_string(ledger::BookOf(account).value()) +
                             ", 1, 1, 1, 0, " + std::to_string(account.value()) +
                             ", 1, 9, 0, 0, 9)";
  CHECK(
      broken_by("insert into ledger.lots (book, issuer_id, contract_id, state, on_due, account_id, "
                "lot_id, issued, activates_at_us, expires_at_us, remaining) " +
                    lot_of,
                "delete from ledger.lots") == "a member's balances are what the lots have left");
  CHECK(broken_by("update ledger.books set last_number = last_number + 1",
                  "update ledger.books set last_number = last_number - 1") ==
        "journal numbers have no gaps, and posted times do not fall");
  CHECK(broken_by("delete from ledger.claims", "") ==
        "every record has its claim, and every claim its record");
}

}  // namespace
}  // namespace guilder::testing
