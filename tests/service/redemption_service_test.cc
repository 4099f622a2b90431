#include "services/redemption/rpc/redemption_service.h"

#include <future>
#include <thread>
#include <vector>

#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"
#include "libs/ledger/core/decide.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::redemption {
namespace {

using Stub = v1::RedemptionService::Stub;
using Authorized = absl::StatusOr<v1::AuthorizeRedemptionResponse>;

// Points of `fresh`, as a purchase gives them.
class Give final : public ledger::Command {
 public:
  Give(AccountId to, int64_t points, int lives_days) : points_(points), lives_days_(lives_days) {
    kind = ledger::RecordKind::kPurchase;
    partner = PartnerId(1);
    request_id = security::RandomUuid();
    account = to;
    book = ledger::BookOf(to);
  }
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    const ledger::Partner* const fresh = context.configuration.FindPartner("fresh");
    ledger::EarnTerms terms;
    terms.issuer = fresh->id;
    terms.contract = fresh->issuance.front().id;
    terms.points = Points(points_);
    terms.activates_at = posting.now();
    if (lives_days_ > 0) terms.expires_at = posting.now() + Timestamp(lives_days_ * kMicrosPerDay);
    const absl::Status earned = ledger::DecideEarn(posting, terms);
    if (!earned.ok()) return earned;
    return std::string();
  }

 private:
  const int64_t points_;
  const int lives_days_;
};

struct World {
  World() {
    coalition.network().Add(
        MakeRedemptionService({coalition.network().runtime(), coalition.network().pool(),
                               coalition.lanes(), coalition.cards()}),
        kRedemptionServiceName);
    coalition.network().Start();
    card = coalition.AMember();
  }
  ~World() { testing::CheckInvariants(coalition.database()); }

  void GivePoints(int64_t points, int lives_days = 0) {
    std::promise<absl::Status> done;
    coalition.lanes().Submit(
        std::make_unique<Give>(coalition.AccountOf(card), points, lives_days),
        [&](const absl::StatusOr<ledger::Answer>& answer) { done.set_value(answer.status()); });
    REQUIRE(done.get_future().get().ok());
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(const std::string& partner,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request,
                                clients::Answered* answered = nullptr) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::RedemptionService>(coalition.AsPartner(partner))
        .Invoke(method, request, once, answered);
  }

  v1::AuthorizeRedemptionRequest AnAuthorization(int64_t points) const {
    v1::AuthorizeRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/books/stores/s1");
    request.set_card_number(card);
    request.set_points(points);
    request.set_reference("receipt 7");
    return request;
  }
  Authorized Authorize(const v1::AuthorizeRedemptionRequest& request,
                       clients::Answered* answered = nullptr) const {
    return Call("books", &Stub::AuthorizeRedemption, request, answered);
  }
  std::string Hold(int64_t points) const {
    const Authorized held = Authorize(AnAuthorization(points));
    REQUIRE(held.ok());
    return held->name();
  }

  static v1::CaptureRedemptionRequest ACapture(const std::string& name, int64_t points = 0,
                                               bool final = false) {
    v1::CaptureRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(name);
    request.set_points(points);
    request.set_final(final);
    return request;
  }
  absl::StatusOr<v1::CaptureRedemptionResponse> Capture(
      const v1::CaptureRedemptionRequest& request, const std::string& partner = "books",
      clients::Answered* answered = nullptr) const {
    return Call(partner, &Stub::CaptureRedemption, request, answered);
  }
  absl::StatusOr<v1::VoidRedemptionResponse> Void(const std::string& name,
                                                  const std::string& partner = "books") const {
    v1::VoidRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(name);
    return Call(partner, &Stub::VoidRedemption, request);
  }
  static v1::RefundRedemptionRequest ARefund(const std::string& name, int64_t points) {
    v1::RefundRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(name);
    request.set_points(points);
    return request;
  }
  absl::StatusOr<v1::RefundRedemptionResponse> Refund(const std::string& name, int64_t points,
                                                      const std::string& partner = "books") const {
    return Call(partner, &Stub::RefundRedemption, ARefund(name, points));
  }
  absl::StatusOr<v1::Redemption> Get(const std::string& name,
                                     const std::string& partner = "books") const {
    v1::GetRedemptionRequest request;
    request.set_name(name);
    const auto response = Call(partner, &Stub::GetRedemption, request);
    if (!response.ok()) return response.status();
    return response->redemption();
  }

  // {available, held}, as the account's row has them.
  std::vector<int64_t> Balances() const {
    const auto rows = coalition.database().Query(
        "select available, held from ledger.accounts where account_id = " +
        std::to_string(coalition.AccountOf(card).value()));
    return {rows[0].Int(0), rows[0].Int(1)};
  }
  int64_t Records() const {
    return coalition.database().Query("select count(*) from ledger.journal")[0].Int(0);
  }
  void Change(const std::string& sql) {
    coalition.database().Query(sql);
    coalition.database().Query("update ledger.configuration set version = version + 1");
  }

  mutable testing::Coalition coalition;
  std::string card;
};

// What those calls answered that were refused.
template <typename Response>
std::optional<Reason> ReasonOf(const absl::StatusOr<Response>& answer) {
  return guilder::ReasonOf(answer.status());
}

// Runs `call` on so many threads at once. Threads only collect, because assertions are not thread
// safe.
template <typename Call>
auto RunTogether(int threads, Call call) {
  std::vector<std::future<decltype(call())>> running;
  std::promise<void> go;
  const std::shared_future<void> started = go.get_future().share();
  for (int i = 0; i < threads; ++i) {
    running.push_back(std::async(std::launch::async, [&call, started] {
      started.wait();
      return call();
    }));
  }
  go.set_value();
  std::vector<decltype(call())> answers;
  for (auto& one : running) answers.push_back(one.get());
  return answers;
}

TEST_CASE("AuthorizeRedemption: points are held at once, at the contract's price",
          "[service][redemption][inv-50]") {
  World world;
  world.GivePoints(100);

  const Authorized held = world.Authorize(world.AnAuthorization(60));

  REQUIRE(held.ok());
  CHECK(held->value().minor_units() == 48);
  CHECK(held->value().currency_code() == "EUR");
  CHECK(held->journal_receipt().leaf_hash().size() == 32);
  CHECK(world.Balances() == std::vector<int64_t>{40, 60});
}

TEST_CASE("The same points cannot be held twice", "[service][redemption][inv-8]") {
  World world;
  world.GivePoints(100);

  const auto answers = RunTogether(20, [&] { return world.Authorize(world.AnAuthorization(100)); });

  int held = 0;
  int refused = 0;
  for (const Authorized& answer : answers) {
    held += answer.ok();
    refused += ReasonOf(answer) == Reason::kInsufficientPoints;
  }
  CHECK(held == 1);
  CHECK(refused == 19);
  CHECK(world.Balances() == std::vector<int64_t>{0, 100});
}

TEST_CASE("A repeat gets the first answer byte for byte, and posts nothing",
          "[service][redemption][inv-11]") {
  World world;
  world.GivePoints(100);
  const auto request = world.AnAuthorization(60);
  const Authorized first = world.Authorize(request);
  const int64_t records = world.Records();

  clients::Answered answered;
  const Authorized second = world.Authorize(request, &answered);

  REQUIRE(second.ok());
  CHECK(answered.replayed);
  CHECK(first->SerializeAsString() == second->SerializeAsString());
  CHECK(world.Records() == records);
}

TEST_CASE("A request id serves one content and one kind of request",
          "[service][redemption][inv-12]") {
  World world;
  world.GivePoints(100);
  auto authorization = world.AnAuthorization(60);
  const Authorized held = world.Authorize(authorization);
  REQUIRE(held.ok());

  authorization.set_points(61);
  CHECK(ReasonOf(world.Authorize(authorization)) == Reason::kRequestIdReused);
  auto capture = World::ACapture(held->name());
  capture.set_request_id(authorization.request_id());
  CHECK(ReasonOf(world.Capture(capture)) == Reason::kRequestIdReused);
  CHECK(world.Balances() == std::vector<int64_t>{40, 60});
}

TEST_CASE("Simultaneous requests with one id execute once", "[service][redemption][inv-13]") {
  World world;
  world.GivePoints(100);
  const auto authorization = world.AnAuthorization(10);
  for (const Authorized& answer : RunTogether(16, [&] { return world.Authorize(authorization); })) {
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
    return world.coalition.database()
        .Query(
            "select string_agg(lot_id || ':' || remaining || ':' || held, ',' order by lot_id) "
            "from ledger.lots")[0]
        .Text(0);
  };
  const std::string before(lots());
  const std::string name = world.Hold(100);

  const auto voided = world.Void(name);

  REQUIRE(voided.ok());
  CHECK(voided->released_points() == 100);
  CHECK(lots() == before);
  CHECK(world.Get(name)->state() == v1::REDEMPTION_STATE_VOIDED);
}

TEST_CASE("Void after capture is refused, and capture after void",
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

TEST_CASE("A hold that ran out is closed, and its points are back",
          "[service][redemption][inv-18]") {
  World world;
  world.GivePoints(100);
  const std::string name = world.Hold(100);
  world.coalition.AdvanceDays(1);

  CHECK(world.Get(name)->state() == v1::REDEMPTION_STATE_EXPIRED);
  CHECK(ReasonOf(world.Capture(World::ACapture(name))) == Reason::kRedemptionClosed);
  CHECK(world.Authorize(world.AnAuthorization(100)).ok());
}

TEST_CASE("Held points outlive their date until the hold ends", "[service][redemption]") {
  World world;
  world.GivePoints(100, 1);
  auto request = world.AnAuthorization(100);
  request.set_time_to_live_seconds(86'400);
  const Authorized held = world.Authorize(request);
  REQUIRE(held.ok());
  world.coalition.network().MoveClock(kMicrosPerDay - 600 * kMicrosPerSecond);
  REQUIRE(world.Capture(World::ACapture(held->name(), 40)).ok());
  world.coalition.AdvanceDays(1);
  world.GivePoints(1);
  CHECK(world.Balances() == std::vector<int64_t>{1, 0});
}

TEST_CASE("A till that lost its line asks again and reads the truth",
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

TEST_CASE("Another partner's redemption does not exist", "[service][redemption]") {
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
  const Authorized short_of_points = world.Authorize(request);
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

TEST_CASE("A partner that was suspended still gives back what it holds", "[service][redemption]") {
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
