#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "libs/ledger/core/moves.h"
#include "libs/security/keys.h"
#include "tests/service/catalog_world.h"

namespace guilder::redemption {
namespace {

TEST_CASE("Orders: points and stock are reserved together, and taken step by step",
          "[service][redemption][inv-56]") {
  CatalogWorld world;
  world.GivePoints(500);
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());

  const auto placed = world.Order(world.AnOrder("bouquet", 3));

  REQUIRE(placed.ok());
  CHECK(placed->order().state() == v1::ORDER_STATE_ORDERED);
  CHECK(placed->order().points() == 300);
  CHECK(placed->order().supplier_store() == "partners/books/stores/s1");
  CHECK(placed->journal_receipt().leaf_hash().size() == 32);
  CHECK(world.Balances() == std::vector<int64_t>{200, 300});
  CHECK(world.Reward().remaining_stock() == 7);
  CHECK(world.RedeemedAt("books") == 0);
  const std::string name = placed->order().name();

  const auto confirmed = world.Step(name, v1::ORDER_STATE_CONFIRMED);
  REQUIRE(confirmed.ok());
  CHECK(confirmed->taken_points() == 300);
  CHECK(confirmed->value().minor_units() == 240);
  CHECK(world.Balances() == std::vector<int64_t>{200, 0});
  CHECK(world.RedeemedAt("books") == 300);
  REQUIRE(world.Step(name, v1::ORDER_STATE_SHIPPED).ok());
  REQUIRE(world.Step(name, v1::ORDER_STATE_DELIVERED).ok());
  CHECK(world.Get(name).state() == v1::ORDER_STATE_DELIVERED);

  const auto returned = world.Step(name, v1::ORDER_STATE_RETURNED);
  REQUIRE(returned.ok());
  CHECK(returned->taken_points() == -300);
  CHECK(returned->value().minor_units() == -240);
  CHECK(world.Balances() == std::vector<int64_t>{500, 0});
  CHECK(world.RedeemedAt("books") == 0);
  CHECK(world.Reward().remaining_stock() == 10);
}

TEST_CASE("CancelOrder: stock and points go back once, to the same lots",
          "[service][redemption][inv-56]") {
  CatalogWorld world;
  world.GivePoints(60, 10);
  world.GivePoints(100);
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());
  const std::string before = world.Lots();

  for (const bool confirmed : {false, true}) {
    const std::string name = world.Ordered();
    if (confirmed) REQUIRE(world.Step(name, v1::ORDER_STATE_CONFIRMED).ok());
    CHECK(world.Reward().remaining_stock() == 9);
    const auto as = confirmed ? world.AsPartner("books") : world.AsMember();
    const auto request = CatalogWorld::ACancellation(name);

    const auto first = world.Call(as, &Catalog::CancelOrder, request);
    clients::Answered answered;
    const auto again = world.Call(as, &Catalog::CancelOrder, request, &answered);
    const auto another = world.Call(as, &Catalog::CancelOrder, CatalogWorld::ACancellation(name));

    REQUIRE(first.ok());
    REQUIRE(again.ok());
    CHECK(first->returned_points() == 100);
    CHECK(answered.replayed);
    CHECK(again->SerializeAsString() == first->SerializeAsString());
    CHECK(ReasonOf(another) == Reason::kWrongState);
    CHECK(world.Reward().remaining_stock() == 10);
    CHECK(world.Lots() == before);
    CHECK(world.RedeemedAt("books") == 0);
  }
}

TEST_CASE("Orders: only the declared steps are taken, by those who may",
          "[service][redemption][inv-18]") {
  CatalogWorld world;
  world.GivePoints(1'000);
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());
  const std::string name = world.Ordered();
  const auto refused = [&](v1::OrderState to) { return ReasonOf(world.Step(name, to)); };

  CHECK(refused(v1::ORDER_STATE_ORDERED) == Reason::kRequestMalformed);
  CHECK(refused(v1::ORDER_STATE_CANCELLED) == Reason::kRequestMalformed);
  CHECK(refused(v1::ORDER_STATE_SHIPPED) == Reason::kWrongState);
  CHECK(refused(v1::ORDER_STATE_DELIVERED) == Reason::kWrongState);
  CHECK(refused(v1::ORDER_STATE_RETURNED) == Reason::kWrongState);
  REQUIRE(world.Step(name, v1::ORDER_STATE_CONFIRMED).ok());
  CHECK(refused(v1::ORDER_STATE_CONFIRMED) == Reason::kWrongState);
  CHECK(refused(v1::ORDER_STATE_RETURNED) == Reason::kWrongState);
  // What is confirmed only its supplier calls off.
  CHECK(ReasonOf(world.Cancel(name)) == Reason::kWrongState);
  REQUIRE(world.Step(name, v1::ORDER_STATE_SHIPPED).ok());
  CHECK(ReasonOf(world.Call(world.AsPartner("books"), &Catalog::CancelOrder,
                            CatalogWorld::ACancellation(name))) == Reason::kWrongState);
  REQUIRE(world.Step(name, v1::ORDER_STATE_RETURNED).ok());
  CHECK(refused(v1::ORDER_STATE_RETURNED) == Reason::kWrongState);
  CHECK(refused(v1::ORDER_STATE_CONFIRMED) == Reason::kWrongState);

  // Goods that are collected.
  const std::string collected = world.Ordered();
  REQUIRE(world.Step(collected, v1::ORDER_STATE_CONFIRMED).ok());
  REQUIRE(world.Step(collected, v1::ORDER_STATE_DELIVERED).ok());
  CHECK(world.Balances() == std::vector<int64_t>{900, 0});
}

// Goal: a thousand members want the only piece; one gets it, and the others keep their points.
// Method: all calls are under way before the first is answered; callbacks only collect.
TEST_CASE("Orders: the last piece goes to exactly one of a thousand buyers",
          "[service][redemption][inv-56]") {
  constexpr int kBuyers = 1'000;
  CatalogWorld world(/*books=*/8);
  REQUIRE(world.Create(CatalogWorld::AGift("last-one", 1)).ok());
  std::vector<AccountId> buyers;
  for (int i = 0; i < kBuyers; ++i) {
    buyers.push_back(world.coalition.AccountOf(world.coalition.AMember()));
  }
  world.GivePoints(buyers, 100);
  std::mutex mutex;
  std::condition_variable all_answered;
  std::vector<absl::Status> answers;
  clients::RetryPolicy patient;
  patient.per_attempt = absl::Seconds(30);
  const clients::Client<v1::CatalogService> client(world.AsOperator());

  for (const AccountId buyer : buyers) {
    auto order = world.AnOrder("last-one");
    order.set_member(CatalogWorld::NameOf(buyer));
    client.InvokeAsync<v1::OrderRewardRequest, v1::OrderRewardResponse>(
        &clients::Client<v1::CatalogService>::Async::OrderReward, order,
        [&](const absl::StatusOr<v1::OrderRewardResponse>& answer) {
          const std::lock_guard lock(mutex);
          answers.push_back(answer.status());
          if (answers.size() == kBuyers) all_answered.notify_one();
        },
        patient);
  }
  std::unique_lock lock(mutex);
  all_answered.wait(lock, [&] { return answers.size() == kBuyers; });

  int sold = 0;
  int out_of_stock = 0;
  for (const absl::Status& answer : answers) {
    sold += answer.ok();
    out_of_stock += guilder::ReasonOf(answer) == Reason::kOutOfStock;
  }
  CHECK(sold == 1);
  CHECK(out_of_stock == kBuyers - 1);
  CHECK(world.Count("catalogue.orders") == 1);
  CHECK(world.coalition.database()
            .Query("select count(*) from ledger.accounts where available = 100")[0]
            .Int(0) == kBuyers - 1);
}

TEST_CASE("OrderReward: a price that was shown is honoured for its time to live",
          "[service][redemption][inv-57]") {
  CatalogWorld world;
  world.GivePoints(1'000);
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());
  auto order = world.AnOrder();
  order.set_price_version(world.Reward().price_version());
  REQUIRE(world.Update(CatalogWorld::APrice(150)).ok());

  const auto at_shown_price = world.Order(order);
  REQUIRE(at_shown_price.ok());
  CHECK(at_shown_price->order().points() == 100);
  const auto at_price_in_force = world.Order(world.AnOrder());
  REQUIRE(at_price_in_force.ok());
  CHECK(at_price_in_force->order().points() == 150);
  CHECK(at_price_in_force->order().price_version() == 2);

  world.coalition.network().MoveClock(899 * kMicrosPerSecond);
  order.set_request_id(clients::NewRequestId());
  CHECK(world.Order(order).ok());
  world.coalition.network().MoveClock(2 * kMicrosPerSecond);
  order.set_request_id(clients::NewRequestId());
  const auto too_late = world.Order(order);
  CHECK(ReasonOf(too_late) == Reason::kPriceChanged);
  CHECK(DetailsOf(too_late.status()).at("price_version") == "2");
}

TEST_CASE("Orders: one that nobody confirms in time lapses, and its piece is free again",
          "[service][redemption][inv-51][inv-52]") {
  CatalogWorld world;
  world.GivePoints(100);
  REQUIRE(world.Create(CatalogWorld::AGift("bouquet", 1)).ok());
  const std::string name = world.Ordered();
  CHECK(ReasonOf(world.Order(world.AnOrder())) == Reason::kInsufficientPoints);

  world.coalition.AdvanceDays(14);

  CHECK(world.Get(name).state() == v1::ORDER_STATE_CANCELLED);
  CHECK(ReasonOf(world.Step(name, v1::ORDER_STATE_CONFIRMED)) == Reason::kWrongState);
  // The service ends it by a record, which gives the piece back.
  while (world.Reward().remaining_stock() == 0) std::this_thread::yield();
  CHECK(world.Get(name).state() == v1::ORDER_STATE_CANCELLED);
  CHECK(ReasonOf(world.Cancel(name)) == Reason::kWrongState);
  CHECK(world.Ordered() != name);
  CHECK(world.Balances() == std::vector<int64_t>{0, 100});
}

TEST_CASE("Orders: a member has no more than the limit, what it called off not counted",
          "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(1'000);
  auto gift = CatalogWorld::AGift("bouquet", 0);
  gift.mutable_reward()->set_per_member_limit(2);
  REQUIRE(world.Create(gift).ok());
  CHECK(ReasonOf(world.Order(world.AnOrder("bouquet", 3))) == Reason::kMemberLimitReached);
  const std::string first = world.Ordered();
  world.Ordered();
  CHECK(ReasonOf(world.Order(world.AnOrder())) == Reason::kMemberLimitReached);
  REQUIRE(world.Cancel(first).ok());
  world.Ordered();

  // Orders that are decided in one batch count each other.
  std::vector<std::future<absl::StatusOr<v1::OrderRewardResponse>>> running;
  const AccountId other = world.coalition.AccountOf(world.coalition.AMember());
  world.GivePoints(other, 1'000);
  for (int i = 0; i < 16; ++i) {
    running.push_back(std::async(std::launch::async, [&] {
      auto order = world.AnOrder();
      order.set_member(CatalogWorld::NameOf(other));
      return world.Call(world.AsMember(other), &Catalog::OrderReward, order);
    }));
  }
  int placed = 0;
  for (auto& one : running) placed += one.get().ok();
  CHECK(placed == 2);
}

TEST_CASE("Orders: what is for some tiers is had by their members, each up to its limit",
          "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(1'000);
  auto gift = CatalogWorld::AGift("bouquet", 0);
  v1::TierLimit& gold = *gift.mutable_reward()->add_tier_limits();
  gold.set_tier("gold");
  gold.set_limit(2);
  REQUIRE(world.Create(gift).ok());
  REQUIRE(world.Reward().tier_limits_size() == 1);
  CHECK(world.Reward().tier_limits(0).tier() == "gold");
  CHECK_FALSE(world.Reward().has_remaining_stock());
  CHECK(ReasonOf(world.Order(world.AnOrder())) == Reason::kRewardNotAvailable);

  const auto give = [&](const char* tier, int number, const char* from) {
    world.coalition.database().Query(absl::StrCat(
        "insert into member.tiers (book, account_id, number, tier, from_us, changed_at_us, "
        "changed_by, reason) values (",
        world.account.value() & 65535, ", ", world.account.value(), ", ", number, ", '", tier,
        "', ", from, ", 0, 'anna', '')"));
  };
  give("gold", 1, "0");
  // Not yet.
  give("silver", 2, "9000000000000000");
  CHECK(ReasonOf(world.Order(world.AnOrder("bouquet", 3))) == Reason::kMemberLimitReached);
  world.Ordered("bouquet", 2);
  CHECK(ReasonOf(world.Order(world.AnOrder())) == Reason::kMemberLimitReached);

  v1::UpdateRewardRequest update;
  update.set_request_id(clients::NewRequestId());
  update.mutable_reward()->set_name("rewards/bouquet");
  update.mutable_update_mask()->add_paths("tier_limits");
  REQUIRE(world.Update(update).ok());
  CHECK(world.Reward().tier_limits_size() == 0);
  world.Ordered("bouquet", 3);
}

class Merge final : public ledger::Command {
 public:
  Merge(AccountId from, AccountId into) {
    kind = ledger::RecordKind::kMerge;
    partner = PartnerId(1);
    request_id = security::RandomUuid();
    account = from;
    book = ledger::BookOf(from);
    others = {into};
    content = ledger::EncodeMerge(into);
    needs_lots = true;
  }
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&, ledger::Posting&) override {
    return absl::InternalError("it is of two accounts");
  }
  absl::StatusOr<std::string> DecideTogether(const ledger::DecisionContext&,
                                             std::vector<ledger::Posting>& postings) override {
    const absl::Status merged = ledger::DecideMerge(postings[0], postings[1]);
    if (!merged.ok()) return merged;
    return std::string();
  }
};

TEST_CASE("Orders: after a merge old orders go on, and what the old name orders is the survivor's",
          "[service][redemption][inv-74]") {
  CatalogWorld world;
  world.GivePoints(500);
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const std::string before = world.Ordered();
  AccountId survivor = world.account;
  while (ledger::BookOf(survivor) == ledger::BookOf(world.account)) {
    survivor = world.coalition.AccountOf(world.coalition.AMember());
  }
  world.GivePoints(survivor, 600);
  std::promise<absl::Status> merged;
  world.coalition.lanes().Submit(
      std::make_unique<Merge>(world.account, survivor),
      [&](const absl::StatusOr<ledger::Answer>& answer) { merged.set_value(answer.status()); });
  REQUIRE(merged.get_future().get().ok());

  const std::string after = world.Ordered();
  CHECK(world.Get(after).member() == CatalogWorld::NameOf(survivor));
  CHECK(world.Issued().member() == CatalogWorld::NameOf(survivor));
  for (const auto state : {v1::ORDER_STATE_CONFIRMED, v1::ORDER_STATE_DELIVERED}) {
    CHECK(world.Step(before, state).ok());
    CHECK(world.Step(after, state).ok());
  }
  CHECK(world.Step(before, v1::ORDER_STATE_RETURNED).ok());
  CHECK(world.Step(after, v1::ORDER_STATE_RETURNED).ok());
  CHECK(world.Reward().remaining_stock() == 10);
}

TEST_CASE("Orders: one whose row is gone is found by the verification", "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(1'000);
  REQUIRE(world.Create(CatalogWorld::AGift("bouquet", 0)).ok());
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  world.Ordered();
  world.Issued();
  const auto finds = [&] {
    const auto report =
        ledger::Verify(world.coalition.network().pool(), {}, [](const auto&) { return true; });
    REQUIRE(report.ok());
    return std::count_if(report->checks.begin(), report->checks.end(),
                         [](const ledger::VerifyCheck& check) { return !check.ok; });
  };
  REQUIRE(finds() == 0);
  for (const std::string table : {"catalogue.orders", "catalogue.vouchers"}) {
    world.coalition.database().Query(
        absl::StrCat("create table public.kept as select * from ", table, "; delete from ", table));
    CHECK(finds() == 1);
    world.coalition.database().Query(
        absl::StrCat("insert into ", table, " select * from public.kept; drop table public.kept"));
  }
  CHECK(finds() == 0);
}

TEST_CASE("Orders: a member sees its own, a supplier those that it sends, and nobody else's",
          "[service][redemption][inv-89]") {
  CatalogWorld world;
  world.GivePoints(300);
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());
  const AccountId other = world.coalition.AccountOf(world.coalition.AMember());
  const std::string name = world.Ordered();
  world.Ordered();
  v1::GetOrderRequest get;
  get.set_name(name);
  const auto seen_by = [&](const clients::Channel& as) {
    return ReasonOf(world.Call(as, &Catalog::GetOrder, get));
  };
  const auto listed_by = [&](const clients::Channel& as, const std::string& member = "") {
    v1::ListOrdersRequest list;
    list.set_member(member);
    const auto orders = world.Call(as, &Catalog::ListOrders, list);
    return orders.ok() ? orders->orders_size() : -1;
  };

  CHECK_FALSE(seen_by(world.AsMember()));
  CHECK_FALSE(seen_by(world.AsPartner("books")));
  CHECK_FALSE(seen_by(world.AsOperator()));
  CHECK(seen_by(world.AsMember(other)) == Reason::kOrderNotFound);
  CHECK(seen_by(world.AsPartner("fresh")) == Reason::kOrderNotFound);
  CHECK(listed_by(world.AsMember()) == 2);
  CHECK(listed_by(world.AsPartner("books")) == 2);
  CHECK(listed_by(world.AsOperator()) == 2);
  CHECK(listed_by(world.AsOperator(), CatalogWorld::NameOf(other)) == 0);
  CHECK(listed_by(world.AsMember(other)) == 0);
  CHECK(listed_by(world.AsPartner("fresh")) == 0);
  CHECK(listed_by(world.AsMember(other), CatalogWorld::NameOf(world.account)) == -1);
  CHECK(listed_by(world.AsPartner("books"), CatalogWorld::NameOf(world.account)) == -1);
  const auto shown = world.Call(world.AsPartner("books"), &Catalog::GetOrder, get);
  CHECK(shown->order().member().empty());
  const auto stranger = world.Call(world.AsPartner("fresh"), &Catalog::UpdateOrderStatus,
                                   CatalogWorld::AStep(name, v1::ORDER_STATE_CONFIRMED));
  CHECK(ReasonOf(stranger) == Reason::kOrderNotFound);
  CHECK(ReasonOf(world.Call(world.AsMember(other), &Catalog::CancelOrder,
                            CatalogWorld::ACancellation(name))) == Reason::kOrderNotFound);
  auto for_another = world.AnOrder();
  CHECK(ReasonOf(world.Call(world.AsMember(other), &Catalog::OrderReward, for_another)) ==
        Reason::kMemberNotFound);
  // A hold of an order is no redemption, though its supplier is a partner.
  v1::VoidRedemptionRequest voiding;
  voiding.set_request_id(clients::NewRequestId());
  voiding.set_name(absl::StrCat("redemptions/", name.substr(name.find('/') + 1)));
  clients::RetryPolicy once;
  once.max_attempts = 1;
  CHECK(ReasonOf(clients::Client<v1::RedemptionService>(world.AsPartner("books"))
                     .Invoke(&Stub::VoidRedemption, voiding, once)) == Reason::kRedemptionNotFound);
}

TEST_CASE("ListOrders: pages and states", "[service][redemption][inv-107]") {
  CatalogWorld world;
  world.GivePoints(1'000);
  REQUIRE(world.Create(CatalogWorld::AGift("bouquet", 0)).ok());
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.push_back(world.Ordered());
  REQUIRE(world.Step(names[1], v1::ORDER_STATE_CONFIRMED).ok());
  REQUIRE(world.Cancel(names[3]).ok());
  const auto list = [&](v1::OrderState state) {
    std::vector<std::string> found;
    v1::ListOrdersRequest request;
    request.set_page_size(2);
    request.set_state(state);
    do {
      const auto page = world.Call(world.AsMember(), &Catalog::ListOrders, request);
      REQUIRE(page.ok());
      for (const v1::Order& order : page->orders()) found.push_back(order.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return found;
  };

  CHECK(list(v1::ORDER_STATE_UNSPECIFIED) == names);
  CHECK(list(v1::ORDER_STATE_CONFIRMED) == std::vector<std::string>{names[1]});
  CHECK(list(v1::ORDER_STATE_CANCELLED) == std::vector<std::string>{names[3]});
  CHECK(list(v1::ORDER_STATE_SHIPPED).empty());
}

}  // namespace
}  // namespace guilder::redemption
