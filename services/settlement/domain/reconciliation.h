// Compares a partner's view of a window with what is here. Pure.
#pragma once

#include <array>
#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "libs/base/types.h"

namespace guilder::settlement {

// What moved points. Names are those of settlement.breaks.item.
enum class ReconciledItem { kPurchase, kReturn, kCapture, kRefund };
inline constexpr std::array<ReconciledItem, 4> kReconciledItems = {
    ReconciledItem::kPurchase, ReconciledItem::kReturn, ReconciledItem::kCapture,
    ReconciledItem::kRefund};
// "PURCHASE".
std::string_view ReconciledItemName(ReconciledItem item);
std::optional<ReconciledItem> ReconciledItemFromName(std::string_view name);

// Names are those of settlement.breaks.kind.
enum class BreakKind { kMissingHere, kMissingThere, kAmountDiffers, kDuplicate };
std::string_view BreakKindName(BreakKind kind);
std::optional<BreakKind> BreakKindFromName(std::string_view name);

// A record of the ledger.
struct RecordPlace {
  BookId book;
  RecordNumber number;
  friend auto operator<=>(const RecordPlace&, const RecordPlace&) = default;
};

// Something of the window, as it is here.
struct OurItem {
  ReconciledItem item = ReconciledItem::kPurchase;
  // The purchase or return; the redemption of a capture or refund.
  RecordPlace place;
  // "purchases/3-1042".
  std::string subject;
  Points points;
};

// A line of the partner's view.
struct TheirLine {
  ReconciledItem item = ReconciledItem::kPurchase;
  // None for a receipt that is not here, and for a total.
  std::optional<RecordPlace> place;
  bool total = false;
  // What the partner named: "purchases/3-1042", "receipt s1/t1/17/2026-01-31", "total".
  std::string subject;
  Points points;
  std::string reference;
};

struct Tolerances {
  Points line;
  Points total;
};

// A difference. There is one at most of a kind, item and subject.
struct Finding {
  BreakKind kind = BreakKind::kMissingHere;
  ReconciledItem item = ReconciledItem::kPurchase;
  std::string subject;
  std::string reference;
  std::optional<Points> here;
  std::optional<Points> there;
  friend bool operator==(const Finding&, const Finding&) = default;
};

struct Comparison {
  int64_t lines = 0;
  int64_t matched = 0;
  int64_t missing_here = 0;
  int64_t missing_there = 0;
  int64_t amount_differs = 0;
  int64_t duplicates = 0;
  // Of which the lines were all that there are.
  std::set<ReconciledItem> complete;
  // Of which a total was given.
  std::set<ReconciledItem> totals;
  std::vector<Finding> findings;
};

// Takes both views in any order, and compares them at the end. Not thread safe.
class Reconciler {
 public:
  // `complete` as the partner says; where it names none, the items of lines that are no totals.
  Reconciler(Tolerances tolerances, std::set<ReconciledItem> complete)
      : tolerances_(tolerances), complete_(std::move(complete)) {}

  void AddTheirs(TheirLine line);
  // Points of the same item and place are added up, as of several captures of one redemption.
  void AddOurs(OurItem item);
  void SetOurTotal(ReconciledItem item, Points points) { our_totals_[item] = points; }

  // The findings by item, then subject. What is zero on one side and not there on the other is no
  // difference.
  Comparison Finish();

 private:
  // By record, or by subject where there is none.
  using Key = std::tuple<ReconciledItem, RecordPlace, std::string>;
  struct Theirs {
    TheirLine first;
    Points duplicated;
    int64_t more = 0;
  };

  static Key KeyOf(const TheirLine& line);
  void Compare(const Theirs& theirs, std::optional<Points> here, Points tolerance,
               Comparison& comparison) const;

  const Tolerances tolerances_;
  const std::set<ReconciledItem> complete_;
  std::map<Key, Theirs> theirs_;
  std::map<Key, OurItem> ours_;
  std::map<ReconciledItem, Points> our_totals_;
  int64_t lines_ = 0;
};

}  // namespace guilder::settlement
