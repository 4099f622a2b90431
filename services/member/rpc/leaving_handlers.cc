#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/decide.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "services/member/rpc/person_handlers.h"
#include "services/member/store/people.h"

namespace guilder::member {
namespace {

using ledger::RecordKind;

absl::Status WhyPostponed(const LeavingCommand& command) {
  if (command.postponed) {
    return Refuse(
        Reason::kErasurePostponed, command.postponed->by,
        {{"by", command.postponed->by}, {"until", FormatTimestamp(command.postponed->until)}});
  }
  return absl::OkStatus();
}

// Closes the account, whatever else happens to the member.
class Close final : public LeavingCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&,
                                     ledger::Posting& posting) override {
    if (!is_member) return Refuse(Reason::kMemberNotFound);
    GUILDER_ASSIGN_OR_RETURN(const Points expired, DecideClose(posting));
    v1::CloseMemberResponse response;
    response.set_expired_points(expired.value());
    response.set_debt_points(posting.account().debt.value());
    return response.SerializeAsString();
  }
};

class EraseCommand final : public LeavingCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext&,
                                     ledger::Posting& posting) override {
    if (!is_member) return Refuse(Reason::kMemberNotFound);
    // Somebody else's erasure was first; its answer is read again.
    if (erased) return Refuse(Reason::kMemberErased);
    GUILDER_RETURN_IF_ERROR(WhyPostponed(*this));
    if (posting.account().held > Points(0)) {
      return Refuse(Reason::kErasurePostponed, "a payment holds points", {{"by", "redemption"}});
    }
    v1::EraseMemberResponse response;
    const bool closes = posting.account().status == ledger::AccountStatus::kOpen;
    content = ledger::EncodeLeaving(account, closes);
    if (closes) {
      GUILDER_ASSIGN_OR_RETURN(const Points expired, DecideClose(posting));
      response.set_expired_points(expired.value());
    }
    return response.SerializeAsString();
  }
};

void Prepare(RecordKind kind, const rpc::Call& call, AccountId account, const Uuid& request_id,
             ledger::RowStore& rows, LeavingCommand& command) {
  command.kind = kind;
  command.partner = call.principal().partner;
  command.request_id = request_id;
  command.book = ledger::BookOf(account);
  command.account = account;
  command.needs_lots = true;
  command.rows = &rows;
  command.content = ledger::EncodeLeaving(account, /*closes=*/true);
  const char of_kind[] = {static_cast<char>(kind), '\0'};
  command.fingerprint = Sha256({of_kind, command.content});
}

}  // namespace

template <typename Response>
void PersonHandlers::WithMember(const std::shared_ptr<const rpc::Call>& call,
                                const std::string& name, const rpc::Responder<Response>& respond,
                                std::function<void(AccountId)> then) {
  const auto account = ParseMember(*call, name);
  if (!account.ok()) return respond(account.status());
  auto look = [this, call, respond, account = *account, then = std::move(then)] {
    // A name may be of a book that there is not; a lane has no lock for it.
    const absl::Status found = pool_.Read(
        [&](postgres::Transaction& tx) {
          return ReadMember(tx, account) ? absl::OkStatus() : Refuse(Reason::kMemberNotFound);
        },
        call->deadline());
    if (!found.ok()) return respond(found);
    then(account);
  };
  if (!workers_.TrySubmit(std::move(look))) respond(Refuse(Reason::kQueueFull));
}

void PersonHandlers::CloseMember(std::shared_ptr<const rpc::Call> call,
                                 const v1::CloseMemberRequest& request,
                                 rpc::Responder<v1::CloseMemberResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  WithMember(call, request.name(), respond, [this, call, respond, request_id](AccountId account) {
    PostClosure(call, account, *request_id, respond);
  });
}

void PersonHandlers::PostClosure(const std::shared_ptr<const rpc::Call>& call, AccountId account,
                                 const Uuid& request_id,
                                 const rpc::Responder<v1::CloseMemberResponse>& respond) {
  auto command = std::make_unique<Close>();
  Prepare(RecordKind::kClosure, *call, account, request_id, leaving_rows_, *command);
  if (call->principal().IsOperator()) {
    command->note = [call, name = MemberName(account)](postgres::Transaction& tx) {
      rpc::Audit(tx, *call, "PersonService/CloseMember", name, nullptr, nullptr);
    };
  }
  rpc::SubmitAndRespond<v1::CloseMemberResponse>(lanes_, std::move(command), call, respond);
}

void PersonHandlers::EraseMember(std::shared_ptr<const rpc::Call> call,
                                 const v1::EraseMemberRequest& request,
                                 rpc::Responder<v1::EraseMemberResponse> respond) {
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  WithMember(call, request.name(), respond, [this, call, respond, request_id](AccountId account) {
    PostErasure(call, account, *request_id, respond);
  });
}

void PersonHandlers::PostErasure(const std::shared_ptr<const rpc::Call>& call, AccountId account,
                                 const Uuid& request_id,
                                 const rpc::Responder<v1::EraseMemberResponse>& respond) {
  auto command = std::make_unique<EraseCommand>();
  Prepare(RecordKind::kErasure, *call, account, request_id, leaving_rows_, *command);
  if (call->principal().IsOperator()) {
    command->note = [call, name = MemberName(account)](postgres::Transaction& tx) {
      rpc::Audit(tx, *call, "PersonService/EraseMember", name, nullptr, nullptr);
    };
  }
  command->deadline = call->deadline();
  lanes_.Submit(std::move(command),
                [this, call, respond, account](const absl::StatusOr<ledger::Answer>& answer) {
                  if (answer.ok())
                    return respond(rpc::ToResponse<v1::EraseMemberResponse>(*answer, *call));
                  if (ReasonOf(answer.status()) != Reason::kMemberErased)
                    return respond(answer.status());
                  const bool queued = workers_.TrySubmit(
                      [this, call, respond, account] { AnswerErased(call, account, respond); });
                  if (!queued) respond(Refuse(Reason::kQueueFull));
                });
}

void PersonHandlers::AnswerErased(const std::shared_ptr<const rpc::Call>& call, AccountId account,
                                  const rpc::Responder<v1::EraseMemberResponse>& respond) const {
  const auto erasure = pool_.Read(
      [&](postgres::Transaction& tx) { return ReadErasure(tx, account); }, call->deadline());
  if (!erasure.ok()) return respond(erasure.status());
  if (!*erasure) return respond(Refuse(Reason::kMemberNotFound));
  v1::EraseMemberResponse response;
  if (!response.ParseFromString((*erasure)->response)) {
    return respond(absl::InternalError("a stored response cannot be read"));
  }
  *response.mutable_journal_receipt() = rpc::ToProto(ledger::JournalPlace{
      ledger::BookOf(account), (*erasure)->number, (*erasure)->posted_at, (*erasure)->leaf});
  respond(std::move(response));
}

}  // namespace guilder::member
