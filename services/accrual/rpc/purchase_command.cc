#include "services/accrual/rpc/purchase_command.h"

#include <utility>

#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/earned_lots.h"
#include "services/accrual/rpc/purchase_proto.h"

namespace guilder::accrual {
namespace {

using ledger::RecordKind;

v1::QuoteOutcome ToProto(QuoteOutcome outcome) {
  switch (outcome) {
    case QuoteOutcome::kHonoured:
      return v1::QUOTE_OUTCOME_HONOURED;
    case QuoteOutcome::kExpired:
      return v1::QUOTE_OUTCOME_EXPIRED;
    case QuoteOutcome::kNone:
      break;
  }
  return v1::QUOTE_OUTCOME_UNSPECIFIED;
}

}  // namespace

PurchaseCommand::PurchaseCommand(Purchase asked, std::optional<Quote> quote,
                                 std::optional<Timestamp> terminal_time)
    : asked_(std::move(asked)),
      quote_(std::move(quote)),
      terminal_time_(terminal_time),
      purchase_(asked_),
      encoded_(EncodePurchase(purchase_)) {
  kind = RecordKind::kPurchase;
  card = purchase_.card;
  content = encoded_;
  // The till's own number says nothing of the sale: a file of the same receipts may not have it.
  // Nor does its clock: a repeat comes at another time.
  const bool as_stated = purchase_.sequence_number == 0 && purchase_.clock_offset_us == 0;
  fingerprint = Sha256({as_stated ? encoded_ : EncodePurchase(AsStated(purchase_))});
  occurred_at = purchase_.occurred_at;
  hold = purchase_.redemption;
  issues = ledger::Issues::kPartnersPoints;
}

void PurchaseCommand::NormaliseClock(Timestamp now) {
  if (!terminal_time_) return;
  purchase_ = asked_;
  clock_is_wrong_ = !accrual::NormaliseClock(purchase_, *terminal_time_, now);
  encoded_ = EncodePurchase(purchase_);
  occurred_at = purchase_.occurred_at;
}

absl::StatusOr<std::string> PurchaseCommand::Decide(const ledger::DecisionContext& context,
                                                    ledger::Posting& posting) {
  GUILDER_RETURN_IF_ERROR(load_status);
  if (clock_is_wrong_) {
    return ParkedIfDeclared(
        Refuse(Reason::kOccurredAtInFuture, "the terminal's clock is off by more than a day",
               {{"clock", FormatTimestamp(posting.now())}}),
        posting.now());
  }
  if (!reviewed_ && ComesTooOften()) {
    return Parked(Refuse(Reason::kLimitExceeded, "the member comes to this till too often"));
  }
  absl::StatusOr<PurchaseOutcome> decided =
      DecidePurchase(purchase_, partner, batch->TermsOf(earning(), *rules), context, posting);
  if (!decided.ok()) return ParkedIfDeclared(decided.status(), posting.now());
  outcome_ = *std::move(decided);
  for (const CounterUse& use : outcome_.counted) {
    if (!use.of_member) spends[LimitOf(use.counter)] += use.points;
  }
  content = EncodeRecorded(encoded_, outcome_);
  v1::RecordPurchaseResponse response;
  response.set_name(ledger::RecordName(kind, book, posting.number()));
  response.set_points(outcome_.points.value());
  for (const Points points : outcome_.line_points) response.add_line_points(points.value());
  if (outcome_.points > Points(0)) {
    *response.mutable_activates_at() = rpc::ToProto(outcome_.activates_at);
    if (outcome_.expires_at != kNever) {
      *response.mutable_expires_at() = rpc::ToProto(outcome_.expires_at);
    }
  }
  // Whoever repeats the request gets the stored response: it says what the seller may know.
  AddLots(outcome_, partner,
          {context.configuration, {partner}, PurchasePlace{book, posting.number()}}, response);
  response.set_captured_points(outcome_.captured.value());
  response.set_point_block_exhausted(outcome_.point_block_exhausted);
  response.set_bonuses_withheld(outcome_.base_rates_only);
  response.set_trimmed_points(outcome_.trimmed.value());
  response.set_quote_outcome(ToProto(outcome_.quote));
  response.set_quoted_points(outcome_.quoted.value());
  if (purchase_.clock_offset_us != 0) {
    *response.mutable_normalised_occurred_at() = rpc::ToProto(purchase_.occurred_at);
  }
  return response.SerializeAsString();
}

absl::Status PurchaseCommand::ParkedIfDeclared(absl::Status refusal, Timestamp now) {
  const DatedRuleSet* const set = rules->At(now);
  const auto reason = ReasonOf(refusal);
  if (set == nullptr || !reason) return refusal;
  const rules::Policies& policies = set->rules->rule_set().policies;
  const bool parks =
      (*reason == Reason::kTerminalNotFound &&
       policies.unknown_terminal == rules::Intake::kParked) ||
      (*reason == Reason::kOccurredAtInFuture && policies.future_date == rules::Intake::kParked);
  return parks ? Parked(refusal) : refusal;
}

absl::Status PurchaseCommand::Parked(const absl::Status& refusal) {
  keep_refused = true;
  parked_for_ = *ReasonOf(refusal);
  auto details = DetailsOf(refusal);
  details["parked_item"] = ParkedItemName(partner, request_id);
  return Refuse(parked_for_, "it is parked", details);
}

bool PurchaseCommand::ComesTooOften() const {
  const DatedRuleSet* const set = rules->At(purchase_.occurred_at);
  if (set == nullptr) return false;
  const int usual = set->rules->rule_set().policies.purchases_of_member_at_till;
  if (usual <= 0) return false;
  return batch->VisitsAtTill(earning()) >= usual || batch->WasHeldBack(earning());
}

void PurchaseCommand::OnAccepted() {
  batch->Accept(earning(), outcome_);
}

absl::Status PurchaseCommand::OnNaturalKeyTaken(const ledger::JournalPlace& winner,
                                                RecordKind winner_kind) {
  parked_for_ = Reason::kReceiptConflict;
  conflicts_with_ = ledger::RecordName(winner_kind, winner.book, winner.number);
  return Refuse(
      Reason::kReceiptConflict, {},
      {{"parked_item", ParkedItemName(partner, request_id)}, {"purchase", conflicts_with_}});
}

ParkedItem PurchaseCommand::ToParkedItem() const {
  ParkedItem item;
  item.partner = partner;
  item.request_id = request_id;
  item.account = account;
  item.reason = ReasonName(parked_for_);
  item.created_at = place.posted_at;
  item.refers_to = conflicts_with_;
  item.content = DescribePurchase(purchase_);
  item.kind = ParkedKind::kPurchase;
  item.request = encoded_;
  return item;
}

}  // namespace guilder::accrual
