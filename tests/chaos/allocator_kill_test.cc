// Goal: whatever the allocator was doing when its process was killed, no point of a limit is
// stranded and none is given twice.
// Method: tills spend the blocks of a prepaid partner over all books of the real accrual service. A
// block that is sold is in no book yet, so the next purchase needs the allocator; it is held up at
// one of three statements, its process killed with SIGKILL, and what held it up let go. At the end
// the blocks are spent to the last point.
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/ledger/core/limit.h"
#include "libs/ledger/store/limits.h"
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
using member::v1::MemberService;
using partner::v1::PartnerService;

constexpr int kTills = 8;
constexpr int kCardsPerTill = 4;
constexpr int64_t kBlock = 300;
// Each moment four times.
constexpr int kRounds = 12;
constexpr std::chrono::milliseconds kUntilNextCustomer{10};
constexpr absl::Duration kPatience = absl::Seconds(120);

// Where the allocator is held up.
enum class Moment { kLocking, kWriting, kCommitting };
constexpr std::array kMoments = {Moment::kLocking, Moment::kWriting, Moment::kCommitting};

// The advisory lock that the allocator waits for while it writes, or in its commit.
int64_t LockOf(Moment moment) {
  return 7'000 + static_cast<int64_t>(moment);
}

// Makes it wait there.
std::string TriggersSql() {
  return absl::StrCat(
      "create function public.hold_up() returns trigger language plpgsql as $$ begin "
      "if current_setting('application_name') = 'guilder allocator' then "
      "perform pg_advisory_xact_lock_shared(tg_argv[0]::bigint); end if; return null; end $$; "
      "create trigger hold_up after update on ledger.allowances for each statement "
      "execute function public.hold_up(",
      LockOf(Moment::kWriting),
      "); create constraint trigger hold_up_commit after update on ledger.allowances "
      "deferrable initially deferred for each row execute function public.hold_up(",
      LockOf(Moment::kCommitting), ")");
}

// Whoever runs this holds the allocator up until the end of the transaction.
std::string HoldUpSql(Moment moment) {
  if (moment == Moment::kLocking) {
    // It has locked the limit and the other books' allowances by then.
    return "select from ledger.allowances order by book desc limit 1 for update";
  }
  return absl::StrCat("select pg_advisory_xact_lock(", LockOf(moment), ")");
}

template <typename T>
T Must(absl::StatusOr<T> answer) {
  if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
  return *std::move(answer);
}

void Check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

// Six services, and a partner that pays in advance: a point for a euro.
class Network {
 public:
  explicit Network(const std::string& directory)
      : processes_({.directory = directory, .programme = {}}),
        pool_(processes_.dsn(), 4, {.idle_in_transaction_timeout = std::chrono::milliseconds(0)}) {
    const auto partners = Must(cli::dev::AddSamplePartners(processes_.network()));
    partner_ = partners.front();
    Script(
        "update partner.contracts set funding = 'PREPAID_BLOCK' where kind = 'ISSUANCE' and "
        "partner_id = (select partner_id from partner.partners where slug = '" +
        partner_.name + "'); update ledger.configuration set version = version + 1");
    limit_ = ledger::PointBlocksOf(PartnerId(
        One("select partner_id from partner.partners where slug = '" + partner_.name + "'")));
    Script(TriggersSql());
    const clients::Client<MemberService> members(ChannelTo("member", partner_.api_key));
    for (int i = 0; i < kTills * kCardsPerTill; ++i) {
      member::v1::EnrolMemberRequest request;
      request.set_request_id(clients::NewRequestId());
      cards_.push_back(
          Must(members.Invoke(&MemberService::Stub::EnrolMember, request)).card_number());
    }
  }

  ServiceProcesses& processes() { return processes_; }
  postgres::Pool& pool() { return pool_; }
  const std::string& card(size_t i) const { return cards_.at(i); }

  void SellBlock() {
    const auto token = Must(processes_.network().Token("finance"));
    partner::v1::BuyPointBlockRequest request;
    request.set_parent("partners/" + partner_.name);
    request.set_request_id(clients::NewRequestId());
    request.set_points(kBlock);
    Must(clients::Client<PartnerService>(ChannelTo("partner", token))
             .Invoke(&PartnerService::Stub::BuyPointBlock, request));
    sold_ += kBlock;
  }
  int64_t sold() const { return sold_; }

  ledger::LimitState State() {
    return Must(pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<ledger::LimitState> {
      return ledger::ReadLimit(tx, limit_);
    }));
  }

  // By the partner's contract.
  int64_t Issued() {
    return One(
        "select coalesce(sum(points), 0)::bigint from ledger.positions where movement = 1 and "
        "contract_id in (select c.contract_id from partner.contracts c join partner.partners p "
        "using (partner_id) where c.kind = 'ISSUANCE' and p.slug = '" +
        partner_.name + "')");
  }

  clients::Client<AccrualService> Purchases() const {
    return clients::Client<AccrualService>(ChannelTo("accrual", partner_.api_key));
  }

  accrual::v1::RecordPurchaseRequest APurchase(const std::string& card, int64_t euros) const {
    accrual::v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    accrual::v1::ReceiptKey& receipt = *request.mutable_receipt();
    receipt.set_store(partner_.store);
    receipt.set_terminal(partner_.terminal);
    receipt.set_receipt_number(clients::NewRequestId());
    receipt.set_business_date("2026-01-31");
    request.set_card_number(card);
    *request.mutable_occurred_at() = rpc::ToProto(FromAbslTime(absl::Now()));
    request.set_currency_code("EUR");
    accrual::v1::PurchaseLine& line = *request.add_lines();
    line.set_quantity(1);
    line.set_amount_minor_units(euros * 100);
    return request;
  }

  // Sends the request until it is answered.
  static absl::StatusOr<accrual::v1::RecordPurchaseResponse> Ask(
      const clients::Client<AccrualService>& client,
      const accrual::v1::RecordPurchaseRequest& request) {
    for (;;) {
      auto answer = client.Invoke(&AccrualService::Stub::RecordPurchase, request);
      if (answer.ok() || !MayPass(answer.status())) return answer;
    }
  }

  // Lets the allocator run into what holds it up, kills its process, lets go, and starts it again.
  void KillAllocator(Moment moment) {
    Check(pool_.Run([&](postgres::Transaction& tx) {
      tx.Script(HoldUpSql(moment));
      SellBlock();
      const absl::Time give_up_at = absl::Now() + kPatience;
      while (One("select count(*) from pg_stat_activity where application_name = "
                 "'guilder allocator' and wait_event_type = 'Lock'") == 0) {
        if (absl::Now() > give_up_at) throw std::runtime_error("the allocator has nothing to do");
      }
      kill(processes_.pid("accrual"), SIGKILL);
      return absl::OkStatus();
    }));
    processes_.Restart("accrual");
  }

  // A query's only number.
  int64_t One(const std::string& sql) {
    return Must(pool_.Read([&](postgres::Transaction& tx) -> absl::StatusOr<int64_t> {
      return tx.Script(sql)[0].Int(0);
    }));
  }

 private:
  clients::Channel ChannelTo(const std::string& service, const std::string& key) const {
    return clients::Channel(processes_.network().endpoints.at(service), key);
  }

  void Script(const std::string& sql) {
    Check(pool_.Run([&](postgres::Transaction& tx) {
      tx.Script(sql);
      return absl::OkStatus();
    }));
  }

  ServiceProcesses processes_;
  postgres::Pool pool_;
  cli::NetworkPartner partner_;
  ledger::LimitId limit_;
  std::vector<std::string> cards_;
  int64_t sold_ = 0;
};

// What a till was told.
struct Till {
  int64_t points = 0;
  std::string problem;
};

// Buys until it is told to stop, and then finishes what it has begun.
Till SpendUntil(const std::atomic<bool>& stop, Network& network, size_t number, unsigned seed) {
  std::minstd_rand random(seed + static_cast<unsigned>(number));
  const auto purchases = network.Purchases();
  Till till;
  while (!stop) {
    const std::string& card = network.card(number * kCardsPerTill + random() % kCardsPerTill);
    const auto answer =
        Network::Ask(purchases, network.APurchase(card, 1 + static_cast<int64_t>(random() % 9)));
    if (answer.ok()) {
      till.points += answer->points();
    } else if (ReasonOf(answer.status()) == Reason::kPointBlockExhausted) {
      std::this_thread::sleep_for(kUntilNextCustomer);
    } else {
      till.problem = answer.status().ToString();
      return till;
    }
  }
  return till;
}

TEST_CASE("Allocator: killed while it collects, it strands no point and gives none twice",
          "[chaos][faults][inv-26][inv-27][inv-85][inv-105]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  const TemporaryDirectory directory;
  Network network(directory.path());
  network.SellBlock();
  std::atomic<bool> stop = false;
  std::array<Till, kTills> tills;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < tills.size(); ++i) {
    threads.emplace_back([&, i] { tills[i] = SpendUntil(stop, network, i, seed); });
  }
  std::string problem;
  try {
    for (int round = 0; round < kRounds; ++round) {
      network.KillAllocator(kMoments[static_cast<size_t>(round) % kMoments.size()]);
    }
  } catch (const std::exception& error) {
    problem = error.what();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  REQUIRE(problem == "");

  int64_t got = 0;
  for (const Till& till : tills) {
    CHECK(till.problem == "");
    got += till.points;
  }
  const auto purchases = network.Purchases();
  const Points left = network.State().remaining;
  CHECK(network.sold() == (kRounds + 1) * kBlock);
  CHECK(got + left.value() == network.sold());
  // One purchase, so one book, gets at all that is left of it anywhere.
  if (left > Points(0)) {
    const auto last = Network::Ask(purchases, network.APurchase(network.card(0), left.value()));
    INFO(last.status().ToString());
    REQUIRE(last.ok());
    CHECK(last->points() == left.value());
  }
  const auto none = Network::Ask(purchases, network.APurchase(network.card(1), 1));
  CHECK(ReasonOf(none.status()) == Reason::kPointBlockExhausted);
  CHECK(network.Issued() == network.sold());
  const auto report = ledger::Verify(network.pool(), {}, [](const auto&) { return true; });
  REQUIRE(report.ok());
  for (const ledger::VerifyCheck& check : report->checks) {
    INFO(check.name << ": " << check.first_failure);
    CHECK(check.ok);
  }
}

}  // namespace
}  // namespace guilder::testing
