#include "libs/ledger/store/verify.h"

#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/sealing.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::ledger {
namespace {

constexpr PartnerId kShop(1);
constexpr PartnerId kDiner(2);
constexpr ContractId kIssuance(1);
constexpr ContractId kRedemption(2);
constexpr int kBooks = 2;

constexpr char kSetUp[] = R"sql(
  insert into ledger.programmes (programme_id, slug, display_name, currency, currency_exponent,
                                 time_zone, mode, cycle, started_at_us)
  values (1, 'test', 'Test', 'EUR', 2, 'UTC', 'DEVELOPMENT', 'DAILY',
          (extract(epoch from now() - interval '5 days') * 1000000)::bigint);
  insert into ledger.configuration (programme_id, version) values (1, 1);
  insert into ledger.books (book, programme_id, clock_offset_us, format_version, secret)
  select b, 1, -4 * 86400000000, 2, decode(lpad(to_hex(b), 64, '0'), 'hex')
    from generate_series(1, 2) as b;
  insert into partner.partners (partner_id, slug, programme_id, display_name, state)
  overriding system value
  values (1, 'shop', 1, 'Shop', 'ACTIVE'), (2, 'diner', 1, 'Diner', 'ACTIVE');
  insert into partner.contracts (contract_id, partner_id, number, kind, state, effective_from_us,
                                 rate_micros, currency, tax_code, tax_ppm, proposed_by)
  overriding system value
  values (1, 1, 1, 'ISSUANCE', 'APPROVED', 0, 10000, 'EUR', '', 0, 'submitter'),
         (2, 2, 1, 'REDEMPTION', 'APPROVED', 0, 9000, 'EUR', '', 0, 'submitter');
  update partner.contracts set funding = 'PREPAID_BLOCK' where contract_id = 1;
  insert into partner.point_blocks (partner_id, number, points, bought_at_us, sold_by, request_id)
  values (1, 1, 1000000000, 0, 'finance', gen_random_uuid());
  insert into ledger.limits (limit_id, granted, pool) values (17, 1000000000, 1000000000);
)sql";

// Settles all sealed windows without tax or fees, at a minor unit a point.
constexpr char kSettle[] = R"sql(
  insert into settlement.settlements (settlement_id, programme_id, currency, state, start_us, end_us,
                                      computed_by, approved_by, approved_at_us)
  select 1, 1, 'EUR', 'APPROVED', min(window_start_us), max(window_end_us), 'finance', 'approver', 1
    from settlement.windows;
  update settlement.windows set settlement_id = 1;
  insert into settlement.lines (settlement_id, line, partner_id, contract_id, leg, points,
                                cumulative_points, amount, tax_code, tax_ppm, tax)
  select 1, c.contract_id, c.partner_id, c.contract_id,
         case c.kind when 'ISSUANCE' then 'ISSUANCE' else 'REIMBURSEMENT' end,
         sum(s.sign * p.points), sum(s.sign * p.points), sum(s.sign * p.points), '', 0, 0
    from settlement.windows w
    join ledger.positions p using (window_start_us)
    join partner.contracts c using (contract_id)
    join (values (1, 1), (3, -1), (4, -1), (5, 1), (6, -1)) as s (movement, sign) using (movement)
   group by c.contract_id;
  insert into settlement.nets (settlement_id, partner_id, points_issued, points_reversed,
                               points_redeemed, issuance, reimbursement, fee, tax, net)
  select 1, partner_id, 0, 0, 0,
         case leg when 'ISSUANCE' then amount else 0 end,
         case leg when 'REIMBURSEMENT' then amount else 0 end, 0, 0,
         case leg when 'ISSUANCE' then -amount else amount end
    from settlement.lines;
  insert into settlement.obligations (settlement_id, partner_id, partner_is_paid, amount, state,
                                      end_to_end_id)
  select 1, partner_id, net > 0, abs(net), 'OPEN', '' from settlement.nets;
  insert into settlement.money_entries (settlement_id, line, partner_id, cause, currency, debit_account,
                                        debit_partner, credit_account, credit_partner, amount)
  select 1, row_number() over (), partner_id, 'ISSUANCE', 'EUR',
         case when net < 0 then 'PARTNER_RECEIVABLE' else 'POINTS_LIABILITY' end,
         case when net < 0 then partner_id end,
         case when net < 0 then 'POINTS_LIABILITY' else 'PARTNER_PAYABLE' end,
         case when net > 0 then partner_id end, abs(net)
    from settlement.nets;
)sql";

using Decide = std::function<absl::Status(Posting&)>;

class TestCommand final : public Command {
 public:
  explicit TestCommand(guilder::ledger::Decide decide) : decide_(std::move(decide)) {}
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    GUILDER_RETURN_IF_ERROR(decide_(posting));
    return "done";
  }

 private:
  guilder::ledger::Decide decide_;
};

// A ledger that real lanes have written: members of two books who earned, spent, gave back and
// owed.
class LivingLedger {
 public:
  LivingLedger() : pool_(database_.dsn(), 2) {
    database_.Query(kSetUp);
    absl::StatusOr<std::unique_ptr<Lanes>> lanes =
        Lanes::Start({.dsn = database_.dsn(), .lanes = 2});
    if (!lanes.ok()) throw std::runtime_error(lanes.status().ToString());
    lanes_ = *std::move(lanes);
    for (int book = 1; book <= kBooks; ++book) Live(BookId(book));
    if (const auto sealed = SealEndedWindows(pool_); !sealed.ok()) {
      throw std::runtime_error(sealed.status().ToString());
    }
    database_.Query(kSettle);
    // After the last seal.
    for (int book = 1; book <= kBooks; ++book) Open(BookId(book));
  }

  // The record of the account that it opens.
  Answer Open(BookId book) {
    return Post(book, AccountId(), RecordKind::kEnrolment, [this](Posting& posting) {
      return DecideEarn(posting, Terms(50, Timestamp(0), kNever));
    });
  }

  Answer Earn(AccountId account, int64_t points, Timestamp activates_at, Timestamp expires_at) {
    return Post(BookOf(account), account, RecordKind::kPurchase, [=, this](Posting& posting) {
      return DecideEarn(posting, Terms(points, activates_at, expires_at));
    });
  }

  const testing::TestDatabase& database() const { return database_; }
  postgres::Pool& pool() { return pool_; }

 private:
  static EarnTerms Terms(int64_t points, Timestamp activates_at, Timestamp expires_at) {
    return {.issuer = kShop,
            .contract = kIssuance,
            .points = Points(points),
            .activates_at = activates_at,
            .expires_at = expires_at};
  }

  Answer Post(BookId book, AccountId account, RecordKind kind, Decide decide,
              RecordNumber refers_to = {}) {
    auto command = std::make_unique<TestCommand>(std::move(decide));
    command->kind = kind;
    command->partner = kShop;
    command->issues = Issues::kPartnersPoints;
    ++requests_;
    command->request_id[0] = static_cast<uint8_t>(requests_ >> 8);
    command->request_id[1] = static_cast<uint8_t>(requests_);
    command->content = absl::StrCat("content ", requests_);
    command->book = book;
    command->account = account;
    command->refers_to = refers_to;
    if (kind == RecordKind::kCapture || kind == RecordKind::kRefund) command->hold = refers_to;
    command->needs_lots = true;
    command->needs_lot = LotId(0);
    std::promise<absl::StatusOr<Answer>> promise;
    lanes_->Submit(std::move(command),
                   [&](absl::StatusOr<Answer> answer) { promise.set_value(std::move(answer)); });
    const absl::StatusOr<Answer> answer = promise.get_future().get();
    if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
    return *answer;
  }

  void MoveClockByADay() {
    database_.Query("update ledger.books set clock_offset_us = clock_offset_us + 86400000000");
  }

  RecordNumber Hold(AccountId account, int64_t points, Timestamp expires_at) {
    const auto hold = [=](Posting& posting) {
      return DecideHold(posting, {.partner = kDiner,
                                  .store = StoreId(1),
                                  .contract = kRedemption,
                                  .points = Points(points),
                                  .expires_at = expires_at});
    };
    return Post(BookOf(account), account, RecordKind::kAuthorization, hold).place.number;
  }

  void Live(BookId book) {
    const Answer opened = Open(book);
    const AccountId account = MakeAccountId(1, book);
    const Timestamp now = opened.place.posted_at;
    const Timestamp tomorrow = now + Timestamp(kMicrosPerDay / 2);
    const RecordNumber waiting = Earn(account, 100, tomorrow, kNever).place.number;
    const RecordNumber expiring = Earn(account, 40, now, tomorrow).place.number;
    const RecordNumber confirmed = Earn(account, 30, kNever - Timestamp(1), kNever).place.number;
    const auto post = [&](RecordKind kind, RecordNumber refers_to, const Decide& decide) {
      Post(book, account, kind, decide, refers_to);
    };
    post(RecordKind::kConfirmation, confirmed,
         [&](Posting& posting) { return DecideConfirm(posting, MakeLotId(confirmed)).status(); });
    const RecordNumber hold = Hold(account, 60, kNever - Timestamp(1));
    post(RecordKind::kCapture, hold, [&](Posting& posting) {
      return DecideCapture(posting, kDiner, hold, Points(50), /*final=*/false).status();
    });
    post(RecordKind::kRefund, hold,
         [&](Posting& posting) { return DecideRefund(posting, kDiner, hold, Points(20)); });
    Hold(account, 5, tomorrow);
    MoveClockByADay();
    // Everything is due: an activation, an expiry and a hold's end.
    post(RecordKind::kReturn, expiring, [&](Posting& posting) {
      return DecideReverse(posting, MakeLotId(expiring), Points(4)).status();
    });
    // All that is available is spent, and then the goods that earned it come back.
    int64_t available = 0;
    post(RecordKind::kConfirmation, {}, [&](Posting& posting) {
      available = posting.account().available.value();
      return absl::OkStatus();
    });
    const RecordNumber all = Hold(account, available, kNever - Timestamp(1));
    post(RecordKind::kCapture, all, [&](Posting& posting) {
      return DecideCapture(posting, kDiner, all, Points(0), /*final=*/true).status();
    });
    post(RecordKind::kReturn, waiting, [&](Posting& posting) {
      return DecideReverse(posting, MakeLotId(waiting), Points(80)).status();
    });
    Earn(account, 30, now, kNever);
    Hold(MakeAccountId(2, Open(book).place.book), 7, kNever - Timestamp(1));
  }

  testing::TestDatabase database_;
  postgres::Pool pool_;
  std::unique_ptr<Lanes> lanes_;
  int requests_ = 0;
};

LivingLedger& TheLedger() {
  static LivingLedger ledger;
  return ledger;
}

VerifyReport VerifyIt(const VerifyOptions& options = {}) {
  absl::StatusOr<VerifyReport> report =
      Verify(TheLedger().pool(), options, [](const VerifyProgress&) { return true; });
  INFO(report.status().ToString());
  REQUIRE(report.ok());
  return *std::move(report);
}

void CheckAllWell(const VerifyReport& report) {
  for (const VerifyCheck& check : report.checks) {
    INFO(check.name << ": " << check.first_failure);
    CHECK(check.ok);
    CHECK(check.examined > 0);
  }
  CHECK(report.ok);
}

// Changes a table behind the ledger's back, and puts it back as it was.
class Tampering {
 public:
  Tampering(std::string table, const std::string& sql) : table_(std::move(table)) {
    TheLedger().database().Query(
        absl::StrCat("set session_replication_role = replica;", "drop table if exists public.kept;",
                     "create table public.kept as table ", table_, ";", sql));
  }
  ~Tampering() {
    TheLedger().database().Query(
        absl::StrCat("set session_replication_role = replica; delete from ", table_,
                     "; insert into ", table_, " select * from public.kept"));
  }

 private:
  const std::string table_;
};

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
      const Tampering tampering(tampered.table, tampered.sql);
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
        const BookId book(1 + reports % kBooks);
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
