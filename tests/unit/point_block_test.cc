// Points bought in advance, and what a partner may owe: how blocks are used and end, how the caps
// degrade.
#include "services/partner/domain/point_block.h"

#include "services/partner/domain/exposure_policy.h"
#include "tests/support/catch2.h"

namespace guilder::partner {
namespace {

TEST_CASE("PointBlocks: the earliest is used first, also when early ones are left out",
          "[unit][partner][inv-86]") {
  const auto block = [](int64_t number, int64_t points) {
    return PointBlock{number, Points(points), Timestamp(number), "anna"};
  };
  struct Case {
    int64_t remaining;
    std::vector<int64_t> left;  // latest first
  };
  const Case cases[] = {{180, {30, 50, 100}}, {100, {30, 50, 20}}, {79, {30, 49, 0}},
                        {30, {30, 0, 0}},     {1, {1, 0, 0}},      {0, {0, 0, 0}}};
  for (const Case& c : cases) {
    INFO(c.remaining << " left");
    const std::vector<PointBlockUsage> usage =
        UsageOf({block(3, 30), block(2, 50), block(1, 100)}, Points(c.remaining));
    for (size_t i = 0; i < 3; ++i) CHECK(usage[i].remaining == Points(c.left[i]));
    const std::vector<PointBlockUsage> latest = UsageOf({block(3, 30)}, Points(c.remaining));
    CHECK(latest[0].remaining == Points(c.left[0]));
  }
}

TEST_CASE("PointBlocks: the end of a block takes what it has left, and what comes back to it later",
          "[unit][partner][inv-86]") {
  const auto block = [](int64_t number, int64_t points, int64_t ends_at, BlockEnding ending) {
    PointBlock made{number, Points(points), Timestamp(number), "anna"};
    if (ends_at > 0) made.ends_at = Timestamp(ends_at);
    made.when_ended = ending;
    return made;
  };
  PointBlock reserve = block(1, 10, 0, BlockEnding::kNone);
  reserve.reserve = true;
  const PointBlock third = block(4, 40, 0, BlockEnding::kNone);
  const PointBlock second = block(3, 50, 100, BlockEnding::kForfeit);
  const PointBlock first = block(2, 100, 200, BlockEnding::kCredit);
  using Ends = std::vector<BlockEnd>;

  CHECK(EndBlocks({reserve, third, second, first}, Points(130), Timestamp(99), false).empty());
  CHECK(EndBlocks({reserve, third, second, first}, Points(130), Timestamp(100), false) ==
        Ends{{3, Points(50), BlockEnding::kForfeit}});
  CHECK(EndBlocks({reserve, third, second, first}, Points(130), Timestamp(200), false) ==
        Ends{{3, Points(50), BlockEnding::kForfeit}, {2, Points(30), BlockEnding::kCredit}});
  CHECK(EndBlocks({reserve, third, second, first}, Points(5), Timestamp(200), false) ==
        Ends{{3, Points(), BlockEnding::kForfeit}, {2, Points(), BlockEnding::kCredit}});
  CHECK(ReserveLeft({reserve, third, second, first}, Points(5)) == Points(5));
  CHECK(ReserveLeft({reserve, third, second, first}, Points(130)) == Points(10));

  PointBlock over = first;
  over.over = true;
  over.ended = Points(30);
  CHECK(EndBlocks({reserve, third, over}, Points(50), Timestamp(300), false).empty());
  CHECK(EndBlocks({reserve, third, over}, Points(57), Timestamp(300), false) ==
        Ends{{2, Points(7), BlockEnding::kCredit}});
  // Its partner has left: whatever has no end, or not yet, ends; the end that was declared decides.
  CHECK(EndBlocks({reserve, third, second, first}, Points(130), Timestamp(99), true) ==
        Ends{{1, Points(10), BlockEnding::kCredit},
             {4, Points(40), BlockEnding::kCredit},
             {3, Points(50), BlockEnding::kForfeit},
             {2, Points(30), BlockEnding::kCredit}});
  CHECK(EndBlocks({over}, Points(57), Timestamp(300), true) ==
        Ends{{2, Points(57), BlockEnding::kCredit}});
}

TEST_CASE(
    "ExposurePolicy: the cap on the net debit degrades like the credit limit, and what lets owe "
    "more is looser",
    "[unit][partner][inv-87]") {
  ExposurePolicy policy;
  policy.net_debit_cap = MinorUnits(1'000);
  ExposureFigures figures;
  figures.unbilled_issuance = MinorUnits(1'500);
  figures.unsettled_reimbursement = figures.owed_to_partner = MinorUnits(600);
  CHECK(figures.NetDebit() == MinorUnits(900));
  CHECK(StageOf(figures, policy) == ExposureStage::kNoBonus);
  figures.unbilled_issuance = MinorUnits(1'600);
  CHECK(StageOf(figures, policy) == ExposureStage::kNoIssuance);
  CHECK(PointsLeft(figures, policy, 10'000, 2) == Points());
  figures.unbilled_issuance = MinorUnits(1'000);
  CHECK(PointsLeft(figures, policy, 10'000, 2) == Points(600));
  CHECK(PointsLeft(figures, policy, 30'000, 2) == Points(200));
  CHECK_FALSE(PointsLeft(figures, ExposurePolicy(), 10'000, 2));
  // Unpaid invoices are of earlier settlements.
  figures.unbilled_issuance = MinorUnits();
  figures.unpaid_invoices = MinorUnits(5'000);
  CHECK(StageOf(figures, policy) == ExposureStage::kNormal);

  ExposurePolicy wanted = policy;
  CHECK_FALSE(IsLooser(wanted, policy));
  CHECK_FALSE(IsLooser(wanted, ExposurePolicy()));
  wanted.net_debit_cap = MinorUnits(999);
  CHECK_FALSE(IsLooser(wanted, policy));
  wanted.credit_limit = MinorUnits(1);
  CHECK_FALSE(IsLooser(wanted, policy));
  CHECK(IsLooser(policy, wanted));
  wanted = policy;
  wanted.collateral = MinorUnits(1);
  CHECK(IsLooser(wanted, policy));
  wanted = policy;
  wanted.no_issuance_ppm = 1'000'001;
  CHECK(IsLooser(wanted, policy));
  CHECK(IsLooser(ExposurePolicy(), policy));
}

}  // namespace
}  // namespace guilder::partner
