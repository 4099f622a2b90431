// What it would take if a partner left, over a socket.
#include "tests/service/life_world.h"
#include "tests/support/invariants.h"

namespace guilder::access {
namespace {

using partner::v1::ExitPlan;

struct Leaving : Life {
  absl::StatusOr<ExitPlan> Plan(const std::string& who = "auditor",
                                const google::protobuf::Timestamp* date = nullptr) {
    partner::v1::PlanExitRequest request;
    request.set_name("partners/fresh");
    if (date != nullptr) *request.mutable_date() = *date;
    const auto answer = Ask<Partners>(who, &Partners::Stub::PlanExit, request);
    if (!answer.ok()) return answer.status();
    return answer->exit_plan();
  }
};

TEST_CASE("PlanExit: points that are out, money, and dates; and nothing changes",
          "[service][partner][inv-88]") {
  Leaving leaving;
  const auto before = leaving.Plan();
  INFO(before.status().ToString());
  REQUIRE(before.ok());
  REQUIRE_FALSE(leaving.Buy());

  const auto plan = leaving.Plan();

  REQUIRE(plan.ok());
  CHECK(plan->outstanding_points() == before->outstanding_points() + 200);
  REQUIRE(plan->outstanding_size() >= 1);
  CHECK(plan->outstanding(0).least_days() == 0);
  // 200 points at 0.01 EUR more are owed, and have to be put up.
  CHECK(plan->unbilled_issuance().minor_units() == before->unbilled_issuance().minor_units() + 200);
  CHECK(plan->escrow().minor_units() >= 0);
  REQUIRE(plan->steps_size() >= 6);
  for (int i = 1; i < plan->steps_size(); ++i) {
    CHECK(plan->steps(i - 1).time().seconds() <= plan->steps(i).time().seconds());
  }
  CHECK(plan->run_off().last_issue_time().seconds() <=
        plan->run_off().last_return_time().seconds());
  CHECK_FALSE(leaving.Buy());
  testing::CheckInvariants(leaving.coalition().database());
}

TEST_CASE("PlanExit: a date in the past, and whoever it does not concern, are refused",
          "[service][partner]") {
  Leaving leaving;

  const auto past = leaving.InDays(-1);
  CHECK(ReasonOf(leaving.Plan("auditor", &past).status()) == Reason::kRequestMalformed);
  partner::v1::PlanExitRequest request;
  request.set_name("partners/nobody");
  CHECK(ReasonOf(leaving.Ask<Partners>("auditor", &Partners::Stub::PlanExit, request).status()) ==
        Reason::kPartnerNotFound);
  const auto asked = leaving.InDays(400);
  const auto later = leaving.Plan("auditor", &asked);
  REQUIRE(later.ok());
  CHECK(later->run_off().last_issue_time().seconds() == asked.seconds());
}

}  // namespace
}  // namespace guilder::access
