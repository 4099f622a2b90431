#include "services/member/domain/timeline.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"

namespace guilder::member {
namespace {

using ledger::Bucket;
using ledger::RecordKind;

// What the entries of a record did to the member, in points.
struct Sums {
  int64_t change = 0;  // of pending and available together
  int64_t issued = 0;
  int64_t activated = 0;        // of lots that this record made, or confirmed
  int64_t activated_other = 0;  // of lots whose date had come
  int64_t reversed = 0;
  int64_t owed = 0;  // of what was reversed
  int64_t held = 0;
  int64_t released = 0;
  int64_t redeemed = 0;
  int64_t refunded = 0;
  int64_t expired = 0;
  int64_t repaid = 0;
  int64_t sent = 0;
  int64_t received = 0;
  int64_t reinstated = 0;
};

bool IsSpendable(Bucket bucket) {
  return bucket == Bucket::kPending || bucket == Bucket::kAvailable;
}

void AddEntry(const ledger::Entry& entry, const PostedRecord& record, Sums& sums) {
  const int64_t points = entry.points.value();
  const Bucket from = entry.debit.bucket;
  const Bucket to = entry.credit.bucket;
  if (IsSpendable(from)) sums.change -= points;
  if (IsSpendable(to)) sums.change += points;
  if (from == Bucket::kIssued) sums.issued += points;
  if (to == Bucket::kIssued) sums.reversed += points;
  if (from == Bucket::kDebt) sums.owed += points;
  if (to == Bucket::kDebt) sums.repaid += points;
  if (to == Bucket::kHeld) sums.held += points;
  if (from == Bucket::kHeld && to == Bucket::kAvailable) sums.released += points;
  if (to == Bucket::kRedeemed) sums.redeemed += points;
  if (from == Bucket::kRedeemed) sums.refunded += points;
  if (to == Bucket::kExpired) sums.expired += points;
  if (to == Bucket::kInTransit) sums.sent += points;
  if (from == Bucket::kInTransit) sums.received += points;
  if (from == Bucket::kExpired && IsSpendable(to)) sums.reinstated += points;
  if (from == Bucket::kPending && to == Bucket::kAvailable) {
    const bool own = record.kind == RecordKind::kConfirmation ||
                     ledger::RecordOf(entry.debit.lot) == record.number;
    (own ? sums.activated : sums.activated_other) += points;
  }
}

// "1 point", "20 points".
std::string Count(int64_t points) {
  return absl::StrCat(points, points == 1 ? " point" : " points");
}

std::string ReturnText(const Sums& sums) {
  std::string text = absl::StrCat("Return: ", Count(sums.reversed), " taken back");
  if (sums.owed > 0)
    absl::StrAppend(&text, ", of which ", sums.owed, " had been spent and are owed");
  return text;
}

std::string CaptureText(const Sums& sums) {
  std::string text = absl::StrCat("Payment of ", Count(sums.redeemed));
  if (sums.released > 0) absl::StrAppend(&text, "; ", sums.released, " held ones given back");
  return text;
}

std::string OrderText(const Sums& sums) {
  if (sums.redeemed > 0) return absl::StrCat("Order confirmed: ", Count(sums.redeemed), " taken");
  if (sums.refunded > 0) {
    return absl::StrCat("Gift returned: ", Count(sums.refunded), " given back");
  }
  return "Order carried on";
}

std::string PartText(const Sums& sums) {
  if (sums.sent > 0 && sums.received == 0) {
    return absl::StrCat(Count(sums.sent), " went to another account");
  }
  if (sums.received > 0) return absl::StrCat(Count(sums.received), " came from another account");
  return "Another account's points came to this one";
}

std::string GivenBackText(RecordKind kind, const Sums& sums) {
  const bool moved = kind == RecordKind::kResidence;
  return absl::StrCat(
      moved ? "Residence noted, expired points given back: " : "Expired points given back: ",
      Count(sums.reinstated));
}

std::string MainText(RecordKind kind, const Sums& sums) {
  switch (kind) {
    case RecordKind::kPurchase:
      if (sums.issued == 0) return "Purchase without points";
      return absl::StrCat("Purchase: ", Count(sums.issued), sums.activated > 0 ? "" : ", pending");
    case RecordKind::kReturn:
      return ReturnText(sums);
    case RecordKind::kConfirmation:
      if (sums.activated == 0 && sums.reversed > 0) {
        return absl::StrCat("Purchase cancelled: ", Count(sums.reversed), " taken back");
      }
      return absl::StrCat("Purchase confirmed: ", Count(sums.activated), " available");
    case RecordKind::kEnrolment:
      if (sums.issued == 0) return "Enrolled";
      return absl::StrCat("Enrolled, with a welcome gift of ", Count(sums.issued));
    case RecordKind::kAuthorization:
      if (sums.redeemed > 0) return CaptureText(sums);
      return absl::StrCat("Payment begun: ", Count(sums.held), " held");
    case RecordKind::kCapture:
      return CaptureText(sums);
    case RecordKind::kVoid:
      return absl::StrCat("Payment called off: ", Count(sums.released), " given back");
    case RecordKind::kRefund:
      return absl::StrCat("Payment refunded: ", Count(sums.refunded), " given back");
    case RecordKind::kReviewRelease:
      if (sums.redeemed > 0) return CaptureText(sums);
      return "Payment released from review";
    case RecordKind::kOrder:
      return absl::StrCat("Gift ordered: ", Count(sums.held), " held");
    case RecordKind::kOrderUpdate:
      return OrderText(sums);
    case RecordKind::kOrderCancellation:
      return absl::StrCat("Order called off: ", Count(sums.released + sums.refunded),
                          " given back");
    case RecordKind::kVoucher:
      return absl::StrCat("Voucher bought: ", Count(sums.held), " held");
    case RecordKind::kVoucherUse:
      return absl::StrCat("Voucher used: ", Count(sums.redeemed));
    case RecordKind::kVoucherRefund:
      return absl::StrCat("Voucher given back: ", Count(sums.released), " given back");
    case RecordKind::kVoucherUseRefund:
      return absl::StrCat("Voucher's use refunded: ", Count(sums.refunded), " given back");
    case RecordKind::kTransfer:
      return absl::StrCat("Transfer: ", Count(sums.sent), " given to another member");
    case RecordKind::kTransferReversal:
      return absl::StrCat("Transfer called off: ", Count(sums.sent), " given back");
    case RecordKind::kMerge:
      return "Merged into another member's account";
    case RecordKind::kPart:
      return PartText(sums);
    case RecordKind::kAdjustment:
      return absl::StrCat("Adjustment: ", Count(sums.issued > 0 ? sums.issued : sums.expired),
                          sums.issued > 0 ? " given" : " taken");
    case RecordKind::kExpiry:
      return "Brought up to date";
    case RecordKind::kReinstatement:
    case RecordKind::kResidence:
      return GivenBackText(kind, sums);
    case RecordKind::kBonus:
      return absl::StrCat("Bonus: ", Count(sums.issued));
    case RecordKind::kClosure:
    case RecordKind::kErasure:
      return kind == RecordKind::kClosure ? "Account closed" : "Person erased";
    case RecordKind::kOpeningBalance:
      return absl::StrCat("Brought in from another programme: ", Count(sums.issued));
    case RecordKind::kCardActivation:
      return "Card first shown";
  }
  return "Posted";
}

// "purchase" of PURCHASE.
std::string KindNoun(RecordKind kind) {
  switch (kind) {
    case RecordKind::kPurchase:
      return "purchase";
    case RecordKind::kReturn:
      return "return";
    case RecordKind::kConfirmation:
      return "confirmation";
    case RecordKind::kEnrolment:
      return "enrolment";
    case RecordKind::kAuthorization:
      return "payment with points";
    case RecordKind::kCapture:
      return "capture of held points";
    case RecordKind::kVoid:
      return "release of held points";
    case RecordKind::kRefund:
      return "refund of points";
    case RecordKind::kReviewRelease:
      return "release from review";
    case RecordKind::kOrder:
      return "order of a gift";
    case RecordKind::kOrderUpdate:
      return "order's next step";
    case RecordKind::kOrderCancellation:
      return "order's cancellation";
    case RecordKind::kVoucher:
      return "purchase of a voucher";
    case RecordKind::kVoucherUse:
      return "payment with a voucher";
    case RecordKind::kVoucherRefund:
    case RecordKind::kVoucherUseRefund:
      return "refund of a voucher";
    case RecordKind::kTransfer:
      return "transfer of points";
    case RecordKind::kTransferReversal:
      return "reversal of a transfer";
    case RecordKind::kPart:
      return "part of a command";
    case RecordKind::kReinstatement:
      return "reinstatement of expired points";
    case RecordKind::kClosure:
      return "closing of the account";
    case RecordKind::kOpeningBalance:
      return "opening balance";
    case RecordKind::kCardActivation:
      return "activation of a card";
    case RecordKind::kMerge:
    case RecordKind::kAdjustment:
    case RecordKind::kExpiry:
    case RecordKind::kBonus:
    case RecordKind::kErasure:
    case RecordKind::kResidence:
      return absl::AsciiStrToLower(ToAbsl(ledger::RecordKindName(kind)));
  }
  return "request";
}

// "INSUFFICIENT_POINTS: fewer points are available than asked for".
std::string ReasonText(const std::string& name) {
  const auto reason = ReasonFromName(name);
  if (!reason) return name;
  return absl::StrCat(name, ": ", ToAbsl(ReasonAdvice(*reason)));
}

bool Sooner(const TimelineItem& a, const TimelineItem& b) {
  return a.at < b.at;
}

}  // namespace

TimelineItem Describe(const PostedRecord& record) {
  Sums sums;
  for (const ledger::Entry& entry : record.entries) AddEntry(entry, record, sums);
  TimelineItem item;
  item.at = record.posted_at;
  item.kind = ItemKind::kPosting;
  item.partner = record.partner;
  item.subject = ledger::RecordName(record.kind, record.book, record.number);
  item.text = MainText(record.kind, sums);
  if (record.kind == RecordKind::kPurchase && sums.redeemed > 0) {
    absl::StrAppend(&item.text, "; ", Count(sums.redeemed), " paid");
  }
  // What had fallen due by time is posted with the next record.
  if (sums.activated_other > 0) {
    absl::StrAppend(&item.text, "; ", Count(sums.activated_other), " had become available");
  }
  if (sums.expired > 0 && record.kind != RecordKind::kAdjustment) {
    absl::StrAppend(&item.text, "; ", Count(sums.expired), " had expired");
  }
  if (sums.repaid > 0)
    absl::StrAppend(&item.text, "; ", Count(sums.repaid), " repaid what was owed");
  item.points = Points(sums.change);
  return item;
}

TimelineItem Describe(const Refusal& refusal) {
  return {refusal.at,
          ItemKind::kRefusal,
          refusal.partner,
          "",
          absl::StrCat("Refused ", KindNoun(refusal.kind), ", ", ReasonText(refusal.reason)),
          Points(0)};
}

TimelineItem Describe(const ParkedItem& item) {
  return {item.at,
          ItemKind::kParked,
          item.partner,
          item.name,
          absl::StrCat(item.resolved ? "Was parked and is resolved, " : "Parked for an operator, ",
                       ReasonText(item.reason)),
          Points(0)};
}

std::vector<TimelineItem> Promises(BookId book, const ledger::Lot& lot, Timestamp end,
                                   const std::string& issuer) {
  std::vector<TimelineItem> items;
  const int64_t points = lot.free().value();
  if (points <= 0) return items;
  const std::string what = absl::StrCat(Count(points), " from ", issuer);
  const bool pending = lot.state == ledger::LotState::kPending;
  const bool lapses = pending && lot.on_due == ledger::OnDue::kCancel;
  if (lapses) {
    items.push_back({lot.activates_at, ItemKind::kPromise, lot.issuer, LotName(book, lot.id),
                     absl::StrCat(what, " lapse unless the purchase is confirmed"),
                     Points(-points)});
  } else if (pending) {
    items.push_back({lot.activates_at, ItemKind::kPromise, lot.issuer, LotName(book, lot.id),
                     absl::StrCat(what, " become available"), Points(0)});
  }
  if (end != kNever && !lapses) {
    items.push_back({end, ItemKind::kExpiry, lot.issuer, LotName(book, lot.id),
                     absl::StrCat(what, " expire"), Points(-points)});
  }
  return items;
}

std::string LotName(BookId book, LotId lot) {
  return absl::StrCat("lots/", book.value(), "-", lot.value());
}

std::vector<TimelineItem> Merge(std::vector<TimelineItem> past, std::vector<TimelineItem> promised,
                                size_t limit) {
  std::stable_sort(past.begin(), past.end(), Sooner);
  std::stable_sort(promised.begin(), promised.end(), Sooner);
  const size_t room_ahead = std::max(limit / 2, limit - std::min(limit, past.size()));
  promised.resize(std::min(promised.size(), room_ahead));
  const size_t kept = std::min(past.size(), limit - promised.size());
  past.erase(past.begin(), past.end() - static_cast<std::ptrdiff_t>(kept));
  past.insert(past.end(), promised.begin(), promised.end());
  return past;
}

}  // namespace guilder::member
