#include <string>

#include "tests/service/redemption_world.h"

namespace guilder::redemption {
namespace {

TEST_CASE("Redemption: another partner's does not exist", "[service][redemption]") {
  World world;
  world.GivePoints(100);
  const std::string name = world.Hold(50);
  CHECK(ReasonOf(world.Get(name, "fresh")) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(world.Capture(World::ACapture(name), "fresh")) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(world.Void(name, "fresh")) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(world.Refund(name, 1, "fresh")) == Reason::kRedemptionNotFound);
}

TEST_CASE("AuthorizeRedemption: refusals in their order", "[service][redemption]") {
  World world;
  world.GivePoints(10);
  auto request = world.AnAuthorization(0);
  request.set_store("books/s1");
  request.set_request_id("1");
  request.set_card_number("");
  const auto refused = [&] { return ReasonOf(world.Authorize(request)); };

  CHECK(refused() == Reason::kRequestMalformed);
  request.set_store("partners/fresh/stores/s1");
  request.set_time_to_live_seconds(86'401);
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_time_to_live_seconds(60);
  request.set_reference(std::string(65, 'x'));
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_reference(std::string("order\0", 6));
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_reference("");
  CHECK(refused() == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.set_points(11);
  CHECK(refused() == Reason::kCardMissing);
  request.set_card_number(
      std::string(world.card).replace(15, 1, world.card[15] == '0' ? "1" : "0"));
  CHECK(refused() == Reason::kCardNumberMistyped);
  request.set_card_number("4111111111111111");
  CHECK(refused() == Reason::kNotYours);
  request.set_store("partners/books/stores/s9");
  CHECK(refused() == Reason::kStoreNotFound);
  request.set_store("partners/books/stores/s1");
  CHECK(refused() == Reason::kCardNotFound);
  request.set_card_number(world.card);
  request.set_store("partners/fresh/stores/s1");
  CHECK(refused() == Reason::kNotYours);
  request.set_store("partners/books/stores/s9");
  CHECK(refused() == Reason::kStoreNotFound);
  request.set_store("partners/books/stores/s1");

  world.Change("update partner.partners set state = 'SUSPENDED' where slug = 'books'");
  world.Change("update partner.contracts set state = 'PROPOSED' where kind = 'REDEMPTION'");
  world.Change("update member.cards set state = 1");
  world.Change("update ledger.accounts set status = 1");
  CHECK(refused() == Reason::kPartnerNotActive);
  world.Change("update partner.partners set state = 'ACTIVE'");
  CHECK(refused() == Reason::kNoContract);
  world.Change("update partner.contracts set state = 'APPROVED'");
  CHECK(refused() == Reason::kCardBlocked);
  world.Change("update member.cards set state = 0");
  CHECK(refused() == Reason::kAccountClosed);
  world.Change("update ledger.accounts set status = 0");
  const AuthorizeAnswer short_of_points = world.Authorize(request);
  CHECK(ReasonOf(short_of_points) == Reason::kInsufficientPoints);
  CHECK(DetailsOf(short_of_points.status()).at("available_points") == "10");
}

TEST_CASE("CaptureRedemption and RefundRedemption: refusals in their order",
          "[service][redemption]") {
  World world;
  world.GivePoints(10);
  auto capture = World::ACapture("", -1);
  capture.set_request_id("1");
  CHECK(ReasonOf(world.Capture(capture)) == Reason::kRequestMalformed);
  capture.set_name("redemptions/1-999999");
  CHECK(ReasonOf(world.Capture(capture)) == Reason::kRequestIdMalformed);
  capture.set_request_id(clients::NewRequestId());
  CHECK(ReasonOf(world.Capture(capture)) == Reason::kAmountOutOfRange);
  capture.set_points(1);
  CHECK(ReasonOf(world.Capture(capture)) == Reason::kRedemptionNotFound);
  capture.set_name("purchases/1-1");
  CHECK(ReasonOf(world.Capture(capture)) == Reason::kRedemptionNotFound);

  CHECK(ReasonOf(world.Refund("", 0)) == Reason::kRequestMalformed);
  CHECK(ReasonOf(world.Refund("redemptions/1-999999", 0)) == Reason::kAmountOutOfRange);
  CHECK(ReasonOf(world.Refund("redemptions/1-999999", 1)) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(world.Refund(world.Hold(10), 1)) == Reason::kRefundExceedsCapture);
  CHECK(ReasonOf(world.Void("redemptions/1")) == Reason::kRedemptionNotFound);
  CHECK(ReasonOf(world.Get("redemptions/1-999999")) == Reason::kRedemptionNotFound);
}

TEST_CASE("Redemption: a partner that was suspended still gives back what it holds",
          "[service][redemption]") {
  World world;
  world.GivePoints(100);
  const std::string held = world.Hold(40);
  const std::string captured = world.Hold(40);
  REQUIRE(world.Capture(World::ACapture(captured)).ok());
  world.Change("update partner.partners set state = 'SUSPENDED' where slug = 'books'");
  CHECK(world.Void(held).ok());
  CHECK(world.Refund(captured, 40).ok());
  CHECK(ReasonOf(world.Authorize(world.AnAuthorization(1))) == Reason::kPartnerNotActive);
  CHECK(world.Balances() == std::vector<int64_t>{100, 0});
}

}  // namespace
}  // namespace guilder::redemption
