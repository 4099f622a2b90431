// What a block of points costs those who post: 64 callers, one block over 16 books, against the
// same without a limit; and what an empty block costs everybody else. Each caller waits for its
// answer.
//
//   prepaid_bench [ROUNDS]   takes turns so often, five times if absent; prints medians; ends with
//   1 when
//                            a bar is missed
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/limits.h"
#include "libs/postgres/pool.h"
#include "libs/security/keys.h"
#include "tests/support/coalition.h"

namespace guilder::ledger {
namespace {

constexpr int kCallers = 64;
constexpr int kBooks = 16;
constexpr Points kBlock{100'000};
constexpr Points kGift{10};

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
    const absl::Status earned =
        DecideEarn(posting, {partner, contract_, kGift, posting.now() + Timestamp(kMicrosPerDay)});
    if (!earned.ok()) return earned;
    return content;
  }

 private:
  const ContractId contract_;
};

struct Issuer {
  PartnerId partner;
  ContractId contract;
};

struct World {
  World() : coalition(kBooks) {
    for (int i = 0; i < kCallers; ++i) {
      accounts.push_back(coalition.AccountOf(coalition.AMember()));
    }
    prepaid = Find("fresh");
    unlimited = Find("books");
    coalition.database().Query(
        absl::StrCat("update partner.contracts set funding = 'PREPAID_BLOCK' where contract_id = ",
                     prepaid.contract.value()));
    coalition.database().Query("update ledger.configuration set version = version + 1");
  }
  Issuer Find(const std::string& slug) {
    const auto row = coalition.database().Query(
        absl::StrCat("select partner_id, contract_id from partner.contracts join partner.partners "
                     "using (partner_id) where kind = 'ISSUANCE' and slug = '",
                     slug, "'"));
    return {row[0].Id<PartnerId>(0), row[0].Id<ContractId>(1)};
  }
  void Grant(Points points) {
    const absl::Status granted = coalition.network().pool().Run([&](postgres::Transaction& tx) {
      GrantLimit(tx, PointBlocksOf(prepaid.partner), points);
      return absl::OkStatus();
    });
    if (!granted.ok()) std::abort();
  }
  Points Left() {
    return coalition.network()
        .pool()
        .Read([&](postgres::Transaction& tx) -> absl::StatusOr<LimitState> {
          return ReadLimit(tx, PointBlocksOf(prepaid.partner));
        })
        ->remaining;
  }
  // Whether the gift was given; nothing but an empty block may refuse it.
  bool GiveOne(const Issuer& issuer, int caller) {
    std::promise<absl::StatusOr<Answer>> promise;
    auto answered = promise.get_future();
    coalition.lanes().Submit(
        std::make_unique<Give>(issuer.partner, issuer.contract,
                               accounts[static_cast<size_t>(caller)]),
        [&](absl::StatusOr<Answer> answer) { promise.set_value(std::move(answer)); });
    const auto answer = answered.get();
    if (!answer.ok() && ReasonOf(answer.status()) != Reason::kPointBlockExhausted) std::abort();
    return answer.ok();
  }

  testing::Coalition coalition;
  std::vector<AccountId> accounts;
  Issuer prepaid;
  Issuer unlimited;
};

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

// So many gifts by 64 callers: how many a second. All of them are given.
double Rate(World& world, const Issuer& issuer, int gifts) {
  std::atomic<int> next{0};
  std::atomic<int> given{0};
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      while (next.fetch_add(1) < gifts) given += world.GiveOne(issuer, caller) ? 1 : 0;
    });
  }
  for (std::thread& thread : callers) thread.join();
  const double rate = gifts / Seconds(began);
  if (given != gifts) {
    std::printf("%d of %d gifts were given\n", given.load(), gifts);
    std::exit(1);
  }
  return rate;
}

// What half of the callers get done at the unlimited partner in two seconds, while the other half
// asks `others`.
double RateBeside(World& world, const Issuer& others) {
  std::atomic<bool> stop{false};
  std::atomic<int> given{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      const bool counted = caller % 2 == 0;
      while (!stop) {
        world.GiveOne(counted ? world.unlimited : others, caller);
        if (counted) ++given;
      }
    });
  }
  const auto began = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  stop = true;
  const double rate = given / Seconds(began);
  for (std::thread& thread : callers) thread.join();
  return rate;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Run(int rounds) {
  World world;
  const int gifts = static_cast<int>(kBlock.value() / kGift.value());
  Rate(world, world.unlimited, gifts / 4);
  std::vector<double> unlimited;
  std::vector<double> prepaid;
  std::vector<double> beside_unlimited;
  std::vector<double> beside_empty;
  for (int round = 0; round < rounds; ++round) {
    unlimited.push_back(Rate(world, world.unlimited, gifts));
    world.Grant(kBlock);
    prepaid.push_back(Rate(world, world.prepaid, gifts));
    if (world.Left() != Points()) {
      std::printf("the block has %lld points left\n", static_cast<long long>(world.Left().value()));
      return 1;
    }
    beside_unlimited.push_back(RateBeside(world, world.unlimited));
    beside_empty.push_back(RateBeside(world, world.prepaid));
  }
  const double share = Median(prepaid) / Median(unlimited);
  const double beside = Median(beside_empty) / Median(beside_unlimited);
  std::printf("unlimited partner, 64 callers              %8.0f gifts a second\n",
              Median(unlimited));
  std::printf(
      "one block of 100,000 points over 16 books  %8.0f gifts a second, %.2f of that (0.9)\n",
      Median(prepaid), share);
  std::printf("32 callers beside 32 of the same           %8.0f gifts a second\n",
              Median(beside_unlimited));
  std::printf(
      "32 callers beside 32 of an empty block     %8.0f gifts a second, %.2f of that (0.9)\n",
      Median(beside_empty), beside);
  return share >= 0.9 && beside >= 0.9 ? 0 : 1;
}

}  // namespace
}  // namespace guilder::ledger

int main(int argc, char** argv) {
  return guilder::ledger::Run(argc > 1 ? std::atoi(argv[1]) : 5);
}
