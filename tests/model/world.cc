#include "tests/model/world.h"

#include <future>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/ledger/core/limit.h"
#include "libs/ledger/store/bootstrap.h"
#include "libs/ledger/store/sealing.h"
#include "libs/ledger/store/verify.h"
#include "tests/model/history.h"

namespace guilder::model {
namespace {

constexpr int kPoolSize = 4;
// Of the partner that pays in advance.
constexpr Points kBlock{1'000'000'000'000'000};
// Nobody waits for an answer here, so batches may be large on a busy machine.
constexpr absl::Duration kBatchTimeLimit = absl::Milliseconds(500);

Timestamp SystemClock() {
  return Timestamp(absl::ToUnixMicros(absl::Now()));
}

std::string Partners() {
  std::string sql;
  for (int p = 1; p <= kPartners; ++p) {
    absl::StrAppend(&sql,
                    "insert into partner.partners (partner_id, slug, programme_id, display_name, "
                    "state) overriding system value values (",
                    p, ", 'partner-", p, "', 1, 'Partner', 'ACTIVE');\n");
    const auto contract = [&](ContractId id, int number, const char* kind) {
      absl::StrAppend(
          &sql,
          "insert into partner.contracts (contract_id, partner_id, number, kind, state, "
          "effective_from_us, effective_until_us, rate_micros, currency, tax_code, tax_ppm, "
          "proposed_by) overriding system value values (",
          id.value(), ", ", p, ", ", number, ", '", kind, "', 'APPROVED', ", number, ", ",
          number + 1, ", 10000, 'EUR', '', 0, 'submitter');\n");
    };
    contract(IssuanceContract(PartnerId(p), 1), 1, "ISSUANCE");
    contract(IssuanceContract(PartnerId(p), 2), 2, "ISSUANCE");
    contract(RedemptionContract(PartnerId(p)), 3, "REDEMPTION");
  }
  // The first partner pays in advance, for more than all histories can give.
  absl::StrAppend(&sql,
                  "update partner.contracts set funding = 'PREPAID_BLOCK' "
                  "where partner_id = 1 and kind = 'ISSUANCE';\n"
                  "insert into partner.point_blocks (partner_id, number, points, bought_at_us, "
                  "sold_by, request_id) values (1, 1, ",
                  kBlock.value(), ", 0, 'seller', gen_random_uuid());\n",
                  "insert into ledger.limits (limit_id, granted, pool) values (",
                  ledger::PointBlocksOf(PartnerId(1)).value(), ", ", kBlock.value(), ", ",
                  kBlock.value(), ");\n");
  return sql;
}

}  // namespace

World::World(int lanes) : lanes_(lanes), pool_(database_.dsn(), kPoolSize) {
  ledger::ProgrammeSettings settings;
  settings.time_zone = "UTC";
  settings.cycle = "DAILY";
  settings.books = kBooks;
  const absl::Status set_up = pool_.Run([&](postgres::Transaction& transaction) {
    ledger::CreateProgramme(transaction, settings);
    transaction.Script(Partners());
    first_offset_us_ =
        transaction.Script("select min(clock_offset_us) from ledger.books")[0].Int(0);
    return absl::OkStatus();
  });
  if (!set_up.ok()) throw std::runtime_error(set_up.ToString());
  for (int process = 0; process < kProcesses; ++process) {
    processes_[static_cast<size_t>(process)] = StartProcess(process);
  }
}

World::~World() {
  Stop();
}

std::shared_ptr<LaneProcess> World::StartProcess(int process) const {
  ledger::LanesOptions options;
  options.dsn = database_.dsn();
  options.lanes = lanes_;
  options.batch_time_limit = kBatchTimeLimit;
  return process == kOtherProcess ? LanesInAProcess(options) : LanesInThisProcess(options);
}

void World::Submit(int process, const Order& order, ledger::Lanes::Done done) {
  std::shared_ptr<LaneProcess> lanes;
  {
    const std::lock_guard lock(mutex_);
    lanes = processes_[static_cast<size_t>(process)];
  }
  lanes->Submit(order, std::move(done));
}

absl::StatusOr<ledger::Answer> World::Post(int process, const Order& order) {
  std::promise<absl::StatusOr<ledger::Answer>> promise;
  Submit(process, order,
         [&](absl::StatusOr<ledger::Answer> answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

BookId World::BookForNewAccount(const Uuid& request_id) const {
  return BookId(1 + request_id[15] % kBooks);
}

Timestamp World::ClockAtLeast() const {
  return SystemClock() + Timestamp(first_offset_us_ + moved_us_.load());
}

Timestamp World::ClockAtMost() const {
  return SystemClock() + Timestamp(first_offset_us_ + moving_us_.load());
}

void World::Script(const std::string& sql) {
  const absl::Status status = pool_.Run([&](postgres::Transaction& transaction) {
    transaction.Script(sql);
    return absl::OkStatus();
  });
  if (!status.ok()) AddTrouble(status.ToString());
}

void World::MoveClock(Timestamp by) {
  Count(&Weather::clock_steps);
  moving_us_ += by.value();
  Script(
      absl::StrCat("select from ledger.books order by book for no key update; "
                   "update ledger.books set clock_offset_us = clock_offset_us + ",
                   by.value()));
  moved_us_ += by.value();
}

void World::SealEndedWindows() {
  Count(&Weather::seals);
  if (const auto sealed = ledger::SealEndedWindows(pool_); !sealed.ok()) {
    AddTrouble(sealed.status().ToString());
  }
}

void World::CloseOpenWindow() {
  if (is_closing_.exchange(true)) return;
  Count(&Weather::boundaries);
  const std::lock_guard lock(mutex_);
  if (closing_.joinable()) closing_.join();
  closing_ = std::thread([this] {
    const auto closed = ledger::CloseOpenWindow(pool_, absl::Now() + absl::Minutes(1));
    is_closing_ = false;
    if (!closed.ok()) AddTrouble(closed.status().ToString());
  });
}

void World::Verify() {
  const auto report = ledger::Verify(pool_, {}, [](const auto&) { return true; });
  if (!report.ok()) return AddTrouble(report.status().ToString());
  for (const ledger::VerifyCheck& check : report->checks) {
    if (!check.ok) AddTrouble(absl::StrCat(check.name, ": ", check.first_failure));
  }
}

void World::TakeAllowancesBack() {
  Script(
      "select from ledger.limits for no key update; "
      "with taken as ("
      "  update ledger.allowances a set remaining = 0 from ("
      "    select book, limit_id, remaining from ledger.allowances order by limit_id, book "
      "    for no key update) b "
      "  where a.book = b.book and a.limit_id = b.limit_id returning b.limit_id, b.remaining) "
      "update ledger.limits l set pool = pool + t.points from ("
      "  select limit_id, sum(remaining) as points from taken group by limit_id) t "
      "where t.limit_id = l.limit_id");
}

void World::KillSomeLane() {
  Count(&Weather::sessions_ended);
  Script(
      "select pg_terminate_backend(pid) from pg_stat_activity "
      "where datname = current_database() "
      "and application_name in ('guilder lane', 'guilder allocator') "
      "order by state <> 'active', random() limit 1");
}

std::shared_ptr<LaneProcess> World::Replace(int process) {
  std::shared_ptr<LaneProcess> lanes = StartProcess(process);
  const std::lock_guard lock(mutex_);
  lanes.swap(processes_[static_cast<size_t>(process)]);
  return lanes;
}

void World::RestartProcess(int process) {
  Count(&Weather::restarts);
  Replace(process)->Drain();
}

void World::KillProcess() {
  Count(&Weather::kills);
  Replace(kOtherProcess)->Kill();
}

void World::Stop() {
  if (closing_.joinable()) closing_.join();
  for (auto& process : processes_) {
    if (process) process->Drain();
    process.reset();
  }
}

std::string World::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

Weather World::weather() const {
  const std::lock_guard lock(mutex_);
  return weather_;
}

void World::Count(int64_t Weather::*what) {
  const std::lock_guard lock(mutex_);
  ++(weather_.*what);
}

void World::AddTrouble(const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) trouble_ = what;
}

}  // namespace guilder::model
