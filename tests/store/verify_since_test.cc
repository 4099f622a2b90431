#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/store/verify.h"
#include "tests/support/catch2.h"
#include "tests/support/living_ledger.h"

namespace guilder::ledger {
namespace {

using testing::LivingLedger;
using testing::Tampering;

constexpr BookId kBook(1);
const AccountId kAnna = MakeAccountId(1, kBook);
const AccountId kBert = MakeAccountId(2, kBook);

// A ledger that was verified, and has gone on since.
struct Verified {
  LivingLedger ledger;
  std::string state;
  int64_t records = 0;

  Verified() {
    const VerifyReport whole = ledger.Verify();
    INFO(testing::FailuresOf(whole));
    REQUIRE(whole.ok);
    state = whole.state;
    records = whole.records;
  }

  void GoOn() {
    ledger.Earn(kAnna, 10, Timestamp(0), kNever);
    ledger.Open(kBook);
    // Anna owes points; Bert has some.
    ledger.Hold(kBert, 3, kNever - Timestamp(1));
  }

  VerifyReport Since() { return ledger.Verify({.records_per_read = 2, .since = state}); }
};

Verified& TheVerified() {
  static Verified verified;
  static const bool went_on = [] {
    verified.GoOn();
    return true;
  }();
  static_cast<void>(went_on);
  return verified;
}

int64_t SumOfRanges(const VerifyReport& report) {
  int64_t sum = 0;
  for (const VerifiedRange& range : report.ranges) sum += range.until - range.after;
  return sum;
}

struct Case {
  std::string table;
  std::string sql;
};

// Done to what is new, or to an account that it touches.
const std::vector<Case>& Cases() {
  const std::string anna = absl::StrCat(" where account_id = ", kAnna.value());
  const std::string bert = absl::StrCat(" where account_id = ", kBert.value());
  const std::string newest =
      " where book = 1 and number = (select last_number from ledger.books "
      "where book = 1)";
  static const std::vector<Case> cases = {
      {"ledger.journal", "update ledger.journal set content = 'other'" + newest},
      {"ledger.journal", "delete from ledger.journal" + newest},
      {"ledger.journal", "update ledger.journal set leaf = sha256('other')" + newest},
      {"ledger.entries", "update ledger.entries set points = points + 1" + newest},
      {"ledger.claims", "delete from ledger.claims" + newest},
      {"ledger.books",
       "update ledger.books set frontier = set_byte(frontier, 0, 255 - "
       "get_byte(frontier, 0)) where book = 1"},
      {"ledger.books", "update ledger.books set last_serial = last_serial + 1 where book = 1"},
      {"ledger.accounts", "update ledger.accounts set pending = pending + 1" + anna},
      {"ledger.accounts", "update ledger.accounts set opened_number = opened_number + 1" + anna},
      {"ledger.accounts", "delete from ledger.accounts" + anna},
      {"ledger.accounts",
       "delete from ledger.accounts where book = 1 and account_id = (select "
       "max(account_id) from ledger.accounts where book = 1)"},
      // Balances and lots that agree with each other, and with no entry.
      {"ledger.lots", "update ledger.lots set remaining = remaining + 1, issued = issued + 1" +
                          bert +
                          "; update ledger.accounts set available = (select sum(remaining - held) "
                          "from ledger.lots l where l.account_id = accounts.account_id)" +
                          bert},
      {"ledger.lots",
       "update ledger.lots set expires_at_us = expires_at_us - 1" + anna + " and lot_id = 2048"},
      {"ledger.lots", "delete from ledger.lots" + anna + " and remaining = 0"},
      {"ledger.holds", "update ledger.holds set store_id = store_id + 1" + anna},
      {"ledger.holds", "delete from ledger.holds" + newest},
      {"ledger.control_accounts",
       "update ledger.control_accounts set balance = balance - 1 where "
       "book = 1 and kind = 2"},
      {"ledger.positions",
       "update ledger.positions set points = points + 1 where book = 1 and "
       "window_start_us = (select max(window_start_us) from ledger.positions)"},
      {"ledger.seals",
       "insert into ledger.seals select book, boundary_us + 86400000000, "
       "last_number, root, frontier from ledger.seals order by boundary_us desc "
       "limit 1"},
  };
  return cases;
}

}  // namespace

TEST_CASE("Verify: since the last time only what came after is read", "[store][ledger]") {
  Verified verified;

  const VerifyReport nothing_new = verified.Since();
  CHECK(nothing_new.ok);
  CHECK(nothing_new.records == 0);

  verified.GoOn();
  const VerifyReport more = verified.Since();
  INFO(testing::FailuresOf(more));
  CHECK(more.ok);
  CHECK(more.records == 3);
  CHECK(SumOfRanges(more) == 3);

  verified.state = more.state;
  verified.GoOn();
  const VerifyReport again = verified.Since();
  INFO(testing::FailuresOf(again));
  CHECK(again.ok);
  CHECK(again.records == 3);
  CHECK(verified.ledger.Verify().records == verified.records + 6);
}

TEST_CASE("Verify: a state is refused when it is none, and fits no other ledger",
          "[store][ledger]") {
  Verified& verified = TheVerified();
  const auto nobody = [](const VerifyProgress&) { return true; };
  std::string changed = verified.state;
  changed[changed.size() / 2] ^= 1;
  for (const std::string& bytes : {std::string("no state"), changed}) {
    const auto report = Verify(verified.ledger.pool(), {.since = bytes}, nobody);
    CHECK(ReasonOf(report.status()) == Reason::kRequestMalformed);
  }

  Verified other;
  const VerifyReport report = verified.ledger.Verify({.since = other.state});
  CHECK_FALSE(report.ok);
  CHECK(report.state.empty());
}

TEST_CASE("Verify: what is new, and whatever it touches, is proved since the last time",
          "[store][ledger][inv-4]") {
  Verified& verified = TheVerified();
  for (const Case& tampered : Cases()) {
    INFO(tampered.sql);
    // The accounts, too, because one case changes both.
    const Tampering accounts(verified.ledger.database(), "ledger.accounts", "");
    verified.ledger.database().Query("alter table public.kept rename to kept_accounts");
    {
      const Tampering tampering(verified.ledger.database(), tampered.table, tampered.sql);
      const VerifyReport report = verified.Since();
      CHECK_FALSE(report.ok);
      CHECK_FALSE(testing::FailuresOf(report).empty());
    }
    verified.ledger.database().Query(
        "drop table public.kept; alter table public.kept_accounts "
        "rename to kept");
  }
  const VerifyReport report = verified.Since();
  INFO(testing::FailuresOf(report));
  CHECK(report.ok);
}

TEST_CASE("Verify: what was proved before is left to a whole verification", "[store][ledger]") {
  Verified& verified = TheVerified();
  const Tampering tampering(verified.ledger.database(), "ledger.journal",
                            "update ledger.journal set content = 'other' where book = 2 and number "
                            "= 4");
  CHECK(verified.Since().ok);
  CHECK_FALSE(verified.ledger.Verify().ok);
}

// Goal: nothing that is right looks wrong, whatever is posted meanwhile.
// Method: one thread a book posts without a pause, opening accounts and adding to old ones, while
// the ledger is verified again and again, as a whole and since the last time.
TEST_CASE("Verify: again and again while lanes post, it finds nothing", "[store][ledger][inv-4]") {
  LivingLedger ledger;
  std::atomic<bool> stop = false;
  std::atomic<int> posted = 0;
  std::vector<std::thread> posting;
  for (int i = 1; i <= LivingLedger::kBooks; ++i) {
    posting.emplace_back([&ledger, &stop, &posted, book = BookId(i)] {
      for (int n = 0; !stop; ++n) {
        if (n % 5 == 0) {
          ledger.Open(book);
        } else if (n % 5 == 1) {
          ledger.Hold(MakeAccountId(2 + n / 5, book), 7, kNever - Timestamp(1));
        } else {
          ledger.Earn(MakeAccountId(1 + n % 3, book), 10, Timestamp(0), kNever);
        }
        ++posted;
      }
    });
  }

  std::string failures;
  std::string state;
  int64_t proved_since = 0;
  for (int round = 0; round < 12 && failures.empty(); ++round) {
    const VerifyReport whole =
        ledger.Verify({.records_per_read = 50, .accounts_per_read = 3, .jobs = 2});
    failures += testing::FailuresOf(whole);
    if (state.empty()) state = whole.state;
    for (int i = 0; i < 3 && failures.empty(); ++i) {
      const VerifyReport since =
          ledger.Verify({.records_per_read = 20, .accounts_per_read = 70, .since = state});
      failures += testing::FailuresOf(since);
      state = since.state;
      proved_since += SumOfRanges(since);
    }
  }
  stop = true;
  for (std::thread& thread : posting) thread.join();

  CHECK(failures == "");
  CHECK(posted > 100);
  CHECK(proved_since > 100);
}

}  // namespace guilder::ledger
