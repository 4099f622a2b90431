// Where points do not expire by time: what follows from residences and the policy's versions.
#include <string>
#include <utility>

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"
#include "services/member/domain/enrolment.h"
#include "services/member/domain/residence.h"
#include "tests/support/catch2.h"

namespace guilder::member {
namespace {

Timestamp Day(int day) {
  return Timestamp(day * kMicrosPerDay);
}

ledger::Configuration AConfiguration() {
  return {1, {}, ledger::Calendar::Make(ledger::Cycle::kDaily, "UTC", {}).value(), {}, PartnerId()};
}

Residence From(int day, const std::string& place, int number = 1) {
  return {number, place, Day(day), Day(0), "operators/anna"};
}

ResidencePolicy Listed(int day, std::vector<std::string> places, int grace_days = 0) {
  return {day + 1, Day(day), std::move(places), grace_days};
}

SparingPlan Plan(const std::vector<Residence>& residences,
                 const std::vector<ResidencePolicy>& policies, int now) {
  return PlanSparing(residences, policies, Day(now), AConfiguration());
}

TEST_CASE("Residence: points are spared from the day of the move to the end of the last of grace",
          "[unit][member][inv-70]") {
  const std::vector<Residence> residences = {From(10, "DE", 1), From(20, "US-CA", 2),
                                             From(30, "FR", 3)};
  const std::vector<ResidencePolicy> policies = {Listed(0, {"US"}, 5)};

  // Before, at the time, and in the days of grace: one and the same time.
  for (const int now : {1, 15, 25, 32, 35}) {
    INFO(now);
    CHECK(Plan(residences, policies, now).sparing == ledger::Sparing{Day(20), Day(36)});
    CHECK(Plan(residences, policies, now).next_change == Day(36));
  }
  CHECK(Plan(residences, policies, 36).sparing == ledger::Sparing());
  CHECK(Plan(residences, policies, 36).next_change == kNever);
}

TEST_CASE("Residence: who comes back within the days of grace was never away, and who later, was",
          "[unit][member][inv-70]") {
  const std::vector<ResidencePolicy> policies = {Listed(0, {"DE"}, 5)};
  CHECK(Plan({From(1, "DE"), From(10, "FR"), From(14, "DE")}, policies, 12).sparing ==
        ledger::Sparing{Day(1), kNever});
  const std::vector<Residence> later = {From(1, "DE"), From(10, "FR"), From(20, "DE")};
  CHECK(Plan(later, policies, 12).sparing == ledger::Sparing{Day(1), Day(16)});
  CHECK(Plan(later, policies, 12).next_change == Day(16));
  CHECK(Plan(later, policies, 16).sparing == ledger::Sparing{Day(20), kNever});
}

TEST_CASE("Residence: the list's versions count from when they were set",
          "[unit][member][inv-70]") {
  const std::vector<Residence> residences = {From(5, "DE")};
  const std::vector<ResidencePolicy> policies = {Listed(0, {"FR"}), Listed(10, {"DE", "FR"}),
                                                 Listed(20, {}, 3)};
  CHECK(Plan(residences, policies, 15).sparing == ledger::Sparing{Day(10), Day(24)});
  CHECK(Plan(residences, {policies[0], policies[1]}, 15).sparing ==
        ledger::Sparing{Day(10), kNever});
  CHECK(Plan(residences, {policies[0]}, 15).sparing == ledger::Sparing());
  // What was noted last holds.
  CHECK(Plan({From(5, "FR", 1), From(5, "DE", 2)}, {policies[0]}, 6).sparing == ledger::Sparing());
  CHECK(Plan({}, policies, 15).sparing == ledger::Sparing());
}

// With so many lots of ten points each that expired on the 20th day.
ledger::AccountState AnAccount(int lots) {
  ledger::AccountState account;
  account.id = ledger::MakeAccountId(1, BookId(1));
  account.lots_loaded = true;
  for (int i = 0; i < lots; ++i) {
    ledger::Lot lot;
    lot.id = ledger::MakeLotId(RecordNumber(1), i);
    lot.issuer = PartnerId(1);
    lot.contract = ContractId(1);
    lot.issued = Points(10);
    lot.expires_at = Day(20);
    lot.state = ledger::LotState::kActive;
    lot.expired = Points(10);
    account.lots.push_back(lot);
  }
  return account;
}

SparingPlan SparedFrom(int day) {
  return {{Day(day), kNever}, kNever};
}

TEST_CASE("Residence: what is too much for one record comes back with the next",
          "[unit][member][inv-70]") {
  constexpr auto kMost = static_cast<int>(ledger::kMostLotsSent);
  SparingPlan plan = SparedFrom(10);
  ledger::Posting first(AnAccount(kMost + 1), RecordNumber(2), Day(30));
  CHECK(DecideSparing(plan, first) == Points(kMost * 10));
  CHECK(plan.next_change == Day(30));

  plan = SparedFrom(10);
  ledger::Posting second(std::move(first).TakeAccount(), RecordNumber(3), Day(31));
  CHECK(DecideSparing(plan, second) == Points(10));
  CHECK(plan.next_change == kNever);
  CHECK(second.account().available == Points((kMost + 1) * 10));
}

TEST_CASE("Residence: what comes back expired when it did, whatever the member does since",
          "[unit][member][inv-70]") {
  ledger::AccountState account = AnAccount(1);
  account.lots[0].lives_by_activity = true;
  account.active_until = Day(40);

  SparingPlan plan = SparedFrom(10);
  ledger::Posting spared(account, RecordNumber(2), Day(30));
  CHECK(DecideSparing(plan, spared) == Points(10));
  REQUIRE(spared.new_lots().size() == 1);
  CHECK(spared.new_lots()[0].expires_at == Day(20));

  plan = SparedFrom(25);
  ledger::Posting too_late(account, RecordNumber(2), Day(50));
  CHECK(DecideSparing(plan, too_late) == Points(0));
}

TEST_CASE("Residence: what was lost because nobody claimed a card in time does not come back",
          "[unit][member][inv-34][inv-70]") {
  ledger::AccountState account = AnAccount(2);
  for (ledger::Lot& lot : account.lots) lot.remaining = std::exchange(lot.expired, Points(0));
  account.lots[1].state = ledger::LotState::kPending;
  account.lots[1].activates_at = Day(18);
  account.available = Points(10);
  account.pending = Points(10);
  ledger::Posting lapse(account, RecordNumber(2), Day(15));
  CHECK(DecideLapse(lapse) == Points(20));
  CHECK(lapse.account().status == ledger::AccountStatus::kOpen);
  CHECK(lapse.account().lots[0].expired == Points(10));
  CHECK(lapse.account().lots[1].expired == Points(10));

  SparingPlan plan = SparedFrom(10);
  ledger::Posting later(std::move(lapse).TakeAccount(), RecordNumber(3), Day(30));
  CHECK(DecideSparing(plan, later) == Points(0));
}

TEST_CASE("Residence: a place is a code of ISO 3166", "[unit][member]") {
  for (const char* good : {"DE", "US-CA", "FR-2A", "GB-ENG", "AT-9"}) {
    INFO(good);
    CHECK(CheckPlace("place", good).ok());
  }
  for (const char* bad : {"", "D", "de", "DEU", "DE-", "US-CALI", "USxCA", "U1", "DE-b", "-DE"}) {
    INFO(bad);
    CHECK(ReasonOf(CheckPlace("place", bad)) == Reason::kRequestMalformed);
  }
}

}  // namespace
}  // namespace guilder::member
