// The parts of the demonstration that need no network: weeks, wallets, insights.
#include <algorithm>
#include <string>

#include "absl/time/civil_time.h"

#include "libs/base/text.h"
#include "services/cli/demo/insights.h"
#include "services/cli/demo/steps.h"
#include "services/cli/demo/wallets.h"
#include "tests/support/catch2.h"

namespace guilder::cli::demo {
namespace {

const absl::TimeZone kZone = absl::UTCTimeZone();

Timestamp At(absl::CivilSecond local) {
  return FromAbslTime(absl::FromCivil(local, kZone));
}

Receipt AReceipt(size_t partner, size_t member, absl::CivilSecond at, int64_t amount) {
  Receipt receipt;
  receipt.partner = partner;
  receipt.member = member;
  receipt.occurred_at = At(at);
  receipt.business_date = absl::FormatCivilTime(absl::CivilDay(at));
  receipt.lines = {{"1", "sku", 1, MinorUnits(amount), "goods"}};
  return receipt;
}

TillWork TwoMembers() {
  TillWork work;
  work.members = {"anna", "bert"};
  work.stores = {{"s1"}, {"s1"}};
  work.receipts = {AReceipt(0, 0, absl::CivilSecond(2026, 3, 10, 9), 1'000),
                   AReceipt(1, 0, absl::CivilSecond(2026, 3, 11, 9), 3'000),
                   AReceipt(1, 1, absl::CivilSecond(2026, 3, 19, 9), 1'000)};
  Return back;
  back.partner = 1;
  back.member = 1;
  back.receipt = 2;
  back.occurred_at = At(absl::CivilSecond(2026, 3, 19, 12));
  work.returns = {back};
  return work;
}

TEST_CASE("CutIntoSteps: each week has what happened in it, and who came first where",
          "[unit][demo]") {
  const TillWork work = TwoMembers();

  const auto steps = CutIntoSteps(work, absl::CivilDay(2026, 3, 20), kZone);

  REQUIRE(steps.size() == 2);
  CHECK(steps[0].end == At(absl::CivilSecond(2026, 3, 17)));
  CHECK(steps[0].receipts == std::vector<size_t>{0, 1});
  CHECK(steps[0].members == std::vector<size_t>{0});
  CHECK(steps[0].first_partner == std::vector<size_t>{0});
  CHECK(steps[1].end == At(absl::CivilSecond(2026, 3, 20)));
  CHECK(steps[1].members == std::vector<size_t>{1});
  CHECK(steps[1].returns == std::vector<size_t>{0});
  CHECK(ProgrammeStart(work, kZone) == At(absl::CivilSecond(2026, 3, 1)));
}

TEST_CASE("TakeShare: takes whole members, and points returns to their receipts", "[unit][demo]") {
  TillWork work = TwoMembers();
  work.members.push_back("cleo");
  work.receipts.push_back(AReceipt(0, 2, absl::CivilSecond(2026, 3, 20, 9), 500));
  work.returns[0].member = 2;
  work.returns[0].receipt = 3;

  const TillWork half = TakeShare(std::move(work), 2);

  CHECK(half.members == std::vector<std::string>{"anna", "cleo"});
  REQUIRE(half.receipts.size() == 3);
  CHECK(half.receipts[2].member == size_t{1});
  REQUIRE(half.returns.size() == 1);
  CHECK(half.returns[0].member == size_t{1});
  CHECK(half.returns[0].receipt == size_t{2});
}

TEST_CASE("Wallets: points count from when they become available, and all that came back is gone",
          "[unit][demo]") {
  Wallets wallets(1);
  wallets.Earn(0, 100, Timestamp(10));
  wallets.Earn(0, 50, Timestamp(20));

  CHECK(wallets.AvailableAt(0, Timestamp(9)) == 0);
  CHECK(wallets.AvailableAt(0, Timestamp(10)) == 100);
  wallets.TakeBack(0, 30);
  wallets.Spend(0, 40);
  CHECK(wallets.AvailableAt(0, Timestamp(20)) == 80);
}

TEST_CASE("ChooseRedemptions: spends less than there is, elsewhere, and always chooses the same",
          "[unit][demo]") {
  const auto choose = [] {
    Wallets wallets(200);
    for (size_t member = 0; member < 200; ++member) {
      wallets.Earn(member, static_cast<int64_t>(member) * 5, Timestamp(0));
      wallets.ShopAt(member, member % 3);
    }
    return ChooseRedemptions(wallets, Timestamp(1), 7, 3, 40);
  };

  const auto chosen = choose();

  REQUIRE(chosen.size() == 40);
  for (const PlannedRedemption& one : chosen) {
    CHECK(one.points > 0);
    CHECK(one.points <= static_cast<int64_t>(one.member) * 5);
    CHECK(one.partner != one.member % 3);
    CHECK(one.capture_points <= one.points);
    CHECK(one.refund_points <= one.capture_points);
  }
  const auto again = choose();
  CHECK(std::equal(chosen.begin(), chosen.end(), again.begin(), again.end(),
                   [](const auto& a, const auto& b) {
                     return a.member == b.member && a.partner == b.partner && a.points == b.points;
                   }));
}

TEST_CASE("Insights: who was at another partner before was sent by it", "[unit][demo]") {
  const TillWork work = TwoMembers();
  Outcome outcome;
  outcome.receipts.assign(3, {.recorded = true});

  const auto insights = Insights(work, outcome, 2);

  CHECK(insights[0].members_from_others == 0);
  CHECK(insights[1].members == 2);
  CHECK(insights[1].members_from_others == 1);
  CHECK(insights[1].revenue_minor_units == 4'000);
  CHECK(insights[1].top_fifth_revenue_minor_units == 3'000);
  CHECK(insights[1].members_again == 0);
}

}  // namespace
}  // namespace guilder::cli::demo
