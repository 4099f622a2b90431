#include "services/redemption/rpc/commands.h"

#include <utility>

#include "guilder/redemption/v1/redemption_service.pb.h"
#include "guilder/redemption/v1/spending_service.pb.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/proto_time.h"
#include "services/redemption/rpc/redemption_proto.h"
#include "services/redemption/store/policies.h"
#include "services/redemption/store/reviews.h"

namespace guilder::redemption {
namespace {

using ledger::DecisionContext;
using ledger::Posting;
using ledger::RecordKind;

// A command with what it asks as its content.
template <typename Asked>
class RedemptionCommand : public ledger::Command {
 public:
  RedemptionCommand(RecordKind record_kind, Asked what) : asked(std::move(what)) {
    kind = record_kind;
    content = Encode(asked);
    fingerprint = Sha256({content});
    needs_lots = true;
  }

 protected:
  // Acts on a redemption that exists, and touches the same lots.
  void ActOn(const RedemptionId& redemption) {
    refers_to = redemption.number;
    hold = redemption.number;
  }

  const Asked asked;
};

class AuthorizeCommand final : public RedemptionCommand<Authorization> {
 public:
  AuthorizeCommand(const Authorization& what, const Shown& shown)
      : RedemptionCommand(RecordKind::kAuthorization, what), shown_(shown) {
    card = what.card;
    occurred_at = what.occurred_at;
    // What has expired may be of lots that are closed.
    if (what.occurred_at) needs_lot = LotId();
  }

  bool IsLate() const { return asked.occurred_at.has_value(); }
  // Reads what expired since it occurred, unless it comes too late.
  void LoadLate(postgres::Transaction& tx, int64_t late_spend_seconds, Timestamp now) {
    honours_late_ = *asked.occurred_at + Timestamp(late_spend_seconds * kMicrosPerSecond) >= now;
    lapsed_.clear();
    if (honours_late_) lapsed_ = ReadLapsed(tx, account, *asked.occurred_at);
  }
  // Whether it is decided over more than its account.
  bool NeedsSpending(const ledger::RedemptionPolicy& policy) const {
    // Once there was a policy, somebody may be locked, whatever the one in force asks for.
    return !asked.reference.empty() || !asked.device.empty() || policy.number > 0;
  }
  SpendingOf spending() const {
    return {
        {account, partner, KeyOfText("order", asked.reference), KeyOfText("device", asked.device)},
        &shown_};
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    facts_ = batch == nullptr ? SpendingFacts() : batch->FactsOf(spending(), posting.now());
    facts_.lapsed = lapsed_;
    facts_.honours_late = honours_late_;
    const absl::StatusOr<Authorized> authorized =
        redemption::Decide(asked, partner, facts_, context, posting);
    if (!authorized.ok()) {
      if (ReasonOf(authorized.status()) == Reason::kPinWrong && batch != nullptr) {
        batch->CountWrong(account, posting.now());
        // So that the attempt is written, though nothing else of it is.
        keep_refused = true;
      }
      return authorized.status();
    }
    const ledger::RedemptionPolicy& policy = context.configuration.programme().redemption;
    if (policy.number > 0) content = EncodeDecided(asked, policy);
    held_ = {posting.number(), posting.now(), *authorized, facts_.proof, asked.capture};
    v1::AuthorizeRedemptionResponse response;
    response.set_name(RedemptionName({book, posting.number()}));
    *response.mutable_value() = ToProto(authorized->value.currency, authorized->value.amount);
    *response.mutable_expires_at() = rpc::ToProto(authorized->expires_at);
    response.set_state(ToProto(authorized->state));
    return response.SerializeAsString();
  }
  void OnAccepted() override {
    if (batch != nullptr) batch->Accept(spending(), facts_, held_);
  }

  // Set by Load: what the authorizations of its batch share; null where none needs any.
  std::shared_ptr<SpendingBatch> batch;

 private:
  const Shown shown_;
  SpendingFacts facts_;
  Held held_;
  bool honours_late_ = false;
  std::map<LotId, Points> lapsed_;
};

class CaptureCommand final : public RedemptionCommand<Capture> {
 public:
  explicit CaptureCommand(const Capture& what) : RedemptionCommand(RecordKind::kCapture, what) {
    ActOn(what.redemption);
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    GUILDER_ASSIGN_OR_RETURN(const Captured captured,
                             redemption::Decide(asked, partner, context, posting));
    v1::CaptureRedemptionResponse response;
    response.set_captured_points(captured.points.value());
    *response.mutable_value() = ToProto(captured.value.currency, captured.value.amount);
    response.set_held_points(captured.still_held.value());
    return response.SerializeAsString();
  }
};

class VoidCommand final : public RedemptionCommand<Void> {
 public:
  explicit VoidCommand(const Void& what) : RedemptionCommand(RecordKind::kVoid, what) {
    ActOn(what.redemption);
  }

  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    GUILDER_ASSIGN_OR_RETURN(const Points released,
                             ledger::DecideRelease(posting, partner, asked.redemption.number));
    v1::VoidRedemptionResponse response;
    response.set_released_points(released.value());
    return response.SerializeAsString();
  }
};

class RefundCommand final : public RedemptionCommand<Refund> {
 public:
  explicit RefundCommand(const Refund& what) : RedemptionCommand(RecordKind::kRefund, what) {
    ActOn(what.redemption);
    // The lots that paid may be closed since, and so may those that took over from them: any of
    // them.
    needs_lot = LotId(1);
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    GUILDER_RETURN_IF_ERROR(ledger::DecideRefund(posting, partner, asked.redemption.number,
                                                 asked.points,
                                                 context.configuration.GraceUntil(posting.now())));
    v1::RefundRedemptionResponse response;
    response.set_refunded_points(asked.points.value());
    return response.SerializeAsString();
  }
};

class ReviewCommand final : public RedemptionCommand<ReviewDecision> {
 public:
  ReviewCommand(const ReviewDecision& what, std::string operator_id, std::string note)
      : RedemptionCommand(what.released ? RecordKind::kReviewRelease : RecordKind::kVoid, what),
        operator_id_(std::move(operator_id)),
        note_(std::move(note)) {
    ActOn(what.redemption);
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    GUILDER_ASSIGN_OR_RETURN(const Points points, redemption::Decide(asked, partner, posting));
    if (!asked.released) {
      v1::RejectReviewResponse response;
      response.set_released_points(points.value());
      return response.SerializeAsString();
    }
    v1::ReleaseReviewResponse response;
    response.set_captured_points(points.value());
    *response.mutable_occurred_at() = rpc::ToProto(asked.occurred_at);
    for (const ledger::Hold& hold : posting.account().holds) {
      if (hold.number != asked.redemption.number) continue;
      const Worth worth = PriceUnder(context.configuration, partner, hold.contract, points);
      *response.mutable_value() = ToProto(worth.currency, worth.amount);
      response.set_state(ToProto(hold.state));
    }
    return response.SerializeAsString();
  }

  DecidedReview decided() const { return {asked.redemption, place.posted_at, operator_id_, note_}; }

 private:
  const std::string operator_id_;
  const std::string note_;
};

template <typename Specific, typename... Asked>
std::unique_ptr<Specific> Make(PartnerId partner, const Uuid& request_id, AccountId account,
                               Asked&&... asked) {
  auto command = std::make_unique<Specific>(std::forward<Asked>(asked)...);
  command->partner = partner;
  command->request_id = request_id;
  command->account = account;
  command->book = ledger::BookOf(account);
  return command;
}

}  // namespace

void RedemptionRows::Load(postgres::Transaction& tx, const ledger::Configuration& configuration,
                          const std::vector<ledger::Command*>& commands) {
  const ledger::RedemptionPolicy& policy = configuration.programme().redemption;
  std::vector<AuthorizeCommand*> late;
  std::vector<AuthorizeCommand*> asking;
  std::vector<SpendingKey> keys;
  for (ledger::Command* command : commands) {
    if (command->kind != RecordKind::kAuthorization) continue;
    auto& authorization = static_cast<AuthorizeCommand&>(*command);
    authorization.batch.reset();
    if (authorization.IsLate()) late.push_back(&authorization);
    if (!authorization.NeedsSpending(policy)) continue;
    asking.push_back(&authorization);
    keys.push_back(authorization.spending().key);
  }
  if (!late.empty()) {
    const ProgrammeId programme = configuration.programme().id;
    const auto stored = ReadPolicy(tx, programme);
    const int64_t allowed = stored ? stored->late_spend_seconds : 0;
    const Timestamp now = ledger::ReadProgrammeClock(tx, programme);
    for (AuthorizeCommand* command : late) command->LoadLate(tx, allowed, now);
  }
  if (asking.empty()) return;
  const int64_t period = policy.review_redemptions > 0 ? policy.review_period_seconds : 0;
  const auto batch = std::make_shared<SpendingBatch>(keys, ReadSpending(tx, keys, period), policy);
  for (AuthorizeCommand* command : asking) command->batch = batch;
}

void RedemptionRows::Write(postgres::Transaction& tx,
                           const std::vector<ledger::Command*>& commands) {
  std::shared_ptr<SpendingBatch> batch;
  std::vector<DecidedReview> decided;
  for (const ledger::Command* command : commands) {
    if (command->kind == RecordKind::kAuthorization) {
      const auto& authorization = static_cast<const AuthorizeCommand&>(*command);
      if (authorization.batch != nullptr) batch = authorization.batch;
    } else if (!command->parked) {
      decided.push_back(static_cast<const ReviewCommand&>(*command).decided());
    }
  }
  if (batch != nullptr) batch->Write(tx);
  CloseReviews(tx, decided);
}

std::unique_ptr<ledger::Command> MakeCommand(RedemptionRows& rows, PartnerId partner,
                                             const Uuid& request_id, AccountId account,
                                             const Authorization& asked, const Shown& shown) {
  auto command = Make<AuthorizeCommand>(partner, request_id, account, asked, shown);
  command->rows = &rows;
  return command;
}

std::unique_ptr<ledger::Command> MakeReviewCommand(RedemptionRows& rows, PartnerId partner,
                                                   const Uuid& request_id, AccountId account,
                                                   const ReviewDecision& decision,
                                                   const std::string& operator_id,
                                                   const std::string& note) {
  auto command = Make<ReviewCommand>(partner, request_id, account, decision, operator_id, note);
  command->rows = &rows;
  return command;
}

std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Capture& asked) {
  return Make<CaptureCommand>(partner, request_id, account, asked);
}

std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Void& asked) {
  return Make<VoidCommand>(partner, request_id, account, asked);
}

std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Refund& asked) {
  return Make<RefundCommand>(partner, request_id, account, asked);
}

}  // namespace guilder::redemption
