#include "libs/ledger/core/activity.h"

#include <algorithm>
#include <set>

#include "libs/ledger/core/account.h"

namespace guilder::ledger {
namespace {

bool Pays(const Posting& posting) {
  return std::any_of(posting.entries().begin(), posting.entries().end(),
                     [](const Entry& entry) { return entry.credit.bucket == Bucket::kRedeemed; });
}

// Whether it gave points that cannot lapse for want of a confirmation.
bool Earns(RecordNumber sale, const Posting& posting) {
  return std::any_of(
      posting.account().lots.begin(), posting.account().lots.end(), [&](const Lot& lot) {
        const bool may_lapse = lot.on_due == OnDue::kCancel && lot.state == LotState::kPending;
        return RecordOf(lot.id) == sale && !lot.origin.account && lot.issued > lot.reversed &&
               !may_lapse;
      });
}

// Whose undoing undoes the activity: a purchase, or what made the hold that was taken from.
RecordNumber ActsFor(const NotedActivity& noted) {
  return noted.kind == RecordKind::kPurchase || !noted.refers_to ? noted.number : noted.refers_to;
}

}  // namespace

int ActivitiesOf(RecordKind kind, RecordNumber refers_to, const Posting& posting) {
  const int payment = Pays(posting) ? kPaymentActivity : 0;
  switch (kind) {
    case RecordKind::kPurchase:
      return payment | (Earns(posting.number(), posting) ? kPurchaseActivity : 0);
    case RecordKind::kConfirmation:
      return Earns(refers_to, posting) ? kPurchaseActivity : 0;
    case RecordKind::kAuthorization:
    case RecordKind::kCapture:
    case RecordKind::kReviewRelease:
    case RecordKind::kVoucherUse:
      return payment;
    case RecordKind::kOrder:
    case RecordKind::kVoucher:
      return kGiftActivity;
    default:
      return 0;
  }
}

bool UndoesActivity(RecordKind kind) {
  switch (kind) {
    case RecordKind::kReturn:
    case RecordKind::kRefund:
    case RecordKind::kOrderUpdate:
    case RecordKind::kOrderCancellation:
    case RecordKind::kVoucherRefund:
    case RecordKind::kVoucherUseRefund:
      return true;
    default:
      return false;
  }
}

bool LeavesNothing(RecordNumber acted_on, const Posting& posting) {
  for (const Lot& lot : posting.account().lots) {
    if (RecordOf(lot.id) == acted_on && lot.issued > lot.reversed) return false;
  }
  for (const Hold& hold : posting.account().holds) {
    const bool is_it = hold.number == acted_on;
    if (is_it && hold.held() + hold.captured() > hold.refunded()) return false;
  }
  return true;
}

Timestamp ActiveUntil(const std::vector<NotedActivity>& noted, RecordNumber undone) {
  // Not zero, which says that nothing ever counted.
  Timestamp latest(1);
  std::set<RecordNumber> gone = {undone};
  // From the last: what was undone may have counted again since.
  for (auto at = noted.rbegin(); at != noted.rend(); ++at) {
    if (UndoesActivity(at->kind)) {
      gone.insert(at->refers_to);
    } else if (!gone.contains(ActsFor(*at))) {
      latest = std::max(latest, at->until);
    }
  }
  return latest;
}

}  // namespace guilder::ledger
