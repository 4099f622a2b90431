// What guards members' points: PINs, one-time codes, locks, reviews.
#include "libs/rpc/proto_time.h"
#include "libs/security/member_token.h"
#include "tests/service/redemption_world.h"

namespace guilder::redemption {
namespace {

using Guards = v1::SpendingService::Stub;

constexpr int64_t kHour = 3'600 * kMicrosPerSecond;

void SetPin(const World& world, const std::string& pin) {
  v1::SetPinRequest request;
  request.set_member(world.Member());
  request.set_pin(pin);
  REQUIRE(world.Guard(&Guards::SetPin, request).ok());
}

AuthorizeAnswer PayWithPin(const World& world, int64_t points, const std::string& pin,
                           const std::string& partner = "books") {
  auto request = world.AnAuthorization(points);
  request.set_store("partners/" + partner + "/stores/s1");
  request.set_pin(pin);
  return world.Call(partner, &Stub::AuthorizeRedemption, request);
}

v1::GetSpendingStateResponse StateOf(const World& world) {
  v1::GetSpendingStateRequest request;
  request.set_member(world.Member());
  return world.Guard(&Guards::GetSpendingState, request).value();
}

std::string NewCode(const World& world) {
  v1::CreateOneTimeCodeRequest request;
  request.set_member(world.Member());
  return world.Guard(&Guards::CreateOneTimeCode, request)->one_time_code();
}

AuthorizeAnswer PayWithCode(const World& world, const std::string& code) {
  auto request = world.AnAuthorization(100);
  request.set_one_time_code(code);
  return world.Authorize(request);
}

// From 100 points on a PIN is asked for; three wrong ones lock.
void AskForPins(const World& world) {
  world.SetPolicy([](v1::RedemptionPolicy& policy) {
    policy.set_pin_from_points(100);
    policy.set_maximum_failed_attempts(3);
  });
}

std::vector<v1::Review> Reviews(const World& world) {
  const auto listed = world.Guard(&Guards::ListReviews, v1::ListReviewsRequest());
  REQUIRE(listed.ok());
  return {listed->reviews().begin(), listed->reviews().end()};
}

v1::ReleaseReviewRequest ARelease(const std::string& name) {
  v1::ReleaseReviewRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_redemption(name);
  request.set_note("known customer");
  return request;
}

v1::RejectReviewRequest ARejection(const std::string& name) {
  v1::RejectReviewRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_redemption(name);
  return request;
}

// The second redemption within an hour is reviewed.
void ReviewTheSecond(const World& world) {
  world.SetPolicy([](v1::RedemptionPolicy& policy) {
    policy.set_review_from_redemption(2);
    policy.set_review_period_seconds(3'600);
  });
}

TEST_CASE("AuthorizeRedemption: from so many points on the right PIN is needed",
          "[service][redemption][inv-58]") {
  World world;
  world.GivePoints(1'000);
  AskForPins(world);
  CHECK(world.Authorize(world.AnAuthorization(99)).ok());
  CHECK(ReasonOf(world.Authorize(world.AnAuthorization(100))) == Reason::kPinRequired);
  CHECK(ReasonOf(PayWithPin(world, 100, "1234")) == Reason::kPinRequired);
  SetPin(world, "4711");

  const AuthorizeAnswer wrong = PayWithPin(world, 100, "1234");

  CHECK(ReasonOf(wrong) == Reason::kPinWrong);
  CHECK(DetailsOf(wrong.status()).at("attempts_left") == "2");
  CHECK(StateOf(world).failed_attempts() == 1);
  CHECK(PayWithPin(world, 100, "4711").ok());
  CHECK(StateOf(world).failed_attempts() == 0);
  CHECK(StateOf(world).has_pin());
}

TEST_CASE("AuthorizeRedemption: wrong PINs lock spending at all partners, and never earning",
          "[service][redemption][inv-58]") {
  World world;
  world.GivePoints(1'000);
  AskForPins(world);
  SetPin(world, "4711");
  CHECK(ReasonOf(PayWithPin(world, 100, "0000", "books")) == Reason::kPinWrong);
  CHECK(ReasonOf(PayWithPin(world, 100, "0001", "fresh")) == Reason::kPinWrong);
  CHECK(ReasonOf(PayWithPin(world, 100, "0002", "books")) == Reason::kPinWrong);

  CHECK(ReasonOf(PayWithPin(world, 100, "4711", "books")) == Reason::kSpendingLocked);
  CHECK(ReasonOf(PayWithPin(world, 100, "4711", "fresh")) == Reason::kSpendingLocked);
  CHECK(ReasonOf(world.Authorize(world.AnAuthorization(1))) == Reason::kSpendingLocked);
  CHECK(StateOf(world).locked());
  world.GivePoints(50);
  CHECK(world.Balances() == std::vector<int64_t>{1'050, 0});

  v1::UnlockSpendingRequest unlock;
  unlock.set_member(world.Member());
  REQUIRE(world.Guard(&Guards::UnlockSpending, unlock).ok());
  CHECK(ReasonOf(world.Guard(&Guards::UnlockSpending, unlock)) == Reason::kWrongState);
  CHECK(PayWithPin(world, 100, "4711").ok());
}

TEST_CASE("AuthorizeRedemption: who is locked stays locked when the policy asks for PINs no more",
          "[service][redemption][inv-58]") {
  World world;
  world.GivePoints(1'000);
  AskForPins(world);
  SetPin(world, "4711");
  for (int i = 0; i < 3; ++i) {
    CHECK(ReasonOf(PayWithPin(world, 100, "0000")) == Reason::kPinWrong);
  }

  world.SetPolicy([](v1::RedemptionPolicy& policy) {
    policy.set_pin_from_points(0);
    policy.set_maximum_failed_attempts(20);
  });

  CHECK(StateOf(world).locked());
  CHECK(ReasonOf(world.Authorize(world.AnAuthorization(1))) == Reason::kSpendingLocked);
}

// Goal: whoever guesses in parallel gets no more guesses than one after the other.
TEST_CASE("AuthorizeRedemption: simultaneous guesses are counted one by one",
          "[service][redemption][inv-58]") {
  World world;
  world.GivePoints(1'000);
  AskForPins(world);
  SetPin(world, "4711");

  const auto answers = RunTogether(24, [&] { return PayWithPin(world, 100, "0000"); });

  int wrong = 0;
  int locked = 0;
  for (const AuthorizeAnswer& answer : answers) {
    wrong += ReasonOf(answer) == Reason::kPinWrong;
    locked += ReasonOf(answer) == Reason::kSpendingLocked;
  }
  CHECK(wrong == 3);
  CHECK(locked == 21);
  CHECK(ReasonOf(PayWithPin(world, 100, "4711")) == Reason::kSpendingLocked);
}

TEST_CASE(
    "AuthorizeRedemption: a repeat is answered whatever PIN it comes with, and counts nothing",
    "[service][redemption][inv-11]") {
  World world;
  world.GivePoints(1'000);
  AskForPins(world);
  SetPin(world, "4711");
  auto request = world.AnAuthorization(100);
  request.set_pin("4711");
  const AuthorizeAnswer first = world.Authorize(request);
  request.set_pin("0000");

  const AuthorizeAnswer again = world.Authorize(request);

  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == first->SerializeAsString());
  CHECK(StateOf(world).failed_attempts() == 0);
  CHECK(world.Balances() == std::vector<int64_t>{900, 100});
}

TEST_CASE("AuthorizeRedemption: a one-time code works once, and for five minutes",
          "[service][redemption][inv-58]") {
  World world;
  world.GivePoints(1'000);
  AskForPins(world);
  const std::string code = NewCode(world);
  CHECK(code.size() == 8);
  CHECK(PayWithCode(world, code).ok());
  CHECK(ReasonOf(PayWithCode(world, code)) == Reason::kPinWrong);

  const std::string late = NewCode(world);
  world.coalition.network().MoveClock(301 * kMicrosPerSecond);
  CHECK(ReasonOf(PayWithCode(world, late)) == Reason::kPinWrong);
  const std::string replaced = NewCode(world);
  const std::string last = NewCode(world);
  CHECK((replaced == last || ReasonOf(PayWithCode(world, replaced)).has_value()));
}

TEST_CASE("SpendingService: a PIN leaves no trace in the journal or the audit log",
          "[service][redemption]") {
  World world;
  world.GivePoints(1'000);
  AskForPins(world);
  SetPin(world, "471147114711");
  REQUIRE(PayWithPin(world, 100, "471147114711").ok());
  const auto& db = world.coalition.database();
  CHECK(
      db.Query(
            "select count(*) from ledger.journal where position('471147114711'::bytea in content) "
            "> 0 or position('471147114711'::bytea in response) > 0")[0]
          .Int(0) == 0);
  CHECK(db.Query("select pin_hash from redemption.members")[0].Text(0).substr(0, 10) ==
        "$argon2id$");
}

TEST_CASE("SpendingService: refusals, and what members may ask", "[service][redemption]") {
  World world;
  v1::SetPinRequest pin;
  pin.set_member(world.Member());
  for (const std::string bad : {"123", "12345678901234", "12a4", " 1234"}) {
    pin.set_pin(bad);
    CHECK(ReasonOf(world.Guard(&Guards::SetPin, pin)) == Reason::kRequestMalformed);
  }
  pin.set_pin("1234");
  for (const std::string nobody :
       {"", "members/", "members/0", "members/999999999", "partners/1"}) {
    pin.set_member(nobody);
    CHECK(ReasonOf(world.Guard(&Guards::SetPin, pin)) == Reason::kMemberNotFound);
    v1::CreateOneTimeCodeRequest code;
    code.set_member(nobody);
    CHECK(ReasonOf(world.Guard(&Guards::CreateOneTimeCode, code)) == Reason::kMemberNotFound);
    v1::GetSpendingStateRequest state;
    state.set_member(nobody);
    CHECK(ReasonOf(world.Guard(&Guards::GetSpendingState, state)) == Reason::kMemberNotFound);
    v1::UnlockSpendingRequest unlock;
    unlock.set_member(nobody);
    CHECK(ReasonOf(world.Guard(&Guards::UnlockSpending, unlock)) == Reason::kMemberNotFound);
  }
  const security::MemberTokens tokens(world.coalition.network().secrets());
  const AccountId account = world.coalition.AccountOf(world.card);
  const clients::Client<v1::SpendingService> member(
      world.coalition.network().WithKey(tokens.Make(account, kNever)));
  pin.set_member(world.Member());
  CHECK(member.Invoke(&Guards::SetPin, pin).ok());
  const std::string other = world.coalition.AMember();
  pin.set_member("members/" + std::to_string(world.coalition.AccountOf(other).value()));
  CHECK(ReasonOf(member.Invoke(&Guards::SetPin, pin)) == Reason::kMemberNotFound);
  CHECK(ReasonOf(member.Invoke(&Guards::UnlockSpending, v1::UnlockSpendingRequest())) ==
        Reason::kPermissionDenied);
}

TEST_CASE("UpdateRedemptionPolicy: refusals, and one version after the other",
          "[service][redemption]") {
  World world;
  using Change = std::function<void(v1::RedemptionPolicy&)>;
  const std::vector<Change> bad = {
      [](v1::RedemptionPolicy& p) { p.set_grace_days(-1); },
      [](v1::RedemptionPolicy& p) { p.set_grace_days(367); },
      [](v1::RedemptionPolicy& p) { p.set_pin_from_points(-1); },
      [](v1::RedemptionPolicy& p) { p.set_pin_from_points(INT64_MAX); },
      [](v1::RedemptionPolicy& p) { p.set_maximum_failed_attempts(21); },
      [](v1::RedemptionPolicy& p) { p.set_maximum_failed_attempts(-1); },
      [](v1::RedemptionPolicy& p) { p.set_review_from_redemption(1); },
      [](v1::RedemptionPolicy& p) { p.set_review_new_device_per_mille(1'001); },
      [](v1::RedemptionPolicy& p) { p.set_review_seconds(1); },
      [](v1::RedemptionPolicy& p) { p.set_version(-1); },
      [](v1::RedemptionPolicy& p) { p.set_consumption_order(v1::ConsumptionOrder(9)); },
  };
  for (size_t i = 0; i < bad.size(); ++i) {
    INFO(i);
    v1::UpdateRedemptionPolicyRequest request;
    bad[i](*request.mutable_policy());
    CHECK(ReasonOf(world.Guard(&Guards::UpdateRedemptionPolicy, request)) ==
          Reason::kRequestMalformed);
  }
  v1::UpdateRedemptionPolicyRequest request;
  request.mutable_policy()->set_grace_days(3);
  const auto set = world.Guard(&Guards::UpdateRedemptionPolicy, request);
  REQUIRE(set.ok());
  CHECK(set->policy().version() == 1);
  CHECK(set->policy().set_by() == "anna");
  CHECK(set->policy().maximum_failed_attempts() == 5);
  CHECK(ReasonOf(world.Guard(&Guards::UpdateRedemptionPolicy, request)) == Reason::kEtagMismatch);
}

TEST_CASE("Review: the n-th redemption in a period is held, not lost, and can be released",
          "[service][redemption][inv-103]") {
  World world;
  world.GivePoints(100);
  ReviewTheSecond(world);
  CHECK(world.Authorize(world.AnAuthorization(10))->state() == v1::REDEMPTION_STATE_AUTHORIZED);

  const AuthorizeAnswer held = world.Authorize(world.AnAuthorization(20));

  REQUIRE(held.ok());
  CHECK(held->state() == v1::REDEMPTION_STATE_IN_REVIEW);
  CHECK(world.Balances() == std::vector<int64_t>{70, 30});
  CHECK(world.Get(held->name())->state() == v1::REDEMPTION_STATE_IN_REVIEW);
  CHECK(ReasonOf(world.Capture(World::ACapture(held->name()))) == Reason::kRedemptionInReview);
  const auto reviews = Reviews(world);
  REQUIRE(reviews.size() == 1);
  CHECK(reviews[0].redemption() == held->name());
  CHECK(reviews[0].reason() == v1::REVIEW_REASON_COUNT);
  CHECK(reviews[0].points() == 20);
  CHECK(reviews[0].store() == "partners/books/stores/s1");
  world.Verify();

  const auto released = world.Guard(&Guards::ReleaseReview, ARelease(held->name()));
  REQUIRE(released.ok());
  CHECK(released->state() == v1::REDEMPTION_STATE_AUTHORIZED);
  CHECK(Reviews(world).empty());
  CHECK(world.Capture(World::ACapture(held->name())).ok());
  CHECK(ReasonOf(world.Guard(&Guards::ReleaseReview, ARelease(held->name()))) ==
        Reason::kRedemptionClosed);
  world.Verify();
}

TEST_CASE(
    "Review: what was to be taken at once is taken when it is released, as of when it occurred",
    "[service][redemption][inv-103]") {
  World world;
  world.GivePoints(100);
  ReviewTheSecond(world);
  world.Hold(10);
  auto request = world.AnAuthorization(50);
  request.set_capture(true);
  const AuthorizeAnswer held = world.Authorize(request);
  CHECK(held->state() == v1::REDEMPTION_STATE_IN_REVIEW);
  world.coalition.network().MoveClock(5 * kHour);
  // Whatever is agreed later, the price is that of then.
  const std::string since = std::to_string((world.coalition.Now() - Timestamp(kHour)).value());
  world.Change("update partner.contracts set effective_until_us = " + since +
               " where kind = 'REDEMPTION'");
  world.Change(
      "insert into partner.contracts (partner_id, number, kind, state, effective_from_us, "
      "rate_micros, currency, tax_code, tax_ppm, proposed_by, approved_by) "
      "select partner_id, 3, 'REDEMPTION', 'APPROVED', " +
      since + ", 1, 'EUR', 'OUT', 0, 'anna', 'bert' from partner.partners");

  const auto release = ARelease(held->name());
  const auto released = world.Guard(&Guards::ReleaseReview, release);

  REQUIRE(released.ok());
  CHECK(released->state() == v1::REDEMPTION_STATE_CAPTURED);
  CHECK(released->captured_points() == 50);
  CHECK(released->value().minor_units() == 40);
  CHECK(released->occurred_at().seconds() == held->journal_receipt().posted_at().seconds());
  CHECK(released->journal_receipt().posted_at().seconds() >=
        released->occurred_at().seconds() + 5 * 3'600);
  const auto again = world.Guard(&Guards::ReleaseReview, release);
  CHECK(again->SerializeAsString() == released->SerializeAsString());
  CHECK(world.Get(held->name())->captured_points() == 50);
  world.Verify();
}

TEST_CASE(
    "Review: rejecting gives the points back; so does time, and nothing is left to be looked at",
    "[service][redemption][inv-103]") {
  World world;
  world.GivePoints(100);
  ReviewTheSecond(world);
  world.Hold(10);
  const std::string rejected = world.Hold(20);
  const std::string forgotten = world.Hold(30);
  const std::string voided = world.Hold(5);
  CHECK(Reviews(world).size() == 3);
  REQUIRE(world.Void(voided).ok());
  CHECK(Reviews(world).size() == 2);

  const auto answer = world.Guard(&Guards::RejectReview, ARejection(rejected));

  REQUIRE(answer.ok());
  CHECK(answer->released_points() == 20);
  CHECK(world.Get(rejected)->state() == v1::REDEMPTION_STATE_VOIDED);
  CHECK(world.Balances() == std::vector<int64_t>{60, 40});
  world.coalition.AdvanceDays(8);
  CHECK(Reviews(world).empty());
  CHECK(world.Get(forgotten)->state() == v1::REDEMPTION_STATE_EXPIRED);
  CHECK(ReasonOf(world.Guard(&Guards::ReleaseReview, ARelease(forgotten))) ==
        Reason::kRedemptionClosed);
  world.GivePoints(1);
  CHECK(world.Balances() == std::vector<int64_t>{101, 0});
  world.Verify();
}

TEST_CASE("Review: a new device with nearly all points is held, a known one is not",
          "[service][redemption][inv-103]") {
  World world;
  world.GivePoints(100);
  world.SetPolicy(
      [](v1::RedemptionPolicy& policy) { policy.set_review_new_device_per_mille(900); });
  const auto pay = [&](int64_t points, const std::string& device) {
    auto request = world.AnAuthorization(points);
    request.set_device_id(device);
    return world.Authorize(request);
  };
  CHECK(pay(10, "phone")->state() == v1::REDEMPTION_STATE_AUTHORIZED);
  const AuthorizeAnswer known = pay(85, "phone");
  CHECK(known->state() == v1::REDEMPTION_STATE_AUTHORIZED);
  REQUIRE(world.Void(known->name()).ok());

  const AuthorizeAnswer unknown = pay(85, "another phone");

  CHECK(unknown->state() == v1::REDEMPTION_STATE_IN_REVIEW);
  REQUIRE(Reviews(world).size() == 1);
  CHECK(Reviews(world)[0].reason() == v1::REVIEW_REASON_NEW_DEVICE);
}

TEST_CASE("Review: refusals in their order, and pages", "[service][redemption]") {
  World world;
  world.GivePoints(100);
  auto release = ARelease("");
  const auto refused = [&] { return ReasonOf(world.Guard(&Guards::ReleaseReview, release)); };
  CHECK(refused() == Reason::kRequestMalformed);
  release.set_redemption("redemptions/1-999999");
  release.set_note(std::string(201, 'x'));
  CHECK(refused() == Reason::kRequestMalformed);
  release.set_note("");
  release.set_request_id("7");
  CHECK(refused() == Reason::kRequestIdMalformed);
  release.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kReviewNotFound);
  release.set_redemption("purchases/1-1");
  CHECK(refused() == Reason::kReviewNotFound);
  release.set_redemption(world.Hold(1));
  CHECK(refused() == Reason::kReviewNotFound);
  CHECK(ReasonOf(world.Guard(&Guards::RejectReview, ARejection("redemptions/x"))) ==
        Reason::kReviewNotFound);

  ReviewTheSecond(world);
  for (int i = 0; i < 3; ++i) world.Hold(1);
  v1::ListReviewsRequest list;
  list.set_page_size(-1);
  CHECK(ReasonOf(world.Guard(&Guards::ListReviews, list)) == Reason::kRequestMalformed);
  list.set_page_size(2);
  const auto first = world.Guard(&Guards::ListReviews, list);
  REQUIRE(first.ok());
  CHECK(first->reviews_size() == 2);
  list.set_page_token(first->next_page_token());
  const auto second = world.Guard(&Guards::ListReviews, list);
  REQUIRE(second.ok());
  CHECK(second->reviews_size() == 1);
  CHECK(second->next_page_token().empty());
  list.set_page_token("forged");
  CHECK(ReasonOf(world.Guard(&Guards::ListReviews, list)) == Reason::kPageTokenInvalid);
}

}  // namespace
}  // namespace guilder::redemption
