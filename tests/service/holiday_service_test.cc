// Holidays and windows on demand, from the calendar to the due date.
#include <string>

#include "absl/strings/str_cat.h"

#include "tests/service/settlement_world.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

v1::AddHolidaysRequest OnDays(std::initializer_list<const char*> dates) {
  v1::AddHolidaysRequest request;
  for (const char* const date : dates) {
    request.add_holidays()->set_date(date);
    request.mutable_holidays()->rbegin()->set_display_name("carnival");
  }
  return request;
}

std::optional<Reason> Refused(const World& world, const v1::AddHolidaysRequest& request) {
  return world.Refusal("cleo", &Stub::AddHolidays, request);
}

TEST_CASE("AddHolidays: a day in the programme's zone that has not begun",
          "[service][settlement]") {
  World world;  // In the first hour of 2026-01-01, in Berlin.

  CHECK(Refused(world, OnDays({"2026-01-01"})) == Reason::kWrongState);
  CHECK(Refused(world, OnDays({"2026-1-2"})) == Reason::kRequestMalformed);
  CHECK(Refused(world, OnDays({"2026-02-30"})) == Reason::kRequestMalformed);
  CHECK(Refused(world, OnDays({"2026-01-05", "2026-01-05"})) == Reason::kRequestMalformed);
  CHECK(Refused(world, OnDays({})) == Reason::kRequestMalformed);
  v1::AddHolidaysRequest long_name = OnDays({"2026-01-05"});
  long_name.mutable_holidays(0)->set_display_name(std::string(101, 'x'));
  CHECK(Refused(world, long_name) == Reason::kRequestMalformed);
  CHECK(world.Refusal("auditor", &Stub::AddHolidays, OnDays({"2026-01-05"})) ==
        Reason::kPermissionDenied);
  world.Get("cleo", &Stub::AddHolidays, OnDays({"2026-01-02", "2026-01-07"}));
  world.Get("cleo", &Stub::AddHolidays, OnDays({"2026-01-02"}));

  v1::ListHolidaysRequest list;
  list.set_page_size(1);
  v1::ListHolidaysResponse page = world.Get("auditor", &Stub::ListHolidays, list);
  REQUIRE(page.holidays_size() == 1);
  CHECK(page.holidays(0).date() == "2026-01-02");
  CHECK(page.holidays(0).display_name() == "carnival");
  list.set_page_token(page.next_page_token());
  page = world.Get("auditor", &Stub::ListHolidays, list);
  REQUIRE(page.holidays_size() == 1);
  CHECK(page.holidays(0).date() == "2026-01-07");
  CHECK(page.next_page_token().empty());
  list.set_page_token("forged");
  CHECK(world.Refusal("auditor", &Stub::ListHolidays, list) == Reason::kPageTokenInvalid);
  list.Clear();
  list.set_from_date("yesterday");
  CHECK(world.Refusal("auditor", &Stub::ListHolidays, list) == Reason::kRequestMalformed);
}

TEST_CASE("RemoveHoliday: the day is like others, unless it has begun", "[service][settlement]") {
  World world;
  world.Get("cleo", &Stub::AddHolidays, OnDays({"2026-01-02", "2026-01-03"}));
  v1::RemoveHolidayRequest request;
  request.set_date("2026-01-03");

  world.Get("cleo", &Stub::RemoveHoliday, request);

  world.Get("cleo", &Stub::RemoveHoliday, request);
  CHECK(world.Get("auditor", &Stub::ListHolidays, v1::ListHolidaysRequest()).holidays_size() == 1);
  world.ledger().MoveClockTo(Day(1) + Timestamp(1));
  request.set_date("2026-01-02");
  CHECK(world.Refusal("cleo", &Stub::RemoveHoliday, request) == Reason::kWrongState);
  request.set_date("");
  CHECK(world.Refusal("cleo", &Stub::RemoveHoliday, request) == Reason::kRequestMalformed);
}

TEST_CASE("Holidays: a window goes on through them, and nothing falls due on them",
          "[service][settlement][inv-79][inv-80]") {
  World world;
  v1::UpdateSettlementPolicyRequest policy;
  policy.mutable_policy()->set_payment_days(2);
  policy.mutable_policy()->set_payout(v1::PAYOUT_POLICY_WHEN_DUE);
  world.Get("cleo", &Stub::UpdateSettlementPolicy, policy);
  // The second day is a holiday, and so is the one on which the debts of the third would be due.
  world.Get("cleo", &Stub::AddHolidays, OnDays({"2026-01-02", "2026-01-05"}));
  world.PostExample(0);
  world.ledger().MoveClockTo(Day(2) + Timestamp(kMicrosPerSecond));
  v1::CloseWindowRequest close;
  close.set_name(World::WindowOf(1));
  CHECK(world.Refusal("anna", &Stub::CloseWindow, close) == Reason::kWindowNotFound);
  close.set_name(World::WindowOf(0));

  const v1::Window window = world.Get("anna", &Stub::CloseWindow, close).window();

  CHECK(window.end_time().seconds() * kMicrosPerSecond == Day(2).value());
  const v1::Settlement computed = world.Compute("anna");
  CHECK(computed.windows_size() == 1);
  world.Approve("bert", computed.name());
  const auto due = world.GetNamed("auditor", &Stub::GetSettlement, computed.name());
  // Approved on the third day; two days later is a holiday, so it is due when the sixth day ends.
  CHECK(NetOf(due.settlement(), "partners/grocer").obligation().due_time().seconds() *
            kMicrosPerSecond ==
        Day(6).value());
}

TEST_CASE("CloseWindow: where windows end on demand only, the open one has no end",
          "[service][settlement][inv-80]") {
  World world;
  world.db().Query(
      absl::StrCat("update ledger.programmes set cycle = 'ON_DEMAND'; "
                   "insert into ledger.boundaries values (1, ",
                   Day(0).value(), ")"));
  world.ledger().MoveClockTo(Day(40));
  const auto windows = [&] {
    return world.Get("auditor", &Stub::ListWindows, v1::ListWindowsRequest());
  };
  REQUIRE(windows().windows_size() == 1);
  CHECK(windows().windows(0).name() == World::WindowOf(0));
  CHECK(windows().windows(0).state() == v1::WINDOW_STATE_OPEN);
  CHECK_FALSE(windows().windows(0).has_end_time());
  v1::CloseWindowRequest named;
  named.set_name(World::WindowOf(0));
  CHECK(world.Refusal("anna", &Stub::CloseWindow, named) == Reason::kWindowNotOver);

  const v1::Window closed =
      world.Get("anna", &Stub::CloseWindow, v1::CloseWindowRequest()).window();

  CHECK(closed.name() == World::WindowOf(0));
  CHECK(closed.state() == v1::WINDOW_STATE_SEALED);
  REQUIRE(windows().windows_size() == 2);
  CHECK(windows().windows(0).start_time().seconds() == closed.end_time().seconds());
  CHECK_FALSE(windows().windows(0).has_end_time());
}

}  // namespace
}  // namespace guilder::settlement
