#include "tests/model/lane_command.h"

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/moves.h"
#include "libs/ledger/store/claims.h"
#include "libs/postgres/connection.h"
#include "services/member/domain/transfer.h"

namespace guilder::model {
namespace {

using ledger::RecordKind;

RecordKind KindOf(const Request& request) {
  switch (request.verb) {
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
      return request.gift ? RecordKind::kOrder : RecordKind::kAuthorization;
    case Verb::kCapture:
      return request.gift ? RecordKind::kOrderUpdate : RecordKind::kCapture;
    case Verb::kRelease:
      return request.gift ? RecordKind::kOrderCancellation : RecordKind::kVoid;
    case Verb::kRefund:
      return request.gift ? RecordKind::kOrderCancellation : RecordKind::kRefund;
    case Verb::kUse:
      return RecordKind::kVoucherUse;
    case Verb::kUnuse:
      return RecordKind::kVoucherUseRefund;
    case Verb::kReleaseReview:
      return RecordKind::kReviewRelease;
    case Verb::kTransfer:
      return RecordKind::kTransfer;
    case Verb::kReverseTransfer:
      return RecordKind::kTransferReversal;
    case Verb::kMerge:
      return RecordKind::kMerge;
  }
  return RecordKind::kPurchase;
}

constexpr postgres::Statement kIssueCards{"test.issue_cards", R"sql(
  insert into member.cards (card_number, account_id, book, state, issued_at_us, request_id)
  select w.card_number, w.account_id, w.book, w.state, 0, w.request_id
    from unnest($1::bigint[], $2::bigint[], $3::int[], $4::smallint[], $5::uuid[])
      as w (card_number, account_id, book, state, request_id)
)sql"};

constexpr postgres::Statement kMoveCards{"test.move_cards", R"sql(
  update member.cards set book = $1, account_id = $2 where book = $3 and account_id = $4
)sql"};

member::TransferPolicy TransferPolicy() {
  member::TransferPolicy policy;
  policy.minimum = Points(1);
  policy.fee_ppm = 100'000;
  policy.yearly_out.reset();
  policy.yearly_in.reset();
  policy.reversal_minutes = kReversalMinutes;
  return policy;
}

// The cards of the accounts that a batch opens, written with it.
class CardRows final : public ledger::RowStore {
 public:
  void Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) override;
};

// The cards of merged accounts, which follow the points.
class MergedCardRows final : public ledger::RowStore {
 public:
  void Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) override {
    for (const ledger::Command* command : commands) {
      const AccountId into = command->others[0];
      tx.Execute(kMoveCards, postgres::Params()
                                 .Int(ledger::BookOf(into))
                                 .Int(into)
                                 .Int(command->book)
                                 .Int(command->account));
    }
  }
};

class LaneCommand final : public ledger::Command {
 public:
  LaneCommand(const Request& request, const Uuid& id, int64_t history, BookId new_book)
      : request_(request) {
    kind = KindOf(request);
    partner = request.partner;
    request_id = id;
    content = request.Encode();
    fingerprint = Sha256({content});
    account = request.account;
    book = account ? ledger::BookOf(account) : new_book;
    if (kind == RecordKind::kPurchase) issues = ledger::Issues::kPartnersPoints;
    if (request.funder) payers = {request.funder};
    if (NamesTwo(request.verb)) others = {request.other};
    if (request.verb == Verb::kMerge) {
      content = ledger::EncodeMerge(request.other);
      static MergedCardRows merged_card_rows;
      rows = &merged_card_rows;
    } else if (request.verb != Verb::kOpen) {
      card = request.card;
    } else if (request.card) {
      static CardRows card_rows;
      rows = &card_rows;
    }
    if (request.receipt != 0) {
      natural_key =
          ledger::ClaimKey(partner, "receipt", absl::StrCat(history, "/", request.receipt));
    }
    Load();
  }

  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    switch (request_.verb) {
      case Verb::kOpen:
        opened_ = posting.account().id;
        return absl::StrCat("opened ", posting.account().id.value());
      case Verb::kEarn:
        GUILDER_RETURN_IF_ERROR(CheckCard(context, posting));
        GUILDER_RETURN_IF_ERROR(DecideEarn(posting, EarnTerms(posting.now())));
        if (request_.funder) {
          GUILDER_RETURN_IF_ERROR(DecideEarn(posting, FunderTerms(posting.now())));
        }
        return Text("earned", request_.points);
      case Verb::kConfirm:
        return Text("confirmed", DecideConfirm(posting, lot()));
      case Verb::kCancel:
        return Text("cancelled", DecideCancel(posting, lot()));
      case Verb::kReverse:
        return Text("owes", DecideReverse(posting, lot(), request_.points));
      case Verb::kHold:
        GUILDER_RETURN_IF_ERROR(DecideHold(posting, HoldTerms(posting.now())));
        if (!request_.at_once) return Text("held", request_.points);
        return Text("took",
                    DecideCapture(posting, partner, posting.number(), Points(0), /*final=*/true));
      case Verb::kReleaseReview:
        GUILDER_RETURN_IF_ERROR(DecideReviewRelease(posting, partner, request_.target));
        return std::string("released from review");
      case Verb::kCapture:
        return Text("took", DecideCapture(posting, partner, request_.target, request_.points,
                                          request_.final));
      case Verb::kRelease:
        return Text("released", DecideRelease(posting, partner, request_.target));
      case Verb::kRefund:
        GUILDER_RETURN_IF_ERROR(DecideRefund(posting, partner, request_.target, request_.points,
                                             posting.now() + request_.grace));
        return Text("refunded", request_.points);
      case Verb::kUse:
        GUILDER_RETURN_IF_ERROR(DecideCaptureFor(posting, request_.target, request_.points, partner,
                                                 request_.contract));
        return Text("used", request_.points);
      case Verb::kUnuse:
        GUILDER_RETURN_IF_ERROR(DecideRefundFrom(posting, request_.target, request_.points, partner,
                                                 request_.contract,
                                                 posting.now() + request_.grace));
        return Text("refunded", request_.points);
      case Verb::kPay: {
        GUILDER_ASSIGN_OR_RETURN(
            const Points taken,
            DecideCapture(posting, partner, request_.target, Points(0), /*final=*/true));
        GUILDER_RETURN_IF_ERROR(DecideEarn(posting, EarnTerms(posting.now())));
        return absl::StrCat("took ", taken.value(), ", earned ", request_.points.value());
      }
      case Verb::kTransfer:
      case Verb::kReverseTransfer:
      case Verb::kMerge:
        break;
    }
    return absl::InternalError("it is not about one account");
  }

  absl::StatusOr<std::string> DecideTogether(const ledger::DecisionContext& context,
                                             std::vector<ledger::Posting>& postings) override {
    ledger::Posting& first = postings[0];
    ledger::Posting& second = postings[1];
    switch (request_.verb) {
      case Verb::kTransfer:
        GUILDER_RETURN_IF_ERROR(
            DecideTransfer(TransferPolicy(), {}, first, second, request_.points).status());
        return absl::StrCat("moved ", request_.points.value(), ", received by ",
                            second.number().value());
      case Verb::kReverseTransfer:
        return Text("moved back",
                    DecideTransferReversal(TransferPolicy(), request_.transferred_at,
                                           request_.received_by, request_.points, first, second));
      case Verb::kMerge:
        GUILDER_RETURN_IF_ERROR(DecideMerge(first, second));
        return std::string("merged");
      default:
        return Decide(context, first);
    }
  }

  const Request& request() const { return request_; }
  // After Decide: the account that it opens.
  AccountId opened() const { return opened_; }

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
      case Verb::kTransfer:
      case Verb::kMerge:
        needs_lots = true;
        return;
      case Verb::kReverseTransfer:
        needs_lots = true;
        break;
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
      case Verb::kReleaseReview:
      case Verb::kUse:
        hold = request_.target;
        break;
      case Verb::kRefund:
      case Verb::kUnuse:
        hold = request_.target;
        // Of any lot, because another one may have taken over the redemption.
        needs_lot = LotId(1);
        break;
    }
    refers_to = request_.target;
  }

  // As services look at a card that was shown.
  absl::Status CheckCard(const ledger::DecisionContext& context,
                         const ledger::Posting& posting) const {
    if (!card) return absl::OkStatus();
    if (!context.card.found || context.card.account != posting.account().id) {
      return Refuse(Reason::kCardNotFound);
    }
    return context.card.blocked ? Refuse(Reason::kCardBlocked) : absl::OkStatus();
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
    terms.restricted_to = request_.restricted_to;
    return terms;
  }

  ledger::EarnTerms FunderTerms(Timestamp now) const {
    ledger::EarnTerms terms;
    terms.issuer = request_.funder;
    terms.contract = request_.funder_contract;
    terms.points = request_.funder_points;
    terms.activates_at = now;
    terms.expires_at = After(now, request_.expires_after);
    return terms;
  }

  ledger::HoldTerms HoldTerms(Timestamp now) const {
    ledger::HoldTerms terms;
    terms.partner = partner;
    terms.contract = request_.contract;
    terms.points = request_.points;
    terms.expires_at = After(now, request_.expires_after);
    terms.gift = request_.gift;
    if (request_.first_in) terms.order = ledger::ConsumptionOrder::kFirstIn;
    terms.reviewed = request_.reviewed;
    return terms;
  }

  const Request request_;
  AccountId opened_;
};

void CardRows::Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) {
  struct Row {
    CardNumber card;
    const LaneCommand* open;
    int state;
  };
  std::vector<Row> rows;
  for (const ledger::Command* command : commands) {
    const auto& open = static_cast<const LaneCommand&>(*command);
    rows.push_back({open.request().card, &open, 0});
    rows.push_back({BlockedCard(open.request().card), &open, 1});
  }
  tx.Execute(kIssueCards,
             postgres::Params()
                 .IntArray(rows, &Row::card)
                 .IntArray(rows, [](const Row& row) { return row.open->opened(); })
                 .IntArray(rows, [](const Row& row) { return row.open->book; })
                 .IntArray(rows, &Row::state)
                 .UuidArray(rows, [](const Row& row) { return row.open->request_id; }));
}

}  // namespace

std::unique_ptr<ledger::Command> MakeLaneCommand(const Request& request, const Uuid& request_id,
                                                 int64_t history, BookId book) {
  return std::make_unique<LaneCommand>(request, request_id, history, book);
}

}  // namespace guilder::model
