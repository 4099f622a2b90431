#include "services/redemption/rpc/spending_handlers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/secrets.h"
#include "services/redemption/rpc/redemption_proto.h"
#include "services/redemption/rpc/spending_proto.h"
#include "services/redemption/store/policies.h"
#include "services/redemption/store/spending.h"

namespace guilder::redemption {
namespace {

using postgres::Transaction;

constexpr char kReviewList[] = "ListReviews";
constexpr Timestamp kCodeLife(5 * 60 * kMicrosPerSecond);

// A member that the caller may act for.
absl::StatusOr<AccountId> AskedMember(const rpc::Call& call, const std::string& name) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMember(name));
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(account));
  return account;
}

absl::Status CheckExists(Transaction& tx, AccountId account) {
  return AccountExists(tx, account) ? absl::OkStatus() : Refuse(Reason::kMemberNotFound);
}

ReviewPosition PositionFrom(const std::string& bytes) {
  Decoder in(bytes);
  ReviewPosition position;
  position.created_at = in.ReadQuantity<Timestamp>();
  position.redemption.book = in.ReadId<BookId>();
  position.redemption.number = in.ReadId<RecordNumber>();
  return position;
}

}  // namespace

SpendingHandlers::SpendingHandlers(const SpendingServiceDependencies& dependencies)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      pins_(dependencies.secrets),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::GetRedemptionPolicyResponse> SpendingHandlers::GetRedemptionPolicy(
    const rpc::Call& call, const v1::GetRedemptionPolicyRequest&) {
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<v1::GetRedemptionPolicyResponse> {
        v1::GetRedemptionPolicyResponse response;
        *response.mutable_policy() = ToProto(ReadPolicy(tx, programme).value_or(StoredPolicy()));
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UpdateRedemptionPolicyResponse> SpendingHandlers::UpdateRedemptionPolicy(
    const rpc::Call& call, const v1::UpdateRedemptionPolicyRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const ledger::RedemptionPolicy asked, FromProto(request.policy()));
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  return pool_.Run(
      [&](Transaction& tx) -> absl::StatusOr<v1::UpdateRedemptionPolicyResponse> {
        const StoredPolicy before = ReadPolicy(tx, programme).value_or(StoredPolicy());
        if (before.policy.number != asked.number) return Refuse(Reason::kEtagMismatch);
        StoredPolicy after{asked, call.principal().id, ledger::ReadProgrammeClock(tx, programme),
                           request.policy().late_spend_seconds()};
        ++after.policy.number;
        if (!InsertPolicy(tx, programme, after)) return Refuse(Reason::kEtagMismatch);
        const v1::RedemptionPolicy was = ToProto(before);
        v1::UpdateRedemptionPolicyResponse response;
        *response.mutable_policy() = ToProto(after);
        ledger::IncrementConfigurationVersion(tx, programme);
        rpc::Audit(tx, call, "SpendingService/UpdateRedemptionPolicy", "redemptionPolicy", &was,
                   &response.policy());
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::SetPinResponse> SpendingHandlers::SetPin(const rpc::Call& call,
                                                            const v1::SetPinRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, AskedMember(call, request.member()));
  const std::string& pin = request.pin();
  if (!pin.empty() && !security::PinHasher::IsPin(pin)) {
    return Refuse(Reason::kRequestMalformed, "a PIN has 4 to 12 digits", {{"field", "pin"}});
  }
  // Before the transaction, because it takes long.
  const std::string hash = pin.empty() ? std::string() : pins_.Hash(account, pin);
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  return pool_.Run(
      [&](Transaction& tx) -> absl::StatusOr<v1::SetPinResponse> {
        GUILDER_RETURN_IF_ERROR(CheckExists(tx, account));
        WritePin(tx, account, hash, ledger::ReadProgrammeClock(tx, programme));
        rpc::Audit(tx, call, "SpendingService/SetPin", MemberName(account), nullptr, nullptr);
        return v1::SetPinResponse();
      },
      call.deadline());
}

absl::StatusOr<v1::CreateOneTimeCodeResponse> SpendingHandlers::CreateOneTimeCode(
    const rpc::Call& call, const v1::CreateOneTimeCodeRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, AskedMember(call, request.member()));
  const std::string code = security::PinHasher::NewCode();
  const ProgrammeId programme = lanes_.configuration()->programme().id;
  return pool_.Run(
      [&](Transaction& tx) -> absl::StatusOr<v1::CreateOneTimeCodeResponse> {
        GUILDER_RETURN_IF_ERROR(CheckExists(tx, account));
        const Timestamp expires_at = ledger::ReadProgrammeClock(tx, programme) + kCodeLife;
        WriteCode(tx, account, pins_.HashCode(account, code), expires_at);
        rpc::Audit(tx, call, "SpendingService/CreateOneTimeCode", MemberName(account), nullptr,
                   nullptr);
        v1::CreateOneTimeCodeResponse response;
        response.set_one_time_code(code);
        *response.mutable_expire_time() = rpc::ToProto(expires_at);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::GetSpendingStateResponse> SpendingHandlers::GetSpendingState(
    const rpc::Call& call, const v1::GetSpendingStateRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, AskedMember(call, request.member()));
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<v1::GetSpendingStateResponse> {
        GUILDER_RETURN_IF_ERROR(CheckExists(tx, account));
        const MemberSecrets secrets = ReadMemberSecrets(tx, account);
        v1::GetSpendingStateResponse response;
        response.set_has_pin(!secrets.pin_hash.empty());
        response.set_failed_attempts(secrets.failed_attempts);
        response.set_locked(secrets.locked_at.has_value());
        if (secrets.locked_at) *response.mutable_lock_time() = rpc::ToProto(*secrets.locked_at);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UnlockSpendingResponse> SpendingHandlers::UnlockSpending(
    const rpc::Call& call, const v1::UnlockSpendingRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, AskedMember(call, request.member()));
  return pool_.Run(
      [&](Transaction& tx) -> absl::StatusOr<v1::UnlockSpendingResponse> {
        GUILDER_RETURN_IF_ERROR(CheckExists(tx, account));
        if (!Unlock(tx, account)) return Refuse(Reason::kWrongState, "it is not locked");
        rpc::Audit(tx, call, "SpendingService/UnlockSpending", MemberName(account), nullptr,
                   nullptr);
        return v1::UnlockSpendingResponse();
      },
      call.deadline());
}

absl::StatusOr<v1::ListReviewsResponse> SpendingHandlers::ListReviews(
    const rpc::Call& call, const v1::ListReviewsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kReviewList, request.page_token()));
  std::optional<ReviewPosition> after;
  if (!position.empty()) after = PositionFrom(position);
  return pool_.Read(
      [&](Transaction& tx) -> absl::StatusOr<v1::ListReviewsResponse> {
        std::vector<ReviewRow> rows = ListOpenReviews(tx, after, page_size + 1);
        const bool more = rows.size() > static_cast<size_t>(page_size);
        if (more) rows.pop_back();
        v1::ListReviewsResponse response;
        for (const ReviewRow& row : rows) *response.add_reviews() = ToProto(row);
        if (more) {
          const ReviewRow& last = rows.back();
          Encoder out;
          out.Quantity(last.created_at).Id(last.redemption.book).Id(last.redemption.number);
          response.set_next_page_token(page_tokens_.Make(kReviewList, out.Take()));
        }
        return response;
      },
      call.deadline());
}

template <typename Response, typename Request>
void SpendingHandlers::DecideReview(std::shared_ptr<const rpc::Call> call, const Request& request,
                                    bool released, rpc::Responder<Response> respond) {
  const auto redemption = ParseReviewed(request.redemption(), request.note());
  if (!redemption.ok()) return respond(redemption.status());
  const auto request_id = rpc::ParseRequestId(request.request_id());
  if (!request_id.ok()) return respond(request_id.status());
  const bool queued = workers_.TrySubmit([this, call, redemption = *redemption,
                                          request_id = *request_id, released, note = request.note(),
                                          respond] {
    const auto review = pool_.Run(
        [&](Transaction& tx) -> absl::StatusOr<ReviewRow> {
          const auto found = FindReview(tx, redemption);
          if (!found) return Refuse(Reason::kReviewNotFound);
          rpc::Audit(tx, *call,
                     released ? "SpendingService/ReleaseReview" : "SpendingService/RejectReview",
                     RedemptionName(redemption), nullptr, nullptr);
          return *found;
        },
        call->deadline());
    if (!review.ok()) return respond(review.status());
    const ReviewDecision decision{redemption, released, review->captures, review->created_at};
    rpc::SubmitAndRespond<Response>(
        lanes_,
        MakeReviewCommand(rows_, review->partner, request_id, review->account, decision,
                          call->principal().id, note),
        call, respond);
  });
  if (!queued) respond(Refuse(Reason::kQueueFull));
}

void SpendingHandlers::ReleaseReview(std::shared_ptr<const rpc::Call> call,
                                     const v1::ReleaseReviewRequest& request,
                                     rpc::Responder<v1::ReleaseReviewResponse> respond) {
  DecideReview(std::move(call), request, /*released=*/true, std::move(respond));
}

void SpendingHandlers::RejectReview(std::shared_ptr<const rpc::Call> call,
                                    const v1::RejectReviewRequest& request,
                                    rpc::Responder<v1::RejectReviewResponse> respond) {
  DecideReview(std::move(call), request, /*released=*/false, std::move(respond));
}

}  // namespace guilder::redemption
