#include "services/settlement/domain/reconciliation.h"

#include <algorithm>

#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

OurItem Ours(int number, int64_t points, ReconciledItem item = ReconciledItem::kPurchase) {
  return {
      item, {BookId(1), RecordNumber(number)}, "here " + std::to_string(number), Points(points)};
}

TheirLine Theirs(int number, int64_t points, ReconciledItem item = ReconciledItem::kPurchase) {
  TheirLine line;
  line.item = item;
  line.place = RecordPlace{BookId(1), RecordNumber(number)};
  line.subject = "there " + std::to_string(number);
  line.points = Points(points);
  line.reference = "ref";
  return line;
}

TheirLine Total(int64_t points, ReconciledItem item = ReconciledItem::kPurchase) {
  TheirLine line;
  line.item = item;
  line.total = true;
  line.subject = "total";
  line.points = Points(points);
  return line;
}

Comparison Compare(const std::vector<OurItem>& ours, const std::vector<TheirLine>& theirs,
                   Tolerances tolerances = {}, std::set<ReconciledItem> complete = {}) {
  Reconciler reconciler(tolerances, std::move(complete));
  for (const TheirLine& line : theirs) reconciler.AddTheirs(line);
  for (const OurItem& item : ours) reconciler.AddOurs(item);
  return reconciler.Finish();
}

TEST_CASE("Reconciler: each line is matched, missing, different or double",
          "[unit][settlement][inv-90]") {
  const Comparison found =
      Compare({Ours(1, 10), Ours(2, 20), Ours(3, 30), Ours(4, 40)},
              {Theirs(1, 10), Theirs(2, 21), Theirs(3, 30), Theirs(3, 30), Theirs(9, 90)});

  CHECK(found.lines == 5);
  CHECK(found.matched == 2);
  CHECK(found.amount_differs == 1);
  CHECK(found.duplicates == 1);
  CHECK(found.missing_here == 1);
  CHECK(found.missing_there == 1);
  const auto purchase = ReconciledItem::kPurchase;
  const std::vector<Finding> expected = {
      {BreakKind::kAmountDiffers, purchase, "there 2", "ref", Points(20), Points(21)},
      {BreakKind::kDuplicate, purchase, "there 3", "ref", Points(30), Points(60)},
      {BreakKind::kMissingHere, purchase, "there 9", "ref", std::nullopt, Points(90)},
      {BreakKind::kMissingThere, purchase, "here 4", "", Points(40), std::nullopt}};
  CHECK(found.findings == expected);
}

TEST_CASE("Reconciler: the order of lines changes nothing", "[unit][settlement][inv-90]") {
  std::vector<OurItem> ours = {Ours(1, 10), Ours(2, 20), Ours(4, 40)};
  std::vector<TheirLine> theirs = {Theirs(1, 11), Theirs(2, 20), Theirs(9, 90), Total(5)};
  const Comparison forwards = Compare(ours, theirs);
  std::reverse(ours.begin(), ours.end());
  std::reverse(theirs.begin(), theirs.end());

  const Comparison backwards = Compare(ours, theirs);

  CHECK(forwards.findings == backwards.findings);
}

TEST_CASE("Reconciler: what differs by the tolerance matches, by one more does not",
          "[unit][settlement][inv-90]") {
  const Tolerances tolerances{Points(2), Points(5)};
  for (const int64_t off : {-3, -2, 2, 3}) {
    INFO(off);
    const bool matches = off >= -2 && off <= 2;
    CHECK(Compare({Ours(1, 10)}, {Theirs(1, 10 + off)}, tolerances).findings.empty() == matches);
  }
  CHECK(Compare({}, {Total(5)}, tolerances).findings.empty());
  CHECK(Compare({}, {Total(6)}, tolerances).amount_differs == 1);
  // Points that the tolerance covers need not be there at all.
  CHECK(Compare({Ours(1, 2)}, {}, tolerances, {ReconciledItem::kPurchase}).findings.empty());
}

TEST_CASE("Reconciler: only what the lines are complete for can be missing there",
          "[unit][settlement][inv-90]") {
  const std::vector<OurItem> ours = {Ours(1, 10), Ours(2, 20, ReconciledItem::kReturn)};

  CHECK(Compare(ours, {Theirs(1, 10)}).missing_there == 0);
  CHECK(Compare(ours, {Total(10)}).missing_there == 0);
  CHECK(Compare(ours, {Theirs(1, 10)}, {}, {ReconciledItem::kReturn}).missing_there == 1);
  CHECK(Compare(ours, {}, {}, {ReconciledItem::kPurchase}).missing_there == 1);
}

TEST_CASE("Reconciler: receipts that are not here are told apart by what they are called",
          "[unit][settlement][inv-90]") {
  TheirLine first = Theirs(0, 1);
  first.place.reset();
  TheirLine second = first;
  second.subject = "another";

  const Comparison found = Compare({}, {first, second, first});

  CHECK(found.missing_here == 2);
  CHECK(found.duplicates == 1);
}

TEST_CASE("Reconciler: captures of one redemption are one item", "[unit][settlement][inv-90]") {
  const auto capture = ReconciledItem::kCapture;

  const Comparison found =
      Compare({Ours(1, 10, capture), Ours(1, 5, capture)}, {Theirs(1, 15, capture)});

  CHECK(found.matched == 1);
  CHECK(found.findings.empty());
}

}  // namespace
}  // namespace guilder::settlement
