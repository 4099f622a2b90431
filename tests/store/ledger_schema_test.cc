// What the database itself refuses, whoever writes.
#include <string>
#include <vector>

#include "libs/postgres/connection.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::ledger {
namespace {

using testing::TestDatabase;

constexpr char kCheckViolation[] = "23514";
constexpr char kUniqueViolation[] = "23505";
constexpr char kNotNullViolation[] = "23502";

// Runs SQL that is undone in any case. Gives the SQLSTATE that it failed with; empty if it did not.
std::string Refusal(postgres::Connection& connection, const std::string& sql) {
  const absl::Status status =
      postgres::RunInTransaction(connection, [&](postgres::Transaction& transaction) {
        transaction.Script(sql);
        return absl::AbortedError("undone");
      });
  return postgres::SqlStateOf(status);
}

std::string AnEntry(const std::string& debit, const std::string& credit,
                    const std::string& points) {
  return "insert into ledger.entries (book, number, line, posted_at_us, debit_account, "
         "debit_bucket, "
         "debit_lot, credit_account, credit_bucket, credit_lot, points) values (1, 1, 1, 0, " +
         debit + ", " + credit + ", " + points + ")";
}

std::string ALot(const std::string& parts) {
  return "insert into ledger.lots (book, issuer_id, contract_id, state, on_due, account_id, "
         "lot_id, "
         "activates_at_us, expires_at_us, issued, remaining, held, redeemed, reversed, expired, "
         "debt) "
         "values (1, 1, 1, 1, 0, 65537, 1024, 0, 0, " +
         parts + ")";
}

// An entry has both sides in one row, so what is debited is credited; there is no way to write one
// side alone, nothing, or less than nothing.
TEST_CASE("Schema: the database refuses an entry that is not a movement of points",
          "[store][ledger][inv-1]") {
  const TestDatabase db;
  postgres::Connection connection = db.Connect();

  CHECK(Refusal(connection, AnEntry("-1, 1, null", "65537, 11, 1024", "5")).empty());
  CHECK(Refusal(connection, AnEntry("-1, 1, null", "65537, 11, 1024", "0")) == kCheckViolation);
  CHECK(Refusal(connection, AnEntry("-1, 1, null", "65537, 11, 1024", "-5")) == kCheckViolation);
  CHECK(Refusal(connection, AnEntry("-1, 1, null", "65537, 11, 1024", "null")) ==
        kNotNullViolation);
  CHECK(Refusal(connection, AnEntry("null, 1, null", "65537, 11, 1024", "5")) == kNotNullViolation);
  CHECK(Refusal(connection, AnEntry("-1, 1, null", "null, 11, 1024", "5")) == kNotNullViolation);
  CHECK(Refusal(connection, AnEntry("65537, 11, 1024", "65537, 11, 1024", "5")) == kCheckViolation);
}

TEST_CASE("Schema: the database refuses an entry of money that is not a movement",
          "[store][settlement][inv-1]") {
  const TestDatabase db;
  postgres::Connection connection = db.Connect();
  const auto entry = [](const std::string& debit, const std::string& credit,
                        const std::string& amount) {
    return "insert into settlement.money_transactions (number, posted_at_us, kind, currency, "
           "reference, idempotency_key, posted_by, leaf, root) values (1, 1, 'PAYMENT', 'EUR', "
           "'x', "
           "'x', 'finance', '', ''); "
           "insert into settlement.money_entries (number, line, cause, debit_account, "
           "credit_account, amount) values (1, 1, 'FEE', " +
           debit + ", " + credit + ", " + amount + ")";
  };

  CHECK(Refusal(connection, entry("'FEES'", "'TAX:S19'", "5")).empty());
  CHECK(Refusal(connection, entry("'FEES'", "'TAX:S19'", "0")) == kCheckViolation);
  CHECK(Refusal(connection, entry("'FEES'", "'TAX:S19'", "-5")) == kCheckViolation);
  CHECK(Refusal(connection, entry("null", "'TAX:S19'", "5")) == kNotNullViolation);
  CHECK(Refusal(connection, entry("'FEES'", "null", "5")) == kNotNullViolation);
}

TEST_CASE("Schema: the database refuses a lot that gives more than it has, or less than nothing",
          "[store][ledger][inv-5]") {
  const TestDatabase db;
  postgres::Connection connection = db.Connect();

  // issued, remaining, held, redeemed, reversed, expired, debt
  CHECK(Refusal(connection, ALot("100, 40, 10, 30, 20, 10, 0")).empty());
  CHECK(Refusal(connection, ALot("100, 0, 0, 101, 0, 0, 0")) == kCheckViolation);
  CHECK(Refusal(connection, ALot("100, -1, 0, 101, 0, 0, 0")) == kCheckViolation);
  CHECK(Refusal(connection, ALot("100, 40, 41, 60, 0, 0, 0")) == kCheckViolation);
  CHECK(Refusal(connection, ALot("100, 40, -1, 60, 0, 0, 0")) == kCheckViolation);
  CHECK(Refusal(connection, ALot("100, 110, 0, -10, 0, 0, 0")) == kCheckViolation);
  CHECK(Refusal(connection, ALot("100, 110, 0, 0, -10, 0, 0")) == kCheckViolation);
  CHECK(Refusal(connection, ALot("100, 110, 0, 0, 0, -10, 0")) == kCheckViolation);
  CHECK(Refusal(connection, ALot("100, 90, 0, 0, 0, 0, -10")) == kCheckViolation);
}

TEST_CASE("Schema: the database refuses a second record of a number and a second claim of a key",
          "[store][ledger][inv-13]") {
  const TestDatabase db;
  postgres::Connection connection = db.Connect();
  const std::string claim =
      "insert into ledger.claims (claim_key, number, posted_at_us, book) values "
      "('00000000-0000-0000-0000-000000000001', 1, 0, 1);";
  const std::string account =
      "insert into ledger.accounts (book, account_id, opened_number, next_due_at_us, available) "
      "values (1, 65537, 1, 0, ";

  CHECK(Refusal(connection, claim).empty());
  CHECK(Refusal(connection, claim + claim) == kUniqueViolation);
  CHECK(Refusal(connection, account + "5)").empty());
  CHECK(Refusal(connection, account + "-5)") == kCheckViolation);
}

}  // namespace
}  // namespace guilder::ledger
