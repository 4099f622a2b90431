// Paying with points as tills do: terms of contracts, baskets, orders, one step, restricted points.
#include <atomic>
#include <semaphore>
#include <thread>

#include "services/redemption/rpc/commands.h"
#include "services/redemption/rpc/redemption_proto.h"
#include "tests/service/redemption_world.h"

namespace guilder::redemption {
namespace {

void SetTerms(World& world, const std::string& terms) {
  world.Change("update partner.contracts set " + terms + " where kind = 'REDEMPTION'");
}

template <typename Request>
Request WithBasket(Request request) {
  request.set_currency_code("EUR");
  v1::BasketLine& food = *request.add_lines();
  food.set_sku("bread");
  food.set_category("food");
  food.set_amount_minor_units(600);
  v1::BasketLine& tobacco = *request.add_lines();
  tobacco.set_sku("cigars");
  tobacco.set_category("tobacco");
  tobacco.set_amount_minor_units(400);
  return request;
}

v1::QuoteRedemptionRequest AQuote(const World& world) {
  v1::QuoteRedemptionRequest request;
  request.set_store("partners/books/stores/s1");
  request.set_card_number(world.card);
  return WithBasket(request);
}

absl::StatusOr<v1::QuoteRedemptionResponse> Quote(const World& world,
                                                  const v1::QuoteRedemptionRequest& request) {
  return world.Call("books", &Stub::QuoteRedemption, request);
}

TEST_CASE("QuoteRedemption: what may be paid by the contract, the basket and the member's points",
          "[service][redemption][inv-55]") {
  World world;
  world.GivePoints(900);
  const auto free = Quote(world, AQuote(world));
  REQUIRE(free.ok());
  // 900 points at 0.008 EUR.
  CHECK(free->payable_points() == 900);
  CHECK(free->value().minor_units() == 720);
  CHECK(free->rest().minor_units() == 280);

  SetTerms(world,
           "minimum_points = 200, step_points = 100, maximum_share_per_mille = 500, "
           "excluded_categories = '{tobacco}'");
  const auto bound = Quote(world, AQuote(world));
  REQUIRE(bound.ok());
  // Half of 10.00 is 5.00, for which 625 points pay.
  CHECK(bound->payable_points() == 600);
  CHECK(bound->value().minor_units() == 480);
  CHECK(bound->rest().minor_units() == 520);
  CHECK(bound->payable_value().minor_units() == 500);
  CHECK(bound->available_points() == 900);
  CHECK(bound->minimum_points() == 200);
  CHECK(bound->step_points() == 100);
  CHECK(world.Balances() == std::vector<int64_t>{900, 0});
}

TEST_CASE("AuthorizeRedemption: takes what the quote of the same basket says, and no more",
          "[service][redemption][inv-55]") {
  World world;
  world.GivePoints(900);
  SetTerms(world, "minimum_points = 200, step_points = 100, maximum_share_per_mille = 500");
  const auto authorize = [&](int64_t points, bool basket) {
    auto request = world.AnAuthorization(points);
    return world.Authorize(basket ? WithBasket(request) : request);
  };

  for (const int64_t points : {100, 250, 700}) {
    const AuthorizeAnswer refused = authorize(points, true);
    CHECK(ReasonOf(refused) == Reason::kRedemptionNotPayable);
    CHECK(DetailsOf(refused.status()).at("payable_points") == "600");
  }
  CHECK(ReasonOf(authorize(150, false)) == Reason::kRedemptionNotPayable);
  CHECK(authorize(600, true).ok());
  CHECK(authorize(300, false).ok());
}

TEST_CASE("QuoteRedemption: refusals in their order", "[service][redemption]") {
  World world;
  world.GivePoints(10);
  auto request = AQuote(world);
  const auto refused = [&] { return ReasonOf(Quote(world, request)); };
  request.set_store("s1");
  CHECK(refused() == Reason::kRequestMalformed);
  request = AQuote(world);
  request.clear_lines();
  CHECK(refused() == Reason::kRequestMalformed);
  request = AQuote(world);
  request.mutable_lines(0)->set_sku(std::string(65, 'x'));
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_lines(0)->set_sku(std::string("a\0b", 3));
  CHECK(refused() == Reason::kRequestMalformed);
  request = AQuote(world);
  for (const int64_t amount : {int64_t{0}, int64_t{-1}, INT64_MAX}) {
    request.mutable_lines(0)->set_amount_minor_units(amount);
    CHECK(refused() == Reason::kAmountOutOfRange);
  }
  request = AQuote(world);
  request.set_currency_code("euro");
  CHECK(refused() == Reason::kCurrencyNotSupported);
  request = AQuote(world);
  request.set_card_number("");
  CHECK(refused() == Reason::kCardMissing);
  request = AQuote(world);
  request.set_store("partners/fresh/stores/s1");
  CHECK(refused() == Reason::kNotYours);
  request.set_store("partners/books/stores/s9");
  CHECK(refused() == Reason::kStoreNotFound);
  request = AQuote(world);
  request.set_card_number("4111111111111111");
  CHECK(refused() == Reason::kCardNotFound);
  request = AQuote(world);
  request.set_currency_code("USD");
  CHECK(refused() == Reason::kCurrencyNotSupported);
  request = AQuote(world);
  for (int i = 0; i < 500; ++i) *request.add_lines() = request.lines(0);
  CHECK(refused() == Reason::kRequestMalformed);
}

TEST_CASE("AuthorizeRedemption: in one step the points are taken with the same record",
          "[service][redemption][inv-50]") {
  World world;
  world.GivePoints(100);
  auto request = world.AnAuthorization(60);
  request.set_capture(true);
  const int64_t records = world.Records();

  const AuthorizeAnswer taken = world.Authorize(request);

  REQUIRE(taken.ok());
  CHECK(taken->state() == v1::REDEMPTION_STATE_CAPTURED);
  CHECK(taken->value().minor_units() == 48);
  CHECK(world.Records() == records + 1);
  CHECK(world.Balances() == std::vector<int64_t>{40, 0});
  CHECK(world.Get(taken->name())->captured_points() == 60);
  clients::Answered answered;
  CHECK(world.Authorize(request, &answered)->SerializeAsString() == taken->SerializeAsString());
  CHECK(answered.replayed);
  CHECK(ReasonOf(world.Void(taken->name())) == Reason::kRedemptionClosed);
  REQUIRE(world.Refund(taken->name(), 60).ok());
  CHECK(world.Balances() == std::vector<int64_t>{100, 0});
  world.Verify();
}

TEST_CASE("AuthorizeRedemption: a hold is not renewed on the same order",
          "[service][redemption][inv-52]") {
  World world;
  world.GivePoints(500);
  const auto authorize = [&](const std::string& order, int seconds = 900) {
    auto request = world.AnAuthorization(10);
    request.set_reference(order);
    request.set_time_to_live_seconds(seconds);
    return world.Authorize(request);
  };
  const AuthorizeAnswer open = authorize("order 1");
  REQUIRE(open.ok());
  const AuthorizeAnswer again = authorize("order 1");
  CHECK(ReasonOf(again) == Reason::kOrderHasRedemption);
  CHECK(DetailsOf(again.status()).at("redemption") == open->name());
  CHECK(authorize("order 2").ok());

  world.coalition.network().MoveClock(3'600 * kMicrosPerSecond);
  CHECK(world.Get(open->name())->state() == v1::REDEMPTION_STATE_EXPIRED);
  CHECK(ReasonOf(authorize("order 1")) == Reason::kOrderHasRedemption);
  const AuthorizeAnswer taken = authorize("order 3");
  REQUIRE(world.Capture(World::ACapture(taken->name())).ok());
  CHECK(ReasonOf(authorize("order 3")) == Reason::kOrderHasRedemption);
}

TEST_CASE(
    "AuthorizeRedemption: after a void the order may be paid, for no longer than one hold may",
    "[service][redemption][inv-52]") {
  World world;
  world.GivePoints(500);
  const auto authorize = [&] {
    auto request = world.AnAuthorization(10);
    request.set_reference("order 1");
    request.set_time_to_live_seconds(86'400);
    return world.Authorize(request);
  };
  const AuthorizeAnswer first = authorize();
  REQUIRE(first.ok());
  REQUIRE(world.Void(first->name()).ok());
  world.coalition.network().MoveClock(12 * 3'600 * kMicrosPerSecond);

  const AuthorizeAnswer second = authorize();

  REQUIRE(second.ok());
  CHECK(second->expires_at().seconds() == first->expires_at().seconds());
  REQUIRE(world.Void(second->name()).ok());
  world.coalition.network().MoveClock(12 * 3'600 * kMicrosPerSecond);
  CHECK(ReasonOf(authorize()) == Reason::kOrderHasRedemption);
}

TEST_CASE("AuthorizeRedemption: of many authorizations for one order at once one is held",
          "[service][redemption][inv-52]") {
  World world;
  world.GivePoints(500);

  const auto answers = RunTogether(20, [&] {
    auto request = world.AnAuthorization(10);
    request.set_reference("order 1");
    return world.Authorize(request);
  });

  int held = 0;
  int refused = 0;
  for (const AuthorizeAnswer& answer : answers) {
    held += answer.ok();
    refused += ReasonOf(answer) == Reason::kOrderHasRedemption;
  }
  CHECK(held == 1);
  CHECK(refused == 19);
}

TEST_CASE("GetRedemption: a till asks by its own request id, or by its order",
          "[service][redemption][inv-53]") {
  World world;
  world.GivePoints(100);
  auto request = world.AnAuthorization(60);
  request.set_reference("order 9");
  const AuthorizeAnswer held = world.Authorize(request);
  const auto capture = World::ACapture(held->name(), 20);
  REQUIRE(world.Capture(capture).ok());
  const auto ask = [&](const std::function<void(v1::GetRedemptionRequest&)>& by,
                       const std::string& partner = "books") {
    v1::GetRedemptionRequest asked;
    by(asked);
    return world.Call(partner, &Stub::GetRedemption, asked);
  };
  const auto by_id = [&](const std::string& id) {
    return [id](v1::GetRedemptionRequest& asked) { asked.set_request_id(id); };
  };
  const auto by_order = [](v1::GetRedemptionRequest& asked) {
    asked.set_reference("order 9");
    asked.set_store("partners/books/stores/s1");
  };

  for (const std::string& id : {request.request_id(), capture.request_id()}) {
    const auto found = ask(by_id(id));
    REQUIRE(found.ok());
    CHECK(found->redemption().name() == held->name());
    CHECK(found->redemption().captured_points() == 20);
    CHECK(found->redemption().parts().empty());
  }
  CHECK(ask(by_order)->redemption().name() == held->name());
  CHECK(ReasonOf(ask(by_id(request.request_id()), "fresh")) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(ask(by_order, "fresh")) == Reason::kNotYours);
  CHECK(ReasonOf(ask(by_id(clients::NewRequestId()))) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(ask(by_id("7"))) == Reason::kRequestIdMalformed);
  CHECK(ReasonOf(ask([](v1::GetRedemptionRequest&) {})) == Reason::kRequestMalformed);
  CHECK(ReasonOf(ask([&](v1::GetRedemptionRequest& asked) {
          by_order(asked);
          asked.set_name(held->name());
        })) == Reason::kRequestMalformed);
}

TEST_CASE("AuthorizeRedemption: 10,000 attempts on the same points, exactly one wins",
          "[service][redemption][inv-8]") {
  constexpr int kAttempts = 10'000;
  World world;
  world.GivePoints(100);
  std::atomic<int> held = 0;
  std::atomic<int> short_of_points = 0;
  // As many as queues take at once.
  constexpr int kInFlight = 400;
  std::counting_semaphore<kInFlight> room(kInFlight);
  const AccountId account = world.coalition.AccountOf(world.card);
  const PartnerId partner = world.PartnerOf("books");
  RedemptionRows rows;
  const Authorization asked = *FromProto(world.AnAuthorization(100));
  std::vector<std::thread> tills;
  for (int till = 0; till < 4; ++till) {
    tills.emplace_back([&] {
      for (int i = 0; i < kAttempts / 4; ++i) {
        room.acquire();
        world.coalition.lanes().Submit(
            MakeCommand(rows, partner, security::RandomUuid(), account, asked, Shown()),
            [&](const absl::StatusOr<ledger::Answer>& answer) {
              held += answer.ok();
              short_of_points += ReasonOf(answer) == Reason::kInsufficientPoints;
              room.release();
            });
      }
    });
  }
  for (std::thread& till : tills) till.join();
  for (int i = 0; i < kInFlight; ++i) room.acquire();

  CHECK(held == 1);
  CHECK(short_of_points == kAttempts - 1);
  CHECK(world.Balances() == std::vector<int64_t>{0, 100});
  world.Verify();
}

TEST_CASE("AuthorizeRedemption: two cards of one account share one balance; blocking one stops it",
          "[service][redemption][inv-61]") {
  World world;
  world.GivePoints(100);
  const std::string first = world.card;
  const std::string second = world.coalition.AMember();
  world.Change(
      "update member.cards set account_id = (select account_id from member.cards "
      "where card_number = " +
      first +
      "), book = (select book from member.cards "
      "where card_number = " +
      first + ") where card_number = " + second);
  REQUIRE(world.Authorize(world.AnAuthorization(60)).ok());
  world.card = second;
  const AuthorizeAnswer too_many = world.Authorize(world.AnAuthorization(60));
  CHECK(DetailsOf(too_many.status()).at("available_points") == "40");

  world.Change("update member.cards set state = 1 where card_number = " + first);
  CHECK(world.Authorize(world.AnAuthorization(40)).ok());
  world.card = first;
  CHECK(ReasonOf(world.Authorize(world.AnAuthorization(1))) == Reason::kCardBlocked);
}

TEST_CASE("AuthorizeRedemption: restricted points pay first where they may, and nowhere else",
          "[service][redemption][inv-54]") {
  World world;
  world.GivePoints(100, 10);
  world.GivePoints(40, 0, world.PartnerOf("books"));
  world.GivePoints(40, 0, world.PartnerOf("fresh"));
  world.GivePoints(40, 0, ledger::kOnlyGifts);
  CHECK(Quote(world, AQuote(world))->available_points() == 140);

  const std::string name = world.Hold(50);
  const auto lots = world.coalition.database().Query(
      "select string_agg(held::text, ' ' order by lot_id) from ledger.lots");

  CHECK(lots[0].Text(0) == "10 40 0 0");
  const AuthorizeAnswer too_many = world.Authorize(world.AnAuthorization(91));
  CHECK(DetailsOf(too_many.status()).at("available_points") == "90");
  REQUIRE(world.Capture(World::ACapture(name)).ok());
  world.Verify();
  world.coalition.database().Query(
      "update ledger.lots set restricted_to = 0 where restricted_to > 0");
  CHECK_FALSE(
      ledger::Verify(world.coalition.network().pool(), {}, [](const ledger::VerifyProgress&) {
        return true;
      })->ok);
}

TEST_CASE("AuthorizeRedemption: points that name several partners are spent at each, and verified",
          "[service][redemption][inv-54]") {
  World world;
  const auto only = [&](const char* a, const char* b) {
    return ledger::Restriction::OnlyAt({world.PartnerOf(a), world.PartnerOf(b)});
  };
  world.GivePoints(100, 10);
  world.GivePoints(40, 0, only("fresh", "house"));
  world.GivePoints(40, 0, only("books", "house"));
  const auto quoted = Quote(world, AQuote(world));
  CHECK(quoted->available_points() == 140);
  CHECK(quoted->elsewhere_points() == 40);

  const std::string name = world.Hold(50);
  const auto lots = world.coalition.database().Query(
      "select string_agg(held::text, ' ' order by lot_id) from ledger.lots");

  CHECK(lots[0].Text(0) == "10 0 40");
  REQUIRE(world.Capture(World::ACapture(name)).ok());
  world.Verify();
  const auto verified = [&] {
    return ledger::Verify(world.coalition.network().pool(), {},
                          [](const ledger::VerifyProgress&) { return true; })
        ->ok;
  };
  CHECK(verified());
  // One partner more, a list for what had none, and no list any more.
  for (const char* change :
       {"restricted_partners = restricted_partners || 99 where restricted_to = -2",
        "restricted_to = -2, restricted_partners = '{1,2}' where restricted_to = 0",
        "restricted_partners = null where restricted_to = -2"}) {
    INFO(change);
    world.coalition.database().Query("create table kept as table ledger.lots");
    world.coalition.database().Query(std::string("update ledger.lots set ") + change);
    CHECK_FALSE(verified());
    world.coalition.database().Query(
        "update ledger.lots l set restricted_to = k.restricted_to, "
        "restricted_partners = k.restricted_partners "
        "from kept k where k.book = l.book and k.lot_id = l.lot_id");
    world.coalition.database().Query("drop table kept");
    CHECK(verified());
  }
}

TEST_CASE("AuthorizeRedemption: the programme's order of consumption decides which lots pay",
          "[service][redemption][inv-54]") {
  World world;
  world.GivePoints(50);
  world.GivePoints(50, 10);
  const auto held = [&] {
    const auto rows = world.coalition.database().Query(
        "select string_agg(held::text, ' ' order by lot_id) from ledger.lots");
    return std::string(rows[0].Text(0));
  };
  const std::string soonest = world.Hold(30);
  CHECK(held() == "0 30");
  REQUIRE(world.Void(soonest).ok());

  world.SetPolicy([](v1::RedemptionPolicy& policy) {
    policy.set_consumption_order(v1::CONSUMPTION_ORDER_FIRST_IN);
  });
  world.Hold(30);

  CHECK(held() == "30 0");
}

TEST_CASE("RefundRedemption: points of a lot that expired meanwhile live for the days of grace",
          "[service][redemption][inv-44]") {
  World world;
  world.SetPolicy([](v1::RedemptionPolicy& policy) { policy.set_grace_days(5); });
  world.GivePoints(100, 3);
  const std::string name = world.Hold(100);
  REQUIRE(world.Capture(World::ACapture(name)).ok());
  const auto issued = [&] {
    return world.coalition.database()
        .Query(
            "select coalesce(sum(points), 0)::bigint from ledger.positions where movement = 1")[0]
        .Int(0);
  };
  const int64_t issued_before = issued();
  world.coalition.AdvanceDays(4);

  REQUIRE(world.Refund(name, 60).ok());

  CHECK(world.Balances() == std::vector<int64_t>{60, 0});
  CHECK(issued() == issued_before);
  v1::GetRedemptionRequest request;
  request.set_name(name);
  const auto shown =
      clients::Client<v1::RedemptionService>(world.coalition.network().AsOperator("auditor"))
          .Invoke(&Stub::GetRedemption, request);
  REQUIRE(shown.ok());
  REQUIRE(shown->redemption().parts_size() == 1);
  CHECK(shown->redemption().parts(0).issuer() == "partners/fresh");
  CHECK(shown->redemption().parts(0).refunded_points() == 60);
  CHECK(shown->redemption().parts(0).restored_until().seconds() > 0);
  CHECK(world.Hold(10) != "");
  world.Verify();

  world.coalition.AdvanceDays(7);
  world.GivePoints(1);
  CHECK(world.Balances() == std::vector<int64_t>{1, 0});
  world.Verify();
  world.coalition.database().Query(
      "update ledger.lots set restored_until_us = restored_until_us + 1 where restored_until_us > "
      "0");
  CHECK_FALSE(
      ledger::Verify(world.coalition.network().pool(), {}, [](const ledger::VerifyProgress&) {
        return true;
      })->ok);
}

}  // namespace
}  // namespace guilder::redemption
