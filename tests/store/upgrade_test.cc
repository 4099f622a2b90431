// Migrations of tables with a million rows while lanes post.
#include <algorithm>
#include <atomic>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/migrator.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::ledger {
namespace {

using postgres::Migration;
using postgres::MigrationRun;

// That of the ledger's first release: later ones are tried on tables with rows.
constexpr size_t kFirstMigrations = 6;
constexpr int kRows = 1'000'000;
// Wider rows, and four indexes.
constexpr int kRecords = 300'000;
constexpr absl::Duration kLongestLock = absl::Seconds(1);
// No lane has it, so nothing that is posted meets these rows.
constexpr int kFillersBook = 60'000;

// Rows as of years of trade, in tables that migrations change.
void Fill(const testing::TestDatabase& db) {
  db.Query(absl::StrCat(
      "insert into ledger.lots (book, issuer_id, contract_id, state, on_due, account_id, lot_id, "
      "issued, activates_at_us, expires_at_us, remaining) select ",
      kFillersBook, ", 1, 1, 1, 0, i % 1000, i, 10, 0, 0, 10 from generate_series(1, ", kRows,
      ") i"));
  db.Query(absl::StrCat(
      "insert into ledger.journal (book, number, posted_at_us, account_id, partner_id, "
      "config_version, kind, request_id, fingerprint, content, response, leaf) select ",
      kFillersBook, ", i, i, i % 1000, 1, 1, 1, ",
      "'00000000-0000-0000-0000-000000000000', '', '', '', '' from generate_series(1, ", kRecords,
      ") i"));
}

// Looks again and again which strong locks other sessions hold, and how long.
class LockWatch {
 public:
  explicit LockWatch(const testing::TestDatabase& db)
      : connection_(db.Connect()), thread_([this] { Watch(); }) {}
  ~LockWatch() { Stop(); }

  absl::Duration Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return longest_;
  }

 private:
  // Those that keep an insert or an update waiting.
  static constexpr char kStrongLocks[] =
      "select l.pid || ' ' || l.relation || ' ' || l.virtualtransaction "
      "from pg_locks l join pg_class c on c.oid = l.relation "
      "join pg_namespace n on n.oid = c.relnamespace "
      "where l.granted and n.nspname in ('ledger', 'partner', 'member', 'accrual', 'settlement') "
      "and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', "
      "'AccessExclusiveLock') and c.relkind in ('r', 'p') "
      "and l.database = (select oid from pg_database where datname = current_database())";

  void Watch() {
    std::map<std::string, absl::Time> since;
    while (!stopping_) {
      std::map<std::string, absl::Time> now;
      (void)postgres::ReadInTransaction(connection_, [&](postgres::Transaction& transaction) {
        for (const postgres::Row& row : transaction.Script(kStrongLocks)) {
          const std::string lock(row.Text(0));
          const auto before = since.find(lock);
          const absl::Time start = before == since.end() ? absl::Now() : before->second;
          now.emplace(lock, start);
          longest_ = std::max(longest_, absl::Now() - start);
        }
        return absl::OkStatus();
      });
      since = std::move(now);
      absl::SleepFor(absl::Milliseconds(10));
    }
  }

  postgres::Connection connection_;
  std::atomic<bool> stopping_ = false;
  absl::Duration longest_;
  std::thread thread_;
};

class Give final : public Command {
 public:
  explicit Give(AccountId to) {
    kind = RecordKind::kPurchase;
    partner = PartnerId(1);
    request_id = security::RandomUuid();
    account = to;
    book = BookOf(to);
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    const absl::Status earned = DecideEarn(
        posting, {PartnerId(1), ContractId(1), Points(3), posting.now() + Timestamp(1'000)});
    if (!earned.ok()) return earned;
    return std::string("given");
  }
};

// Posts without a pause, a few commands at a time.
class Posts {
 public:
  Posts(Lanes& lanes, std::vector<AccountId> accounts)
      : lanes_(lanes), accounts_(std::move(accounts)), thread_([this] { Post(); }) {}
  ~Posts() { Stop(); }

  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int64_t posted() const { return posted_; }
  // After Stop.
  int64_t failed() const { return failed_; }
  absl::Duration slowest() const { return slowest_; }

 private:
  void Post() {
    while (!stopping_) {
      const absl::Time start = absl::Now();
      std::vector<std::future<bool>> answers;
      for (const AccountId account : accounts_) {
        auto answered = std::make_shared<std::promise<bool>>();
        answers.push_back(answered->get_future());
        lanes_.Submit(
            std::make_unique<Give>(account),
            [answered](const absl::StatusOr<Answer>& answer) { answered->set_value(answer.ok()); });
      }
      for (auto& answer : answers) ++(answer.get() ? posted_ : failed_);
      slowest_ = std::max(slowest_, absl::Now() - start);
    }
  }

  Lanes& lanes_;
  const std::vector<AccountId> accounts_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> posted_ = 0;
  std::atomic<int64_t> failed_ = 0;
  absl::Duration slowest_;
  std::thread thread_;
};

// Of the books that lanes post to, in one statement, which sees whole batches only.
constexpr char kBrokenInvariants[] = R"sql(
  with sums as (
    select book, sum(pending + available + held) as points, sum(debt) as debt
      from ledger.accounts group by book),
  lots as (
    select book, sum(remaining) as points, sum(debt) as debt
      from ledger.lots where book < 60000 group by book),
  controls as (
    select book, sum(balance) as balance from ledger.control_accounts group by book),
  moved as (
    select book, sum(case when debit_bucket = 1 then points else 0 end)
                 - sum(case when credit_bucket < 11 then points else 0 end) as points
      from ledger.entries group by book)
  select count(*)
    from sums
    left join lots using (book)
    left join controls using (book)
    left join moved using (book)
   where sums.points <> coalesce(lots.points, 0)
      or sums.debt <> coalesce(lots.debt, 0)
      or sums.points - sums.debt + coalesce(controls.balance, 0) <> 0
      or sums.points - sums.debt <> coalesce(moved.points, 0)
)sql";

Migration Step(int version, const char* up_sql, const char* verify_sql,
               MigrationRun run = MigrationRun::kInATransaction,
               const char* each_partition_of = "") {
  return {version, "step", "c", up_sql, verify_sql, run, /*oldest_program=*/1, each_partition_of};
}

// The kinds that deploy/migrations/README.md describes.
std::vector<Migration> EveryKind() {
  return {
      Step(1001,
           "alter table ledger.lots add column note int; "
           "alter table ledger.accounts add column tier smallint not null default 0",
           "select note from ledger.lots limit 0"),
      Step(1002,
           "drop index concurrently if exists ledger.lots_issuer_idx;\n"
           "create index concurrently lots_issuer_idx on ledger.lots (issuer_id, book);\n",
           "select 'ledger.lots_issuer_idx'::regclass", MigrationRun::kOneByOne),
      Step(1003,
           "drop index concurrently if exists ledger.{partition}_kind_idx;\n"
           "create index concurrently {partition}_kind_idx on ledger.{partition} (kind, book);\n",
           "select 'ledger.journal_default_kind_idx'::regclass", MigrationRun::kOneByOne,
           "ledger.journal"),
      Step(1004, "create index journal_kind_idx on ledger.journal (kind, book)",
           "select 'ledger.journal_kind_idx'::regclass"),
      Step(1005,
           "update ledger.lots set note = 1 where ctid in (select ctid from ledger.lots "
           "where note is null and book = 60000 and lot_id <= 50000 limit 10000)",
           "select 1", MigrationRun::kInChunks),
      Step(1006,
           "alter table ledger.lots add constraint lots_note_ck check (note is null or note > 0) "
           "not valid",
           "select 1"),
      Step(1007, "alter table ledger.lots validate constraint lots_note_ck",
           "select 1 / (select convalidated::int from pg_constraint "
           "where conname = 'lots_note_ck')"),
      Step(1008, "drop index concurrently ledger.lots_issuer_idx;\n", "select 1",
           MigrationRun::kOneByOne),
      Step(1009, "alter table ledger.lots drop column note", "select 1"),
  };
}

TEST_CASE("Upgrade: every kind of migration leaves lanes posting, and the books right at each step",
          "[store][ledger][inv-109]") {
  testing::Coalition coalition;
  std::vector<AccountId> accounts;
  for (int i = 0; i < 8; ++i) accounts.push_back(coalition.AccountOf(coalition.AMember()));
  Fill(coalition.database());
  postgres::Connection connection = coalition.database().Connect();
  std::vector<Migration> migrations = postgres::BuiltInMigrations();
  LockWatch locks(coalition.database());
  Posts posts(coalition.lanes(), accounts);

  for (const Migration& migration : EveryKind()) {
    INFO(migration.version);
    const int64_t posted = posts.posted();
    migrations.push_back(migration);
    const auto applied = postgres::MigrateUp(connection, migrations);
    INFO(applied.status().ToString());
    REQUIRE(applied.ok());
    CHECK(*applied == std::vector<int>{migration.version});
    while (posts.posted() < posted + 20) {
    }
    CHECK(coalition.database().Query(kBrokenInvariants)[0].Int(0) == 0);
  }
  posts.Stop();
  const absl::Duration longest = locks.Stop();

  std::cout << posts.posted() << " commands during the migrations; the slowest took "
            << posts.slowest() << ", the longest strong lock " << longest << "\n";
  CHECK(posts.failed() == 0);
  CHECK(longest < kLongestLock);
  CHECK(posts.slowest() < absl::Seconds(2));
  // A program of the version that the coalition's lanes are of may still start.
  CHECK(postgres::CheckSchema(connection, 1, postgres::LatestVersion()).ok());
  coalition.database().Query("truncate ledger.lots, ledger.journal");
}

TEST_CASE("Upgrade: migrations since the first release hold no lock for a second on a million rows",
          "[store][postgres][inv-109]") {
  const testing::TestDatabase db(testing::TestDatabase::Schema::kEmpty);
  postgres::Connection connection = db.Connect();
  const std::vector<Migration>& all = postgres::BuiltInMigrations();
  const std::vector<Migration> first(all.begin(), all.begin() + kFirstMigrations);
  REQUIRE(postgres::MigrateUp(connection, first).ok());
  Fill(db);

  LockWatch locks(db);
  const auto applied = postgres::MigrateUp(connection);
  const absl::Duration longest = locks.Stop();

  REQUIRE(applied.ok());
  CHECK(applied->size() == all.size() - kFirstMigrations);
  std::cout << "the longest strong lock of " << applied->size() << " migrations took " << longest
            << "\n";
  CHECK(longest < kLongestLock);
}

// Three settlements as they were approved before there was a money ledger.
constexpr char kSettledBefore[] = R"sql(
  insert into ledger.programmes (programme_id, slug, display_name, currency, currency_exponent,
                                 time_zone, mode, cycle, started_at_us)
  values (1, 'test', 'Test', 'EUR', 2, 'UTC', 'DEVELOPMENT', 'DAILY', 0);
  insert into ledger.configuration (programme_id, version) values (1, 1);
  insert into settlement.settlements (settlement_id, programme_id, currency, state, start_us, end_us,
                                      computed_by, approved_by, approved_at_us)
  select i, 1, 'EUR', 'APPROVED', i, i + 1, 'anna', 'bert', 100 + i from generate_series(1, 3) i;
  insert into settlement.money_entries (settlement_id, line, partner_id, contract_id, cause, currency,
                                        debit_account, debit_partner, credit_account, credit_partner,
                                        amount)
  select i, j, 7, 3, 'ISSUANCE', 'EUR', 'PARTNER_RECEIVABLE', 7, 'TAX:S19', null, 10 * i + j
    from generate_series(1, 3) i, generate_series(1, 2) j
)sql";

TEST_CASE("Upgrade: money of settlements from before the money ledger is in it, with its proof",
          "[store][settlement][inv-109]") {
  constexpr size_t kMigrationsBefore = 8;
  const testing::TestDatabase db(testing::TestDatabase::Schema::kEmpty);
  postgres::Connection connection = db.Connect();
  const std::vector<Migration>& all = postgres::BuiltInMigrations();
  const std::vector<Migration> before(all.begin(), all.begin() + kMigrationsBefore);
  REQUIRE(postgres::MigrateUp(connection, before).ok());
  db.Query(kSettledBefore);
  REQUIRE(postgres::MigrateUp(connection).ok());

  postgres::Pool pool(db.dsn(), 1);
  const auto report = Verify(pool, {}, [](const VerifyProgress&) { return true; });

  REQUIRE(report.ok());
  const auto proof =
      std::find_if(report->checks.begin(), report->checks.end(), [](const VerifyCheck& check) {
        return check.name == "money transactions digest what is stored";
      });
  REQUIRE(proof != report->checks.end());
  INFO(proof->first_failure);
  CHECK(proof->ok);
  CHECK(proof->examined == 3);
  CHECK(db.Query("select sum(amount) from settlement.money_entries")[0].Int(0) == 129);
}

}  // namespace
}  // namespace guilder::ledger
