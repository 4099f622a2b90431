#include "libs/ledger/store/verify.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/support/catch2.h"
#include "tests/support/living_ledger.h"

namespace guilder::ledger {
namespace {

using testing::LivingLedger;
using testing::Tampering;

LivingLedger& TheLedger() {
  static LivingLedger ledger;
  return ledger;
}

VerifyReport VerifyIt(const VerifyOptions& options = {}) {
  return TheLedger().Verify(options);
}

void CheckAllWell(const VerifyReport& report) {
  for (const VerifyCheck& check : report.checks) {
    INFO(check.name << ": " << check.first_failure);
    CHECK(check.ok);
    // Nobody orders gifts from lanes without a catalogue.
    if (check.name.find("vouchers") == std::string::npos) CHECK(check.examined > 0);
  }
  CHECK(report.ok);
}

struct Case {
  std::string check;
  std::string table;
  std::string sql;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"journal numbers have no gaps", "ledger.journal",
       "delete from ledger.journal where book = 1 and number = 3"},
      {"journal numbers have no gaps", "ledger.journal",
       "delete from ledger.journal where book = 2 "
       "and number = (select max(number) from ledger.journal where book = 2)"},
      {"journal numbers have no gaps", "ledger.journal",
       "update ledger.journal set number = number + 1000 where book = 1 and number = 3"},
      {"posted time never falls", "ledger.journal",
       "update ledger.journal set posted_at_us = posted_at_us - 1000000 where book = 1 and number "
       "= 5"},
      {"leaves digest what is stored", "ledger.journal",
       "update ledger.journal set content = 'other' where book = 2 and number = 4"},
      {"leaves digest what is stored", "ledger.journal",
       "update ledger.journal set response = '' where book = 2 and number = 4"},
      {"leaves digest what is stored", "ledger.journal",
       "update ledger.journal set refers_to = 1 where book = 2 and number = 4"},
      {"leaves digest what is stored", "ledger.entries",
       "update ledger.entries set points = points + 1 where book = 1 and number = 2"},
      {"leaves digest what is stored", "ledger.lots",
       "update ledger.lots set expires_at_us = expires_at_us - 1 where book = 1 and lot_id = 2048"},
      {"leaves digest what is stored", "ledger.books",
       "update ledger.books set secret = 'guessed' where book = 1"},
      {"heads follow from leaves", "ledger.journal",
       "update ledger.journal set leaf = sha256('other') where book = 1 and number = 2"},
      {"heads follow from leaves", "ledger.books",
       "update ledger.books set frontier = set_byte(frontier, 0, 255 - get_byte(frontier, 0)) "
       "where book = 2"},
      {"seals are the heads at their boundaries", "ledger.seals",
       "update ledger.seals set root = sha256('other') where book = 1 and last_number > 0"},
      {"seals are the heads at their boundaries", "ledger.seals",
       "update ledger.seals set last_number = last_number - 1 where book = 1 and last_number > 0"},
      {"every entry belongs to a record", "ledger.entries",
       "update ledger.entries set posted_at_us = posted_at_us + 1 where book = 1 and number = 2"},
      {"every entry belongs to a record", "ledger.entries",
       "update ledger.entries set number = 999999 where book = 1 and number = 2"},
      {"every record has its claim", "ledger.claims",
       "delete from ledger.claims where book = 1 and number = 6"},
      {"every record has its claim", "ledger.claims",
       "update ledger.claims set number = 5 where book = 1 and number = 6"},
      {"every claim has its record", "ledger.claims",
       "insert into ledger.claims (claim_key, book, number, posted_at_us) "
       "values (gen_random_uuid(), 1, 999999, 0)"},
      {"each book's accounts sum to zero", "ledger.accounts",
       "update ledger.accounts set available = available + 1 where book = 2"},
      {"balances are the sums of their entries", "ledger.accounts",
       "update ledger.accounts set available = available - 1, pending = pending + 1 "
       "where book = 1 and available > 0"},
      {"balances are the sums of their entries", "ledger.accounts",
       "delete from ledger.accounts where book = 1 and account_id = 131073"},
      {"balances are what lots have left", "ledger.accounts",
       "update ledger.accounts set debt = debt + 1 where book = 2"},
      {"control accounts are the sums of their entries", "ledger.control_accounts",
       "update ledger.control_accounts set balance = balance - 1 where book = 1 and kind = 2"},
      {"control accounts are the sums of their entries", "ledger.control_accounts",
       "delete from ledger.control_accounts where book = 1 and kind = 3"},
      {"lots follow from their entries", "ledger.lots",
       "update ledger.lots set redeemed = redeemed - 1, reversed = reversed + 1 "
       "where book = 1 and redeemed > 0"},
      {"lots follow from their entries", "ledger.lots",
       "update ledger.lots set state = 1 - state where book = 1 and remaining > 0"},
      {"lots follow from their entries", "ledger.lots", "delete from ledger.lots where book = 2"},
      {"lots follow from their entries", "ledger.accounts",
       "update ledger.accounts set first_open_lot = 1000000000 where book = 2"},
      {"holds follow from their entries", "ledger.holds",
       "update ledger.holds set captured = captured - 1 where captured > 0"},
      {"holds follow from their entries", "ledger.holds",
       "update ledger.holds set authorized = authorized + 1 where book = 1"},
      {"holds follow from their entries", "ledger.holds",
       "update ledger.holds set lot_held[1] = lot_held[1] - 1 where state = 0"},
      {"holds follow from their entries", "ledger.holds",
       "delete from ledger.holds where book = 1 and state = 0"},
      {"positions are the sums of their entries", "ledger.positions",
       "update ledger.positions set points = points + 1 where book = 2 and movement = 5"},
      {"positions are the sums of their entries", "ledger.positions",
       "update ledger.positions set window_start_us = window_start_us + 1 where book = 2"},
      {"positions are the sums of their entries", "ledger.positions",
       "delete from ledger.positions where book = 1 and movement = 1"},
      {"issued is outstanding, redeemed, expired or reversed", "ledger.lots",
       "update ledger.lots set issuer_id = 2 where book = 1 and lot_id = 2048"},
      {"issued is outstanding, redeemed, expired or reversed", "ledger.control_accounts",
       "update ledger.control_accounts set balance = balance + 7 where book = 1 and kind = 1"},
      {"each window is in at most one settlement", "settlement.windows",
       "update settlement.windows set settlement_id = null "
       "where window_start_us = (select max(window_start_us) from settlement.windows)"},
      {"each window is in at most one settlement", "settlement.windows",
       "delete from settlement.windows where window_start_us = "
       "(select window_start_us from settlement.windows order by 1 offset 1 limit 1)"},
      {"settled points are the positions of their windows", "settlement.lines",
       "update settlement.lines set points = points - 1 where leg = 'ISSUANCE'"},
      {"settled points are the positions of their windows", "settlement.lines",
       "delete from settlement.lines where leg = 'REIMBURSEMENT'"},
      {"nets are the sums of their lines", "settlement.nets",
       "update settlement.nets set issuance = issuance + 1, net = net - 1 where partner_id = 1"},
      {"nets are the sums of their lines", "settlement.obligations",
       "update settlement.obligations set amount = amount + 1 where partner_id = 1"},
      {"nets are the sums of their lines", "settlement.obligations",
       "delete from settlement.obligations where partner_id = 2"},
      {"money entries come to the nets", "settlement.money_entries",
       "delete from settlement.money_entries where credit_account = 'PARTNER_PAYABLE'"},
      {"money entries come to the nets", "settlement.money_entries",
       "update settlement.money_entries set amount = amount + 1"},
      {"money transactions digest what is stored", "settlement.money_entries",
       "update settlement.money_entries set credit_account = 'FEES' where number = 1"},
      {"money transactions digest what is stored", "settlement.money_transactions",
       "update settlement.money_transactions set currency = 'USD' where number = 2"},
      {"money transactions digest what is stored", "settlement.money_heads",
       "update settlement.money_heads set last_number = 1"},
  };
  return cases;
}

}  // namespace

TEST_CASE("Verify: a ledger that lanes wrote holds in every check", "[store][ledger][inv-4]") {
  const VerifyReport report = VerifyIt();
  CheckAllWell(report);
  CHECK(report.records > 20);
}

TEST_CASE("Verify: chunks of any size give the same", "[store][ledger]") {
  const VerifyReport whole = VerifyIt();
  const VerifyReport chunks = VerifyIt({.records_per_read = 3, .accounts_per_read = 1});
  CheckAllWell(chunks);
  REQUIRE(chunks.checks.size() == whole.checks.size());
  CHECK(chunks.records == whole.records);
}

TEST_CASE("Verify: whatever is changed behind the ledger's back is found and named",
          "[store][ledger][inv-4]") {
  TheLedger();
  for (const Case& tampered : Cases()) {
    INFO(tampered.sql);
    VerifyReport report;
    {
      const Tampering tampering(TheLedger().database(), tampered.table, tampered.sql);
      report = VerifyIt();
    }
    CHECK_FALSE(report.ok);
    bool named = false;
    std::string failed;
    for (const VerifyCheck& check : report.checks) {
      if (check.ok) continue;
      absl::StrAppend(&failed, check.name, ": ", check.first_failure, "\n");
      CHECK_FALSE(check.first_failure.empty());
      named = named || check.name == tampered.check;
    }
    INFO(failed);
    CHECK(named);
  }
  CheckAllWell(VerifyIt());
}

// Goal: the tables move on while they are compared; nothing that is right may look wrong.
// Method: whenever the verification reports progress, it is some way into a book; accounts are
// opened and points posted there, before and behind the account that it has come to.
TEST_CASE("Verify: postings in the middle of it are verified, too", "[store][ledger]") {
  LivingLedger& ledger = TheLedger();
  int reports = 0;
  const absl::StatusOr<VerifyReport> report = Verify(
      ledger.pool(), {.records_per_read = 4, .accounts_per_read = 1}, [&](const VerifyProgress&) {
        if (++reports > 100) return true;
        const BookId book(1 + reports % LivingLedger::kBooks);
        ledger.Open(book);
        ledger.Earn(MakeAccountId(1 + reports % 3, book), 10, Timestamp(0), kNever);
        return true;
      });
  REQUIRE(report.ok());
  CheckAllWell(*report);
  CHECK(reports > 100);
}

TEST_CASE("Verify: nobody waits for it any more, so it stops", "[store][ledger]") {
  const absl::StatusOr<VerifyReport> report =
      Verify(TheLedger().pool(), {}, [](const VerifyProgress&) { return false; });
  CHECK(report.status().code() == absl::StatusCode::kCancelled);
}

}  // namespace guilder::ledger
