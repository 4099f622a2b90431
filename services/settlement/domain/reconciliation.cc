#include "services/settlement/domain/reconciliation.h"

namespace guilder::settlement {
namespace {

struct ItemText {
  ReconciledItem item;
  std::string_view name;
};
constexpr ItemText kItems[] = {{ReconciledItem::kPurchase, "PURCHASE"},
                               {ReconciledItem::kReturn, "RETURN"},
                               {ReconciledItem::kCapture, "CAPTURE"},
                               {ReconciledItem::kRefund, "REFUND"}};

struct KindText {
  BreakKind kind;
  std::string_view name;
};
constexpr KindText kKinds[] = {{BreakKind::kMissingHere, "MISSING_HERE"},
                               {BreakKind::kMissingThere, "MISSING_THERE"},
                               {BreakKind::kAmountDiffers, "AMOUNT_DIFFERS"},
                               {BreakKind::kDuplicate, "DUPLICATE"}};

Points Distance(Points a, Points b) {
  return a < b ? b - a : a - b;
}

}  // namespace

std::string_view ReconciledItemName(ReconciledItem item) {
  for (const ItemText& text : kItems) {
    if (text.item == item) return text.name;
  }
  return "";
}

std::optional<ReconciledItem> ReconciledItemFromName(std::string_view name) {
  for (const ItemText& text : kItems) {
    if (text.name == name) return text.item;
  }
  return std::nullopt;
}

std::string_view BreakKindName(BreakKind kind) {
  for (const KindText& text : kKinds) {
    if (text.kind == kind) return text.name;
  }
  return "";
}

std::optional<BreakKind> BreakKindFromName(std::string_view name) {
  for (const KindText& text : kKinds) {
    if (text.name == name) return text.kind;
  }
  return std::nullopt;
}

Reconciler::Key Reconciler::KeyOf(const TheirLine& line) {
  if (line.place) return {line.item, *line.place, ""};
  return {line.item, RecordPlace(), line.subject};
}

void Reconciler::AddTheirs(TheirLine line) {
  ++lines_;
  const Points points = line.points;
  Key key = KeyOf(line);
  const auto [place, is_new] = theirs_.try_emplace(std::move(key), Theirs{std::move(line), {}, 0});
  if (is_new) return;
  place->second.duplicated += points;
  ++place->second.more;
}

void Reconciler::AddOurs(OurItem item) {
  const Points points = item.points;
  Key key(item.item, item.place, "");
  const auto [place, is_new] = ours_.try_emplace(std::move(key), std::move(item));
  if (!is_new) place->second.points += points;
}

void Reconciler::Compare(const Theirs& theirs, std::optional<Points> here, Points tolerance,
                         Comparison& comparison) const {
  const TheirLine& line = theirs.first;
  const auto find = [&](BreakKind kind, std::optional<Points> there) {
    comparison.findings.push_back({kind, line.item, line.subject, line.reference, here, there});
  };
  if (!here && line.points > tolerance) {
    ++comparison.missing_here;
    find(BreakKind::kMissingHere, line.points);
  } else if (Distance(here.value_or(Points()), line.points) > tolerance) {
    ++comparison.amount_differs;
    find(BreakKind::kAmountDiffers, line.points);
  } else {
    ++comparison.matched;
  }
  if (theirs.more == 0) return;
  comparison.duplicates += theirs.more;
  find(BreakKind::kDuplicate, line.points + theirs.duplicated);
}

Comparison Reconciler::Finish() {
  Comparison comparison;
  comparison.lines = lines_;
  comparison.complete = complete_;
  for (const auto& [key, theirs] : theirs_) {
    if (complete_.empty() && !theirs.first.total) comparison.complete.insert(theirs.first.item);
    std::optional<Points> here;
    if (theirs.first.total) {
      comparison.totals.insert(theirs.first.item);
      here = our_totals_[theirs.first.item];
    } else if (const auto ours = ours_.find(key); ours != ours_.end()) {
      here = ours->second.points;
    }
    Compare(theirs, here, theirs.first.total ? tolerances_.total : tolerances_.line, comparison);
  }
  for (const auto& [key, ours] : ours_) {
    if (!comparison.complete.contains(ours.item) || theirs_.contains(key)) continue;
    if (ours.points <= tolerances_.line) continue;
    ++comparison.missing_there;
    comparison.findings.push_back(
        {BreakKind::kMissingThere, ours.item, ours.subject, "", ours.points, std::nullopt});
  }
  return comparison;
}

}  // namespace guilder::settlement
