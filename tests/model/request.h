// What a history asks of the ledger: one form for the reference model and for the commands that go
// through lanes.
#pragma once

#include <string>

#include "libs/base/types.h"

namespace guilder::model {

enum class Verb {
  kOpen,
  kEarn,
  kConfirm,
  kCancel,
  kReverse,
  kHold,
  kCapture,
  kRelease,
  kRefund,
  // Captures all of a hold and earns, in one command.
  kPay,
  // Lets a hold that is in review be captured.
  kReleaseReview,
  // Another partner than the hold's takes some of it, or gives it back, under its own contract:
  // what is paid with a voucher, whose points are a hold.
  kUse,
  kUnuse,
  // Points to another account, and back.
  kTransfer,
  kReverseTransfer,
  // What an account has goes to another one, which goes on for it.
  kMerge,
};

// "earn".
std::string VerbName(Verb verb);

// An account gets two cards when it is opened: a good one, and the next number, which is blocked.
constexpr CardNumber BlockedCard(CardNumber good) {
  return CardNumber(good.value() + 1);
}

// Whether it names an earlier record.
constexpr bool ActsOnRecord(Verb verb) {
  return verb != Verb::kOpen && verb != Verb::kEarn && verb != Verb::kHold &&
         verb != Verb::kTransfer && verb != Verb::kMerge;
}

// Whether it names two accounts.
constexpr bool NamesTwo(Verb verb) {
  return verb == Verb::kTransfer || verb == Verb::kReverseTransfer || verb == Verb::kMerge;
}

// What a transfer costs the giver, and for how long it can be reversed.
constexpr Points TransferFee(Points points) {
  return Points(points.value() / 10);
}
inline constexpr int kReversalMinutes = 3 * 24 * 60;

struct Request {
  Verb verb = Verb::kOpen;
  // Who asks, and the version of its contract that prices an earning or a hold.
  PartnerId partner;
  ContractId contract;
  // None for kOpen.
  AccountId account;
  // To whom points go, or who goes on after a merge.
  AccountId other;
  Points points;
  // Counted from the posted time, in microseconds. kNever for no expiry.
  Timestamp activates_after;
  Timestamp expires_after = kNever;
  // On its date an earning is cancelled rather than activated.
  bool cancel_on_due = false;
  // Of an earning: who pays for some points more, by which version of its contract, and how many:
  // a lot of its own, available at once. None for nobody.
  PartnerId funder;
  ContractId funder_contract;
  Points funder_points;
  // Of a capture: the rest is released.
  bool final = false;
  // Of an earning: where alone its points may be spent; -1 for gifts, none for anywhere.
  PartnerId restricted_to;
  // Of a hold, and what acts on it: it is an order of a gift. Of a hold: the older points go first;
  // it is captured at once; it is reviewed.
  bool gift = false;
  bool first_in = false;
  bool at_once = false;
  bool reviewed = false;
  // Of a refund: how long points live whose lot has expired. Zero for not at all.
  Timestamp grace;
  // The earning or the hold that it acts on.
  RecordNumber target;
  // Number of the receipt in its history; 0 for none.
  int64_t receipt = 0;
  // The card that an account gets when it is opened, or that is shown with an earning; none for
  // none.
  CardNumber card;
  // Of a reversal: when the transfer was posted, and the record that gave the receiver its lots.
  Timestamp transferred_at;
  RecordNumber received_by;

  // All of it as bytes.
  std::string Encode() const;
};

}  // namespace guilder::model
