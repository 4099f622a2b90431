#include "services/settlement/domain/obligation.h"

#include <functional>
#include <vector>

#include "libs/base/reason.h"
#include "services/settlement/domain/policy.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

using netting::Direction;

constexpr Timestamp kDue{1'000};
const netting::Obligation kPayIn{PartnerId(1), Direction::kPartnerPays, MinorUnits(100)};
const netting::Obligation kPayOut{PartnerId(1), Direction::kPartnerIsPaid, MinorUnits(100)};

ObligationStatus In(ObligationState state, int64_t paid = 0) {
  ObligationStatus status;
  status.state = state;
  status.paid = MinorUnits(paid);
  status.due_at = kDue;
  if (state == ObligationState::kWrittenOff) status.written_off = MinorUnits(100 - paid);
  return status;
}

TEST_CASE("Obligation: payments in any parts close it exactly, and never overpay it",
          "[unit][settlement][inv-92]") {
  ObligationStatus status = In(ObligationState::kOpen);
  status = Pay(kPayIn, status, MinorUnits(30)).value();
  CHECK(status.state == ObligationState::kPartlyPaid);
  CHECK(ReasonOf(Pay(kPayIn, status, MinorUnits(71)).status()) == Reason::kAmountOutOfRange);
  CHECK(ReasonOf(Pay(kPayIn, status, MinorUnits(0)).status()) == Reason::kAmountOutOfRange);
  status = Pay(kPayIn, status, MinorUnits(70)).value();
  CHECK(status.state == ObligationState::kPaid);
  CHECK(OpenAmount(kPayIn, status) == MinorUnits());
  CHECK(ReasonOf(Pay(kPayIn, status, MinorUnits(1)).status()) == Reason::kWrongState);
}

TEST_CASE("Obligation: a payment that the bank takes back is open again",
          "[unit][settlement][inv-92]") {
  const ObligationStatus paid = In(ObligationState::kPaid, 100);

  CHECK(ReturnPayment(kPayOut, paid, MinorUnits(100), kDue - Timestamp(1))->state ==
        ObligationState::kOpen);
  CHECK(ReturnPayment(kPayIn, paid, MinorUnits(100), kDue)->state == ObligationState::kOverdue);
  CHECK(ReturnPayment(kPayIn, paid, MinorUnits(40), Timestamp())->state ==
        ObligationState::kPartlyPaid);
  CHECK(ReasonOf(ReturnPayment(kPayIn, paid, MinorUnits(101), kDue).status()) ==
        Reason::kAmountOutOfRange);
  // A recovery that bounces is a loss again.
  const auto bounced =
      ReturnPayment(kPayIn, In(ObligationState::kWrittenOff, 50), MinorUnits(50), kDue);
  REQUIRE(bounced.ok());
  CHECK(bounced->state == ObligationState::kWrittenOff);
  CHECK(bounced->written_off == MinorUnits(100));
}

TEST_CASE("Obligation: only what waits becomes overdue, and only at its time",
          "[unit][settlement]") {
  for (const ObligationState state : {ObligationState::kOpen, ObligationState::kPartlyPaid}) {
    CHECK(PassDue(In(state), kDue - Timestamp(1)).state == state);
    CHECK(PassDue(In(state), kDue).state == ObligationState::kOverdue);
  }
  for (const ObligationState state : {ObligationState::kInstructed, ObligationState::kPaid,
                                      ObligationState::kDefaulted, ObligationState::kWrittenOff}) {
    CHECK(PassDue(In(state), kDue).state == state);
  }
}

TEST_CASE("Obligation: each step is allowed from the states that it is drawn from, and no other",
          "[unit][settlement]") {
  struct Step {
    std::function<absl::StatusOr<ObligationStatus>(ObligationStatus)> run;
    std::vector<ObligationState> from;
  };
  using S = ObligationState;
  const std::vector<Step> steps = {
      {[](ObligationStatus s) { return Instruct(kPayOut, s); },
       {S::kOpen, S::kPartlyPaid, S::kOverdue}},
      {[](ObligationStatus s) { return Instruct(kPayIn, s); }, {}},
      {[](ObligationStatus s) { return Default(kPayIn, s); }, {S::kOverdue}},
      {[](ObligationStatus s) { return Default(kPayOut, s); }, {}},
      {[](ObligationStatus s) { return WriteOff(kPayIn, s); },
       {S::kOpen, S::kPartlyPaid, S::kOverdue, S::kDefaulted}},
      {[](ObligationStatus s) { return Pay(kPayIn, s, MinorUnits(10)); },
       {S::kOpen, S::kInstructed, S::kPartlyPaid, S::kOverdue, S::kDefaulted}},
  };
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const S state : {S::kOpen, S::kInstructed, S::kPartlyPaid, S::kPaid, S::kOverdue,
                          S::kDefaulted, S::kWrittenOff}) {
      CAPTURE(i, ObligationStateName(state));
      const bool allowed =
          std::find(steps[i].from.begin(), steps[i].from.end(), state) != steps[i].from.end();
      const auto after = steps[i].run(In(state, state == S::kPaid ? 100 : 20));
      CHECK(after.ok() == allowed);
      if (!after.ok()) CHECK(ReasonOf(after.status()) == Reason::kWrongState);
    }
  }
}

TEST_CASE("Obligation: what was written off may be paid after all, and is a loss no more",
          "[unit][settlement][inv-92]") {
  ObligationStatus status;
  status.state = ObligationState::kWrittenOff;
  status.paid = MinorUnits(30);
  status.written_off = MinorUnits(70);

  CHECK_FALSE(Recover(status, MinorUnits(71)).ok());
  CHECK_FALSE(Recover(status, MinorUnits(0)).ok());
  const ObligationStatus part = Recover(status, MinorUnits(50)).value();
  CHECK(part.state == ObligationState::kWrittenOff);
  CHECK(part.paid == MinorUnits(80));
  const ObligationStatus all = Recover(part, MinorUnits(20)).value();
  CHECK(all.state == ObligationState::kPaid);
  CHECK(all.written_off == MinorUnits(0));
  CHECK_FALSE(Recover(all, MinorUnits(1)).ok());
}

TEST_CASE("Policy: what was collected pays the smallest first, and holds up as few as can be",
          "[unit][settlement]") {
  const std::vector<MinorUnits> amounts = {MinorUnits(50), MinorUnits(10), MinorUnits(30),
                                           MinorUnits(10)};
  CHECK(ChoosePayouts(amounts, MinorUnits(9)).empty());
  CHECK(ChoosePayouts(amounts, MinorUnits(10)) == std::vector<size_t>{1});
  CHECK(ChoosePayouts(amounts, MinorUnits(60)) == std::vector<size_t>{1, 2, 3});
  CHECK(ChoosePayouts(amounts, MinorUnits(100)).size() == 4);
}

}  // namespace
}  // namespace guilder::settlement
