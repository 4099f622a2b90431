#include "tests/model/lane_command.h"

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/digest.h"
#include "libs/ledger/store/claims.h"

namespace guilder::model {
namespace {

using ledger::RecordKind;

RecordKind KindOf(Verb verb) {
  switch (verb) {
    case Verb::kOpen:
      return RecordKind::kEnrolment;
    case Verb::kEarn:
    case Verb::kPay:
      return RecordKind::kPurchase;
    case Verb::kConfirm:
    case Verb::kCancel:
      return RecordKind::kConfirmation;
    case Verb::kReverse:
      return RecordKind::kReturn;
    case Verb::kHold:
      return RecordKind::kAuthorization;
    case Verb::kCapture:
      return RecordKind::kCapture;
    case Verb::kRelease:
      return RecordKind::kVoid;
    case Verb::kRefund:
      return RecordKind::kRefund;
  }
  return RecordKind::kPurchase;
}

class LaneCommand final : public ledger::Command {
 public:
  LaneCommand(const Request& request, const Uuid& id, int64_t history, BookId new_book)
      : request_(request) {
    kind = KindOf(request.verb);
    partner = request.partner;
    request_id = id;
    content = request.Encode();
    fingerprint = ledger::Sha256({content});
    account = request.account;
    book = account ? ledger::BookOf(account) : new_book;
    if (kind == RecordKind::kPurchase) issues = ledger::Issues::kPartnersPoints;
    if (request.receipt != 0) {
      natural_key =
          ledger::ClaimKey(partner, "receipt", absl::StrCat(history, "/", request.receipt));
    }
    Load();
  }

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&,
                                     ledger::Posting& posting) override {
    switch (request_.verb) {
      case Verb::kOpen:
        return absl::StrCat("opened ", posting.account().id.value());
      case Verb::kEarn:
        GUILDER_RETURN_IF_ERROR(DecideEarn(posting, EarnTerms(posting.now())));
        return Text("earned", request_.points);
      case Verb::kConfirm:
        return Text("confirmed", DecideConfirm(posting, lot()));
      case Verb::kCancel:
        return Text("cancelled", DecideCancel(posting, lot()));
      case Verb::kReverse:
        return Text("owes", DecideReverse(posting, lot(), request_.points));
      case Verb::kHold:
        GUILDER_RETURN_IF_ERROR(DecideHold(posting, HoldTerms(posting.now())));
        return Text("held", request_.points);
      case Verb::kCapture:
        return Text("took", DecideCapture(posting, partner, request_.target, request_.points,
                                          request_.final));
      case Verb::kRelease:
        return Text("released", DecideRelease(posting, partner, request_.target));
      case Verb::kRefund:
        GUILDER_RETURN_IF_ERROR(DecideRefund(posting, partner, request_.target, request_.points));
        return Text("refunded", request_.points);
      case Verb::kPay: {
        GUILDER_ASSIGN_OR_RETURN(
            const Points taken,
            DecideCapture(posting, partner, request_.target, Points(0), /*final=*/true));
        GUILDER_RETURN_IF_ERROR(DecideEarn(posting, EarnTerms(posting.now())));
        return absl::StrCat("took ", taken.value(), ", earned ", request_.points.value());
      }
    }
    return absl::InternalError("no such verb");
  }

  absl::Status OnNaturalKeyTaken(const ledger::JournalPlace&, RecordKind) override {
    return Refuse(Reason::kReceiptConflict);
  }

 private:
  // What it needs to see, as the services say it.
  void Load() {
    switch (request_.verb) {
      case Verb::kOpen:
      case Verb::kEarn:
        return;
      case Verb::kHold:
        needs_lots = true;
        return;
      case Verb::kPay:
        hold = request_.target;
        return;
      case Verb::kConfirm:
      case Verb::kCancel:
      case Verb::kReverse:
        needs_lot = lot();
        break;
      case Verb::kCapture:
      case Verb::kRelease:
        hold = request_.target;
        break;
      case Verb::kRefund:
        hold = request_.target;
        // Of any lot, because another one may have taken over the redemption.
        needs_lot = LotId(1);
        break;
    }
    refers_to = request_.target;
  }

  static absl::StatusOr<std::string> Text(const char* what, absl::StatusOr<Points> points) {
    GUILDER_RETURN_IF_ERROR(points.status());
    return absl::StrCat(what, " ", points->value());
  }

  static Timestamp After(Timestamp now, Timestamp delay) {
    return delay == kNever ? kNever : now + delay;
  }
  LotId lot() const { return ledger::MakeLotId(request_.target); }

  ledger::EarnTerms EarnTerms(Timestamp now) const {
    ledger::EarnTerms terms;
    terms.issuer = partner;
    terms.contract = request_.contract;
    terms.points = request_.points;
    terms.activates_at = now + request_.activates_after;
    terms.expires_at = After(now, request_.expires_after);
    terms.on_due = request_.cancel_on_due ? ledger::OnDue::kCancel : ledger::OnDue::kActivate;
    return terms;
  }

  ledger::HoldTerms HoldTerms(Timestamp now) const {
    ledger::HoldTerms terms;
    terms.partner = partner;
    terms.contract = request_.contract;
    terms.points = request_.points;
    terms.expires_at = After(now, request_.expires_after);
    return terms;
  }

  const Request request_;
};

}  // namespace

std::unique_ptr<ledger::Command> MakeLaneCommand(const Request& request, const Uuid& request_id,
                                                 int64_t history, BookId book) {
  return std::make_unique<LaneCommand>(request, request_id, history, book);
}

}  // namespace guilder::model
