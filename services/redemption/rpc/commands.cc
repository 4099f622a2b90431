#include "services/redemption/rpc/commands.h"

#include <utility>

#include "guilder/redemption/v1/redemption_service.pb.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/digest.h"
#include "libs/rpc/proto_time.h"
#include "services/redemption/rpc/redemption_proto.h"

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
    fingerprint = ledger::Sha256({content});
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
  explicit AuthorizeCommand(const Authorization& what)
      : RedemptionCommand(RecordKind::kAuthorization, what) {
    card = what.card;
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    GUILDER_ASSIGN_OR_RETURN(const Authorized authorized,
                             redemption::Decide(asked, partner, context, posting));
    v1::AuthorizeRedemptionResponse response;
    response.set_name(RedemptionName({book, posting.number()}));
    *response.mutable_value() = ToProto(authorized.value.currency, authorized.value.amount);
    *response.mutable_expires_at() = rpc::ToProto(authorized.expires_at);
    return response.SerializeAsString();
  }
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

  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    GUILDER_RETURN_IF_ERROR(
        ledger::DecideRefund(posting, partner, asked.redemption.number, asked.points));
    v1::RefundRedemptionResponse response;
    response.set_refunded_points(asked.points.value());
    return response.SerializeAsString();
  }
};

template <typename Specific, typename Asked>
std::unique_ptr<ledger::Command> Make(PartnerId partner, const Uuid& request_id, AccountId account,
                                      const Asked& asked) {
  auto command = std::make_unique<Specific>(asked);
  command->partner = partner;
  command->request_id = request_id;
  command->account = account;
  command->book = ledger::BookOf(account);
  return command;
}

}  // namespace

std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Authorization& asked) {
  return Make<AuthorizeCommand>(partner, request_id, account, asked);
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
