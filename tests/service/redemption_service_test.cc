#include <future>
#include <thread>
#include <vector>

#include "tests/service/redemption_world.h"

namespace guilder::redemption {
namespace {

TEST_CASE("AuthorizeRedemption: points are held at once, at the contract's price",
          "[service][redemption][inv-50]") {
  World world;
  world.GivePoints(100);

  const AuthorizeAnswer held = world.Authorize(world.AnAuthorization(60));

  REQUIRE(held.ok());
  CHECK(held->value().minor_units() == 48);
  CHECK(held->value().currency_code() == "EUR");
  CHECK(held->journal_receipt().leaf_hash().size() == 32);
  CHECK(world.Balances() == std::vector<int64_t>{40, 60});
}

TEST_CASE("AuthorizeRedemption: the same points cannot be held twice",
          "[service][redemption][inv-8]") {
  World world;
  world.GivePoints(100);

  const auto answers = RunTogether(20, [&] { return world.Authorize(world.AnAuthorization(100)); });

  int held = 0;
  int refused = 0;
  for (const AuthorizeAnswer& answer : answers) {
    held += answer.ok();
    refused += ReasonOf(answer) == Reason::kInsufficientPoints;
  }
  CHECK(held == 1);
  CHECK(refused == 19);
  CHECK(world.Balances() == std::vector<int64_t>{0, 100});
}

TEST_CASE("AuthorizeRedemption: a repeat gets the first answer byte for byte, and posts nothing",
          "[service][redemption][inv-11]") {
  World world;
  world.GivePoints(100);
  const auto request = world.AnAuthorization(60);
  const AuthorizeAnswer first = world.Authorize(request);
  const int64_t records = world.Records();

  clients::Answered answered;
  const AuthorizeAnswer second = world.Authorize(request, &answered);

  REQUIRE(second.ok());
  CHECK(answered.replayed);
  CHECK(first->SerializeAsString() == second->SerializeAsString());
  CHECK(world.Records() == records);
}

TEST_CASE("Redemption: a request id serves one content and one kind of request",
          "[service][redemption][inv-12]") {
  World world;
  world.GivePoints(100);
  auto authorization = world.AnAuthorization(60);
  const AuthorizeAnswer held = world.Authorize(authorization);
  REQUIRE(held.ok());

  authorization.set_points(61);
  CHECK(ReasonOf(world.Authorize(authorization)) == Reason::kRequestIdReused);
  auto capture = World::ACapture(held->name());
  capture.set_request_id(authorization.request_id());
  CHECK(ReasonOf(world.Capture(capture)) == Reason::kRequestIdReused);
  CHECK(world.Balances() == std::vector<int64_t>{40, 60});
}

TEST_CASE("Redemption: simultaneous requests with one id execute once",
          "[service][redemption][inv-13]") {
  World world;
  world.GivePoints(100);
  const auto authorization = world.AnAuthorization(10);
  for (const AuthorizeAnswer& answer :
       RunTogether(16, [&] { return world.Authorize(authorization); })) {
    REQUIRE(answer.ok());
  }
  const auto capture = World::ACapture(world.Hold(10));
  for (const auto& answer : RunTogether(16, [&] { return world.Capture(capture); })) {
    REQUIRE(answer.ok());
    CHECK(answer->captured_points() == 10);
  }
  CHECK(world.Balances() == std::vector<int64_t>{80, 10});
}

TEST_CASE("CaptureRedemption: several times up to what is held; the final one releases the rest",
          "[service][redemption][inv-50]") {
  World world;
  world.GivePoints(100);
  const std::string name = world.Hold(100);

  const auto first = world.Capture(World::ACapture(name, 30));
  REQUIRE(first.ok());
  CHECK(first->captured_points() == 30);
  CHECK(first->held_points() == 70);
  CHECK(first->value().minor_units() == 24);
  CHECK(ReasonOf(world.Capture(World::ACapture(name, 71))) == Reason::kCaptureExceedsHold);
  const auto last = world.Capture(World::ACapture(name, 20, /*final=*/true));
  REQUIRE(last.ok());
  CHECK(last->held_points() == 0);

  CHECK(world.Balances() == std::vector<int64_t>{50, 0});
  CHECK(world.Get(name)->state() == v1::REDEMPTION_STATE_CAPTURED);
  CHECK(world.Get(name)->captured_points() == 50);
}

TEST_CASE("VoidRedemption: gives the points back to the same lots",
          "[service][redemption][inv-50]") {
  World world;
  world.GivePoints(60, 10);
  world.GivePoints(60);
  const auto lots = [&] {
    const postgres::Rows rows = world.coalition.database().Query(
        "select string_agg(lot_id || ':' || remaining || ':' || held, ',' order by lot_id) "
        "from ledger.lots");
    return std::string(rows[0].Text(0));
  };
  const std::string before = lots();
  const std::string name = world.Hold(100);

  const auto voided = world.Void(name);

  REQUIRE(voided.ok());
  CHECK(voided->released_points() == 100);
  CHECK(lots() == before);
  CHECK(world.Get(name)->state() == v1::REDEMPTION_STATE_VOIDED);
}

TEST_CASE("Redemption: void after capture is refused, and capture after void",
          "[service][redemption][inv-18]") {
  World world;
  world.GivePoints(100);
  const std::string captured = world.Hold(50);
  const std::string voided = world.Hold(50);
  REQUIRE(world.Capture(World::ACapture(captured)).ok());
  REQUIRE(world.Void(voided).ok());

  CHECK(ReasonOf(world.Void(captured)) == Reason::kRedemptionClosed);
  CHECK(ReasonOf(world.Capture(World::ACapture(voided))) == Reason::kRedemptionClosed);
  CHECK(ReasonOf(world.Void(voided)) == Reason::kRedemptionClosed);
  CHECK(world.Balances() == std::vector<int64_t>{50, 0});
}

TEST_CASE("Redemption: a hold that ran out is closed, and its points are back",
          "[service][redemption][inv-18]") {
  World world;
  world.GivePoints(100);
  const std::string name = world.Hold(100);
  world.coalition.AdvanceDays(1);

  CHECK(world.Get(name)->state() == v1::REDEMPTION_STATE_EXPIRED);
  CHECK(ReasonOf(world.Capture(World::ACapture(name))) == Reason::kRedemptionClosed);
  CHECK(world.Authorize(world.AnAuthorization(100)).ok());
}

TEST_CASE("Redemption: held points outlive their date until the hold ends",
          "[service][redemption][inv-51]") {
  World world;
  world.GivePoints(100, 1);
  auto request = world.AnAuthorization(100);
  request.set_time_to_live_seconds(86'400);
  const AuthorizeAnswer held = world.Authorize(request);
  REQUIRE(held.ok());
  world.coalition.network().MoveClock(kMicrosPerDay - 600 * kMicrosPerSecond);
  REQUIRE(world.Capture(World::ACapture(held->name(), 40)).ok());
  world.coalition.AdvanceDays(1);
  world.GivePoints(1);
  CHECK(world.Balances() == std::vector<int64_t>{1, 0});
}

TEST_CASE("CaptureRedemption: a till that lost its line asks again and reads the truth",
          "[service][redemption][inv-53]") {
  World world;
  world.GivePoints(100);
  const std::string name = world.Hold(80);
  const auto capture = World::ACapture(name, 50);
  const auto first = world.Capture(capture);
  CHECK(world.Get(name)->captured_points() == 50);
  CHECK(world.Get(name)->state() == v1::REDEMPTION_STATE_AUTHORIZED);
  CHECK(world.Get(name)->store() == "partners/books/stores/s1");

  clients::Answered answered;
  const auto again = world.Capture(capture, "books", &answered);

  REQUIRE(again.ok());
  CHECK(answered.replayed);
  CHECK(again->SerializeAsString() == first->SerializeAsString());
  CHECK(world.Get(name)->captured_points() == 50);
}

TEST_CASE("RefundRedemption: up to what was captured, to the lots that paid",
          "[service][redemption]") {
  World world;
  world.GivePoints(60);
  world.GivePoints(60);
  const std::string name = world.Hold(100);
  REQUIRE(world.Capture(World::ACapture(name)).ok());

  REQUIRE(world.Refund(name, 70).ok());

  CHECK(world.Balances() == std::vector<int64_t>{90, 0});
  CHECK(world.Get(name)->refunded_points() == 70);
  CHECK(ReasonOf(world.Refund(name, 31)) == Reason::kRefundExceedsCapture);
  CHECK(world.Refund(name, 30).ok());
}

TEST_CASE("RefundRedemption: finds lots that were closed long ago", "[service][redemption]") {
  World world;
  world.GivePoints(100);
  const std::string name = world.Hold(100);
  REQUIRE(world.Capture(World::ACapture(name)).ok());
  world.GivePoints(10);
  REQUIRE(world.Capture(World::ACapture(world.Hold(10))).ok());

  REQUIRE(world.Refund(name, 100).ok());

  CHECK(world.Balances() == std::vector<int64_t>{100, 0});
  CHECK(world.Authorize(world.AnAuthorization(100)).ok());
}

TEST_CASE("Redemption: the ledger verifies after all that can happen to one",
          "[service][redemption][inv-1]") {
  World world;
  world.GivePoints(60, 10);
  world.GivePoints(60);
  const std::string captured = world.Hold(70);
  const std::string voided = world.Hold(20);
  world.Hold(10);
  REQUIRE(world.Capture(World::ACapture(captured, 30)).ok());
  REQUIRE(world.Capture(World::ACapture(captured, 30, /*final=*/true)).ok());
  REQUIRE(world.Void(voided).ok());
  REQUIRE(world.Refund(captured, 45).ok());
  world.coalition.AdvanceDays(20);
  REQUIRE(world.Refund(captured, 15).ok());

  world.Verify();
}

}  // namespace
}  // namespace guilder::redemption
