#include "tests/support/living_ledger.h"

#include <future>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/core/moves.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/sealing.h"
#include "services/settlement/store/money.h"

namespace guilder::testing {

using namespace ledger;  // All of it is about the ledger.

namespace {

constexpr PartnerId kShop(1);
constexpr PartnerId kDiner(2);
constexpr ContractId kIssuance(1);
constexpr ContractId kRedemption(2);

constexpr char kSetUp[] = R"sql(
  insert into ledger.programmes (programme_id, slug, display_name, currency, currency_exponent,
                                 time_zone, mode, cycle, started_at_us)
  values (1, 'test', 'Test', 'EUR', 2, 'UTC', 'DEVELOPMENT', 'DAILY',
          (extract(epoch from now() - interval '5 days') * 1000000)::bigint);
  insert into ledger.configuration (programme_id, version) values (1, 1);
  insert into ledger.books (book, programme_id, clock_offset_us, format_version, secret)
  select b, 1, -4 * 86400000000, 6, decode(lpad(to_hex(b), 64, '0'), 'hex')
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
)sql";

// The money of that settlement: two transactions, so that the proof has more than a leaf.
absl::Status PostSettled(postgres::Transaction& transaction) {
  using netting::AccountKind;
  const postgres::Rows nets =
      transaction.Script("select partner_id, net from settlement.nets order by net");
  for (const postgres::Row& row : nets) {
    const auto partner = row.Id<PartnerId>(0);
    const auto net = row.Id<MinorUnits>(1);
    const netting::MoneyAccount liability{AccountKind::kPointsLiability, {}, {}};
    const netting::MoneyAccount receivable{AccountKind::kPartnerReceivable, partner, {}};
    const netting::MoneyAccount payable{AccountKind::kPartnerPayable, partner, {}};
    netting::MoneyEntry entry{receivable, liability, -net, partner, kIssuance};
    if (net > MinorUnits()) entry = {liability, payable, net, partner, kRedemption};
    const absl::Status posted =
        settlement::PostMoney(transaction,
                              {.currency = {'E', 'U', 'R'},
                               .reference = "settlements/1",
                               .idempotency_key = absl::StrCat("settlements/1/", partner.value()),
                               .posted_by = "approver",
                               .settlement = settlement::SettlementId(1),
                               .entries = {entry}})
            .status();
    GUILDER_RETURN_IF_ERROR(posted);
  }
  return absl::OkStatus();
}

class TestCommand final : public Command {
 public:
  explicit TestCommand(LivingLedger::Decide decide) : decide_(std::move(decide)) {}
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    GUILDER_RETURN_IF_ERROR(decide_(posting));
    return "done";
  }

 private:
  LivingLedger::Decide decide_;
};

class TestMove final : public Command {
 public:
  using Decider = std::function<absl::Status(Posting&, Posting&)>;
  TestMove(RecordKind what, AccountId from, AccountId to, Decider decide)
      : decide_(std::move(decide)) {
    kind = what;
    account = from;
    book = BookOf(from);
    others = {to};
    content = kind == RecordKind::kMerge ? EncodeMerge(to) : "a move";
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting&) override {
    return absl::InternalError("names another account");
  }
  absl::StatusOr<std::string> DecideTogether(const DecisionContext&,
                                             std::vector<Posting>& postings) override {
    GUILDER_RETURN_IF_ERROR(decide_(postings[0], postings[1]));
    return "moved";
  }

 private:
  const Decider decide_;
};

EarnTerms Terms(int64_t points, Timestamp activates_at, Timestamp expires_at) {
  return {.issuer = kShop,
          .contract = kIssuance,
          .points = Points(points),
          .activates_at = activates_at,
          .expires_at = expires_at};
}

}  // namespace

LivingLedger::LivingLedger() : pool_(database_.dsn(), 2) {
  database_.Query(kSetUp);
  absl::StatusOr<std::unique_ptr<Lanes>> lanes = Lanes::Start({.dsn = database_.dsn(), .lanes = 2});
  if (!lanes.ok()) throw std::runtime_error(lanes.status().ToString());
  lanes_ = *std::move(lanes);
  for (int book = 1; book <= kBooks; ++book) Live(BookId(book));
  Meet();
  if (const auto sealed = SealEndedWindows(pool_); !sealed.ok()) {
    throw std::runtime_error(sealed.status().ToString());
  }
  database_.Query(kSettle);
  if (const absl::Status posted = pool_.Run(PostSettled); !posted.ok()) {
    throw std::runtime_error(posted.ToString());
  }
  // After the last seal.
  for (int book = 1; book <= kBooks; ++book) Open(BookId(book));
}

Answer LivingLedger::Open(BookId book) {
  return Post(book, AccountId(), RecordKind::kEnrolment, [](Posting& posting) {
    return DecideEarn(posting, Terms(50, Timestamp(0), kNever));
  });
}

Answer LivingLedger::Earn(AccountId account, int64_t points, Timestamp activates_at,
                          Timestamp expires_at) {
  return Post(BookOf(account), account, RecordKind::kPurchase, [=](Posting& posting) {
    return DecideEarn(posting, Terms(points, activates_at, expires_at));
  });
}

Answer LivingLedger::Post(BookId book, AccountId account, RecordKind kind, Decide decide,
                          RecordNumber refers_to) {
  auto command = std::make_unique<TestCommand>(std::move(decide));
  command->kind = kind;
  command->issues = Issues::kPartnersPoints;
  const int request = requests_ + 1;
  command->content = absl::StrCat("content ", request);
  command->book = book;
  command->account = account;
  command->refers_to = refers_to;
  if (kind == RecordKind::kCapture || kind == RecordKind::kRefund) command->hold = refers_to;
  // Every other purchase shows a receipt.
  if (kind == RecordKind::kPurchase && request % 2 == 0) {
    command->natural_key = ClaimKey(kShop, "receipt", command->content);
  }
  command->needs_lots = true;
  command->needs_lot = LotId(0);
  return Send(std::move(command));
}

Answer LivingLedger::Send(std::unique_ptr<Command> command) {
  command->partner = kShop;
  const int request = ++requests_;
  command->request_id[0] = static_cast<uint8_t>(request >> 8);
  command->request_id[1] = static_cast<uint8_t>(request);
  std::promise<absl::StatusOr<Answer>> promise;
  lanes_->Submit(std::move(command),
                 [&](absl::StatusOr<Answer> answer) { promise.set_value(std::move(answer)); });
  const absl::StatusOr<Answer> answer = promise.get_future().get();
  if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
  return *answer;
}

void LivingLedger::MoveClockByADay() {
  database_.Query("update ledger.books set clock_offset_us = clock_offset_us + 86400000000");
}

RecordNumber LivingLedger::Hold(AccountId account, int64_t points, Timestamp expires_at) {
  const auto hold = [=](Posting& posting) {
    return DecideHold(posting, {.partner = kDiner,
                                .store = StoreId(1),
                                .contract = kRedemption,
                                .points = Points(points),
                                .expires_at = expires_at});
  };
  return Post(BookOf(account), account, RecordKind::kAuthorization, hold).place.number;
}

void LivingLedger::Live(BookId book) {
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

void LivingLedger::Meet() {
  Open(BookId(1));
  Open(BookId(2));
  const AccountId from = MakeAccountId(3, BookId(1));
  const AccountId to = MakeAccountId(3, BookId(2));
  const RecordNumber bought = Earn(from, 60, Timestamp(0), kNever).place.number;
  Hold(from, 8, kNever - Timestamp(1));
  Send(std::make_unique<TestMove>(RecordKind::kTransfer, from, to, [](Posting& a, Posting& b) {
    return DecideMove(a, b, Points(55));
  }));
  Send(std::make_unique<TestMove>(RecordKind::kMerge, from, to, DecideMerge));
  Post(
      BookId(1), from, RecordKind::kReturn,
      [=](Posting& posting) {
        return DecideReverse(posting, MakeLotId(bought), Points(40)).status();
      },
      bought);
  const AccountId first = MakeAccountId(1, BookId(1));
  Post(BookId(1), first, RecordKind::kReinstatement, [](Posting& posting) {
    for (const Lot& lot : posting.account().lots) {
      if (lot.lapsed() == Points(0)) continue;
      posting.Reinstate(lot.id, Points(1), kNever);
      break;
    }
    return absl::OkStatus();
  });
}

ledger::VerifyReport LivingLedger::Verify(const VerifyOptions& options) {
  absl::StatusOr<VerifyReport> report =
      ledger::Verify(pool_, options, [](const VerifyProgress&) { return true; });
  if (!report.ok()) throw std::runtime_error(report.status().ToString());
  return *std::move(report);
}

Tampering::Tampering(const TestDatabase& database, std::string table, const std::string& sql)
    : database_(database), table_(std::move(table)) {
  database_.Query(absl::StrCat("set session_replication_role = replica;",
                               "drop table if exists public.kept;",
                               "create table public.kept as table ", table_, ";", sql));
}

Tampering::~Tampering() {
  database_.Query(absl::StrCat("set session_replication_role = replica; delete from ", table_,
                               "; insert into ", table_, " select * from public.kept"));
}

std::string FailuresOf(const VerifyReport& report) {
  std::string failures;
  for (const VerifyCheck& check : report.checks) {
    if (!check.ok) absl::StrAppend(&failures, check.name, ": ", check.first_failure, "\n");
  }
  return failures;
}

}  // namespace guilder::testing
