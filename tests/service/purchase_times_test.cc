// Purchases whose time is not the programme's, and lists that are read while time goes on.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "libs/base/reason.h"
#include "tests/service/accrual_world.h"
#include "tests/support/invariants.h"

namespace guilder::accrual {
namespace {

constexpr int64_t kMinute = 60 * kMicrosPerSecond;
constexpr int kLotLifeDays = 365;

v1::RecordPurchaseRequest At(v1::RecordPurchaseRequest request, Timestamp occurred_at) {
  *request.mutable_occurred_at() = rpc::ToProto(occurred_at);
  return request;
}

TEST_CASE("RecordPurchase: a till whose clock is a little ahead is believed, and its points expire",
          "[service][accrual][inv-104]") {
  World world;
  const Timestamp ahead = world.coalition.Now() + Timestamp(9 * kMinute);

  const auto bought = world.Buy(At(world.APurchase("1"), ahead));

  REQUIRE(bought.ok());
  REQUIRE(bought->has_expires_at());
  CHECK(rpc::FromProto(bought->expires_at()) <= ahead + Timestamp((kLotLifeDays + 1) * kDay));
  world.coalition.AdvanceDays(kLotLifeDays + 2);
  REQUIRE(world.Buy(world.APurchase("2")).ok());
  CHECK(world.Sum("available") == 0);
  CHECK(world.Sum("pending") == 35);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("RecordPurchase: one from the future is refused by name until its time has come",
          "[service][accrual][inv-104]") {
  World world;
  const Timestamp now = world.coalition.Now();
  const auto tomorrow = At(world.APurchase("1"), now + Timestamp(kDay));
  const auto in_centuries = At(world.APurchase("2"), now + Timestamp(200'000 * kDay));

  const auto early = world.Buy(tomorrow);
  const auto never = world.Buy(in_centuries);
  world.coalition.AdvanceDays(1);
  const auto again = world.Buy(tomorrow);

  CHECK(ReasonOf(early.status()) == Reason::kOccurredAtInFuture);
  CHECK(DetailsOf(early.status()).contains("clock"));
  CHECK(ReasonOf(never.status()) == Reason::kOccurredAtInFuture);
  CHECK(again.ok());
  CHECK(world.Sum("pending") == 35);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE(
    "RecordPurchase: a till whose clock is off says so, and its purchases are moved by as much",
    "[service][accrual][inv-104]") {
  World world;
  const Timestamp now = world.coalition.Now();
  const Timestamp off(3 * 60 * kMinute);
  // Three hours behind: the sale was an hour ago.
  v1::RecordPurchaseRequest late = At(world.APurchase("1"), now - off - Timestamp(60 * kMinute));
  *late.mutable_terminal_time() = rpc::ToProto(now - off);
  // Three hours ahead, which would else be the future.
  v1::RecordPurchaseRequest ahead = At(world.APurchase("2"), now + off - Timestamp(5 * kMinute));
  *ahead.mutable_terminal_time() = rpc::ToProto(now + off);
  v1::RecordPurchaseRequest right = At(world.APurchase("3"), now - Timestamp(kMinute));
  *right.mutable_terminal_time() = rpc::ToProto(now - Timestamp(kMinute));

  const auto moved = world.Buy(late);
  const auto moved_back = world.Buy(ahead);
  const auto kept = world.Buy(right);

  REQUIRE((moved.ok() && moved_back.ok() && kept.ok()));
  const auto near = [&](const google::protobuf::Timestamp& at, Timestamp wanted) {
    const Timestamp is = *rpc::FromProto(at);
    return is >= wanted && is < wanted + Timestamp(kMinute);
  };
  CHECK(near(moved->normalised_occurred_at(), now - Timestamp(60 * kMinute)));
  CHECK(near(moved_back->normalised_occurred_at(), now - Timestamp(5 * kMinute)));
  CHECK_FALSE(kept->has_normalised_occurred_at());
  v1::GetPurchaseRequest get;
  get.set_name(moved->name());
  const auto shown = world.Call("fresh", &Stub::GetPurchase, get);
  REQUIRE(shown.ok());
  CHECK(near(shown->purchase().occurred_at(), now - Timestamp(60 * kMinute)));
  CHECK(std::abs(shown->purchase().clock_offset_seconds() - 3 * 3'600) < 60);
  // A repeat comes later, by a clock that went on or was set: it is the same purchase.
  late.clear_terminal_time();
  const auto repeated = world.Buy(late);
  REQUIRE(repeated.ok());
  CHECK(repeated->name() == moved->name());
  CHECK(world.Records() == 4);  // The member's, too.
  v1::ListSequenceGapsRequest gaps;
  gaps.set_parent("partners/fresh");
  *gaps.mutable_from() = rpc::ToProto(now - Timestamp(kDay));
  const auto report = world.Call("fresh", &Stub::ListSequenceGaps, gaps);
  REQUIRE(report.ok());
  REQUIRE(report->terminals_size() == 1);
  CHECK(std::abs(std::abs(report->terminals(0).clock_offset_seconds()) - 3 * 3'600) < 60);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("RecordPurchase: a till whose clock is off by days is not believed",
          "[service][accrual][inv-104]") {
  const World world;
  const Timestamp now = world.coalition.Now();
  v1::RecordPurchaseRequest request = At(world.APurchase("1"), now - Timestamp(2 * kDay));
  *request.mutable_terminal_time() = rpc::ToProto(now - Timestamp(2 * kDay));
  const auto refused = world.Buy(request);
  request.mutable_terminal_time()->set_nanos(-1);

  CHECK(ReasonOf(refused.status()) == Reason::kOccurredAtInFuture);
  CHECK(ReasonOf(world.Buy(request).status()) == Reason::kRequestMalformed);
  CHECK(world.Sum("pending") == 0);
}

TEST_CASE("RecordPurchase: one that is too old is refused by name", "[service][accrual][inv-104]") {
  const World world;
  const auto old = At(world.APurchase("1"), world.coalition.Now() - Timestamp(401 * kDay));

  CHECK(ReasonOf(world.Buy(old).status()) == Reason::kOccurredTooLongAgo);

  CHECK(world.Sum("pending") == 0);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("ListPurchases: what was there is listed once, however much is recorded meanwhile",
          "[service][accrual][inv-107]") {
  World world;
  const std::string other_card = world.coalition.AMember();
  int receipts = 0;
  const auto buy = [&](const std::string& card) {
    auto request = world.APurchase(std::to_string(++receipts));
    request.set_card_number(card);
    const auto bought = world.Buy(request);
    REQUIRE(bought.ok());
    return bought->name();
  };
  std::vector<std::string> before;
  for (int i = 0; i < 9; ++i) before.push_back(buy(i % 2 == 0 ? world.card : other_card));

  v1::ListPurchasesRequest list;
  list.set_parent("partners/fresh");
  list.set_page_size(2);
  std::vector<std::string> listed;
  do {
    const auto page = world.Call("fresh", &Stub::ListPurchases, list);
    REQUIRE(page.ok());
    for (const v1::Purchase& purchase : page->purchases()) listed.push_back(purchase.name());
    list.set_page_token(page->next_page_token());
    if (receipts < 15) buy(receipts % 2 == 0 ? world.card : other_card);
  } while (!list.page_token().empty());

  const std::set<std::string> once(listed.begin(), listed.end());
  CHECK(once.size() == listed.size());
  for (const std::string& name : before) CHECK(once.contains(name));
  testing::CheckInvariants(world.coalition.database());
}

}  // namespace
}  // namespace guilder::accrual
