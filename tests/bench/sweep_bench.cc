// What a sweep of many due lots costs those who post meanwhile: the 99th percentile of gifts that
// are asked for on schedule, at half of what the lanes can do, with the sweep and without.
//
//   sweep_bench [LOTS]   a million if absent; ends with 1 when the bar is missed
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/due.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/security/keys.h"
#include "tests/support/coalition.h"

namespace guilder::ledger {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBooks = 16;
constexpr int kMembers = 512;
constexpr int kInFlight = 256;
constexpr double kBar = 1.5;
constexpr std::chrono::seconds kMeasured{15};

class Give final : public Command {
 public:
  Give(PartnerId issuer, ContractId contract, AccountId to) : contract_(contract) {
    kind = RecordKind::kPurchase;
    partner = issuer;
    request_id = security::RandomUuid();
    account = to;
    book = BookOf(to);
    issues = Issues::kPartnersPoints;
    content = "give";
    fingerprint = Sha256({content});
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    const absl::Status earned = DecideEarn(
        posting, {partner, contract_, Points(10), posting.now() + Timestamp(400 * kMicrosPerDay)});
    if (!earned.ok()) return earned;
    return content;
  }

 private:
  const ContractId contract_;
};

// Microseconds from when gifts should have been asked for to their answers.
class Latencies {
 public:
  void Add(int64_t micros) {
    const std::lock_guard lock(mutex_);
    all_.push_back(micros);
  }
  size_t size() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }
  double Percentile(double share) {
    const std::lock_guard lock(mutex_);
    std::sort(all_.begin(), all_.end());
    return static_cast<double>(all_[static_cast<size_t>(share * (all_.size() - 1))]) / 1e3;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int64_t> all_;
};

struct World {
  World() : coalition(kBooks) {
    for (int i = 0; i < kMembers; ++i) {
      accounts.push_back(coalition.AccountOf(coalition.AMember()));
    }
    const auto row = coalition.database().Query(
        "select partner_id, contract_id from partner.contracts join partner.partners using "
        "(partner_id) where kind = 'ISSUANCE' and slug = 'books'");
    issuer = row[0].Id<PartnerId>(0);
    contract = row[0].Id<ContractId>(1);
  }

  // So many accounts with a lot that ended an hour ago. Nothing in the journal says so: what is
  // measured is what a sweep does to it.
  void AddDueLots(int64_t lots) const {
    const std::string at = std::to_string(coalition.Now().value() - int64_t{3'600'000'000});
    coalition.database().Query(absl::StrCat(
        "with w as (select (1000000 + i::bigint / ", kBooks,
        ") * 65536 + b.book as account, b.book from "
        "generate_series(0, ",
        lots - 1,
        ") as i join (select book, row_number() over (order by "
        "book) - 1 as place from ledger.books) as b on b.place = i % ",
        kBooks,
        "), a as (insert into ledger.accounts (book, account_id, opened_number, available, "
        "next_due_at_us, first_open_lot) select book, account, 1, 1000, ",
        at,
        ", 1024 from w) insert into ledger.lots (book, issuer_id, contract_id, state, on_due, "
        "account_id, lot_id, issued, activates_at_us, expires_at_us, remaining) select book, ",
        issuer.value(), ", ", contract.value(), ", 1, 1, account, 1024, 1000, 0, ", at,
        ", 1000 from w"));
    coalition.database().Query("analyze ledger.accounts");
    coalition.database().Query("analyze ledger.lots");
  }

  void Ask(std::function<void()> answered) {
    const size_t place = next.fetch_add(1) % accounts.size();
    coalition.lanes().Submit(std::make_unique<Give>(issuer, contract, accounts[place]),
                             [this, answered](const absl::StatusOr<Answer>& answer) {
                               if (!answer.ok()) ++refused;
                               answered();
                             });
  }

  // Gifts a second when each answer is followed by the next question.
  double Peak() {
    std::atomic<bool> stop{false};
    std::atomic<int64_t> answers{0};
    std::atomic<int> open{kInFlight};
    std::function<void()> again = [&] {
      ++answers;
      if (stop) {
        --open;
      } else {
        Ask(again);
      }
    };
    for (int i = 0; i < kInFlight; ++i) Ask(again);
    const auto began = Clock::now();
    std::this_thread::sleep_for(std::chrono::seconds(5));
    const double rate =
        static_cast<double>(answers) / std::chrono::duration<double>(Clock::now() - began).count();
    stop = true;
    while (open > 0) std::this_thread::yield();
    return rate;
  }

  // Asks on schedule, whether or not earlier gifts were answered, until told to stop.
  void AskOnSchedule(double rate, const std::atomic<bool>& stop, Latencies& latencies) {
    std::atomic<int64_t> open{0};
    const auto began = Clock::now();
    for (int64_t i = 0; !stop; ++i) {
      const auto due = began + std::chrono::nanoseconds(static_cast<int64_t>(1e9 * i / rate));
      std::this_thread::sleep_until(due);
      ++open;
      Ask([&open, &latencies, due] {
        latencies.Add(
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - due).count());
        --open;
      });
    }
    while (open > 0) std::this_thread::yield();
  }

  testing::Coalition coalition;
  std::vector<AccountId> accounts;
  std::atomic<size_t> next{0};
  std::atomic<int64_t> refused{0};
  PartnerId issuer;
  ContractId contract;
};

// The sweep, to its end: accounts brought up.
int64_t Sweep(World& world) {
  int64_t swept = 0;
  std::optional<AccountCursor> from = AccountCursor{};
  while (from) {
    const auto result =
        SweepDue(world.coalition.network().pool(), world.coalition.lanes(), *from, {});
    if (!result.ok()) {
      std::printf("%s\n", result.status().ToString().c_str());
      std::exit(1);
    }
    swept += result->accounts_brought_up;
    from = result->next;
  }
  return swept;
}

int Run(int64_t lots) {
  World world;
  world.AddDueLots(lots);
  const double peak = world.Peak();
  const auto measure = [&](const std::function<void()>& meanwhile) {
    Latencies latencies;
    std::atomic<bool> stop{false};
    std::thread asking([&] { world.AskOnSchedule(peak / 2, stop, latencies); });
    meanwhile();
    stop = true;
    asking.join();
    std::printf("%zu gifts, %lld of them refused, p50 %.1f ms, p99 %.1f ms\n", latencies.size(),
                static_cast<long long>(world.refused.exchange(0)), latencies.Percentile(0.5),
                latencies.Percentile(0.99));
    return latencies.Percentile(0.99);
  };
  std::printf("%.0f gifts a second at most; half of them are asked for\n", peak);
  const double alone = measure([] { std::this_thread::sleep_for(kMeasured); });
  const auto began = Clock::now();
  int64_t swept = 0;
  const double beside = measure([&] { swept = Sweep(world); });
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  std::printf("%lld lots swept in %.0f s; p99 %.2f of that without (%.1f)\n",
              static_cast<long long>(swept), seconds, beside / alone, kBar);
  return swept >= lots && beside <= kBar * alone ? 0 : 1;
}

}  // namespace
}  // namespace guilder::ledger

int main(int argc, char** argv) {
  return guilder::ledger::Run(argc > 1 ? std::atoll(argv[1]) : 1'000'000);
}
