// Goal: whatever a lane was writing of an order, or of its cancellation, when its process was
// killed, stock and points are both reserved or both not, and the repeated request finishes it
// once. Method: for each table that an order writes, and for its commit, the lane is held up there
// by a trigger, the redemption service killed with SIGKILL, and what held it up let go. Whoever
// ordered repeats the same request until it is answered.
#include <csignal>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/redemption/v1/catalog_service.grpc.pb.h"

#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/dev/samples.h"
#include "tests/chaos/service_processes.h"
#include "tests/chaos/till_answers.h"
#include "tests/support/catch2.h"

namespace guilder::testing {
namespace {

using accrual::v1::AccrualService;
using redemption::v1::CatalogService;

// In the order in which a lane writes them; the last stands for the commit.
constexpr const char* kMoments[] = {
    "ledger.journal", "ledger.entries", "ledger.claims",     "ledger.accounts",  "ledger.lots",
    "ledger.holds",   "ledger.books",   "ledger.allowances", "catalogue.orders", "commit"};
constexpr int kMomentCount = static_cast<int>(std::size(kMoments));
constexpr int kFirstLock = 7'100;
constexpr int64_t kPrice = 800;
constexpr int64_t kPieces = 100;
constexpr absl::Duration kPatience = absl::Seconds(30);

template <typename T>
T Must(absl::StatusOr<T> answer) {
  if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
  return *std::move(answer);
}

void Check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

// Lets lanes wait for an advisory lock at each moment.
std::string TriggersSql() {
  std::string sql =
      "create function public.hold_up() returns trigger language plpgsql as $$ begin "
      "if current_setting('application_name') = 'guilder lane' then "
      "perform pg_advisory_xact_lock_shared(tg_argv[0]::bigint); end if; return null; end $$;";
  for (int i = 0; i + 1 < kMomentCount; ++i) {
    absl::StrAppend(&sql, "create trigger hold_up after insert or update on ", kMoments[i],
                    " for each statement execute function public.hold_up(", kFirstLock + i, ");");
  }
  absl::StrAppend(&sql,
                  "create constraint trigger hold_up_commit after insert or update on "
                  "catalogue.orders deferrable initially deferred for each row "
                  "execute function public.hold_up(",
                  kFirstLock + kMomentCount - 1, ");");
  return sql;
}

// Six services, the sample catalogue, and a member with points.
class Network {
 public:
  explicit Network(const std::string& directory)
      : processes_({.directory = directory, .programme = {}}),
        pool_(processes_.dsn(), 4, {.idle_in_transaction_timeout = std::chrono::milliseconds(0)}) {
    const auto partners = Must(cli::dev::AddSamplePartners(processes_.network()));
    member_ = absl::StrCat("members/", One("select account_id from member.cards where "
                                           "card_number = " +
                                           partners.front().card));
    Earn(partners.front(), 2 * kMomentCount * kPrice);
    Script(TriggersSql());
  }

  postgres::Pool& pool() { return pool_; }

  redemption::v1::OrderRewardRequest AnOrder() const {
    redemption::v1::OrderRewardRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_reward("rewards/bouquet");
    request.set_member(member_);
    return request;
  }

  // Sends the request until it is answered.
  template <typename Request, typename Response>
  Response Ask(grpc::Status (CatalogService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
               const Request& request) const {
    const auto token = Must(processes_.network().Token("support"));
    const clients::Client<CatalogService> client(
        clients::Channel(processes_.network().endpoints.at("redemption"), token));
    for (;;) {
      auto answer = client.Invoke(method, request);
      if (answer.ok() || !MayPass(answer.status())) return Must(std::move(answer));
    }
  }

  // Lets `call` run into what holds it up at a moment, kills the service, lets go, and starts it
  // again. Gives what the call was answered in the end.
  template <typename Call>
  auto KillAt(int moment, Call call) {
    std::future<decltype(call())> answer;
    Check(pool_.Run([&](postgres::Transaction& tx) {
      tx.Script(absl::StrCat("select pg_advisory_xact_lock(", kFirstLock + moment, ")"));
      answer = std::async(std::launch::async, call);
      const absl::Time give_up_at = absl::Now() + kPatience;
      while (One("select count(*) from pg_stat_activity where application_name = 'guilder lane' "
                 "and wait_event_type = 'Lock'") == 0) {
        if (absl::Now() > give_up_at) {
          throw std::runtime_error(absl::StrCat("nobody writes ", kMoments[moment]));
        }
      }
      kill(processes_.pid("redemption"), SIGKILL);
      return absl::OkStatus();
    }));
    CheckBothOrNeither();
    processes_.Restart("redemption");
    return answer.get();
  }

  // What is reserved of both, in one snapshot: pieces that are away, and points that are held.
  void CheckBothOrNeither() {
    const auto rows = Query(
        "select (select granted - pool - (select coalesce(sum(remaining), 0) from "
        "ledger.allowances a where a.limit_id = l.limit_id) from ledger.limits l "
        "join catalogue.rewards r on l.limit_id = r.reward_id * 16 + 3 where r.slug = "
        "'bouquet')::bigint, "
        "(select coalesce(sum(held), 0) from ledger.accounts)::bigint, "
        "(select coalesce(sum(quantity), 0) from catalogue.orders where state = 1)::bigint");
    CHECK(rows[0].Int(0) * kPrice == rows[0].Int(1));
    CHECK(rows[0].Int(0) == rows[0].Int(2));
  }
  int64_t Reserved() {
    return One("select coalesce(sum(quantity), 0)::bigint from catalogue.orders where state = 1");
  }

 private:
  void Earn(const cli::NetworkPartner& partner, int64_t euros) {
    accrual::v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_receipt()->set_store(partner.store);
    request.mutable_receipt()->set_order_id("the only one");
    request.set_card_number(partner.card);
    *request.mutable_occurred_at() = rpc::ToProto(FromAbslTime(absl::Now()));
    request.set_currency_code("EUR");
    accrual::v1::PurchaseLine& line = *request.add_lines();
    line.set_quantity(1);
    line.set_amount_minor_units(euros * 100);
    Must(clients::Client<AccrualService>(
             clients::Channel(processes_.network().endpoints.at("accrual"), partner.api_key))
             .Invoke(&AccrualService::Stub::RecordPurchase, request));
    Script(absl::StrCat("update ledger.books set clock_offset_us = clock_offset_us + ",
                        30 * kMicrosPerDay));
  }

  postgres::Rows Query(const std::string& sql) {
    return Must(pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<postgres::Rows> {
      return tx.Script(sql);
    }));
  }
  int64_t One(const std::string& sql) { return Query(sql)[0].Int(0); }
  void Script(const std::string& sql) {
    Check(pool_.Run([&](postgres::Transaction& tx) {
      tx.Script(sql);
      return absl::OkStatus();
    }));
  }

  ServiceProcesses processes_;
  postgres::Pool pool_;
  std::string member_;
};

TEST_CASE("Orders: killed at any statement, stock and points are both reserved or both not",
          "[chaos][faults][inv-56][inv-105]") {
  const TemporaryDirectory directory;
  Network network(directory.path());
  std::vector<std::string> orders;
  for (int moment = 0; moment < kMomentCount; ++moment) {
    INFO("killed at " << kMoments[moment]);
    const auto request = network.AnOrder();
    const auto answer = network.KillAt(
        moment, [&] { return network.Ask(&CatalogService::Stub::OrderReward, request); });
    orders.push_back(answer.order().name());
    CHECK(network.Reserved() == moment + 1);
    network.CheckBothOrNeither();
  }
  for (int moment = 0; moment < kMomentCount; ++moment) {
    INFO("cancelled, and killed at " << kMoments[moment]);
    redemption::v1::CancelOrderRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(orders[static_cast<size_t>(moment)]);
    const auto answer = network.KillAt(
        moment, [&] { return network.Ask(&CatalogService::Stub::CancelOrder, request); });
    CHECK(answer.returned_points() == kPrice);
    CHECK(network.Reserved() == kMomentCount - moment - 1);
    network.CheckBothOrNeither();
  }
  redemption::v1::GetRewardRequest reward;
  reward.set_name("rewards/bouquet");
  CHECK(network.Ask(&CatalogService::Stub::GetReward, reward).reward().remaining_stock() ==
        kPieces);
  const auto report = ledger::Verify(network.pool(), {}, [](const auto&) { return true; });
  REQUIRE(report.ok());
  for (const ledger::VerifyCheck& check : report->checks) {
    INFO(check.name << ": " << check.first_failure);
    CHECK(check.ok);
  }
}

}  // namespace
}  // namespace guilder::testing
