#include <utility>

#include "absl/time/civil_time.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/names.h"
#include "libs/rpc/note.h"
#include "libs/rpc/proto_time.h"
#include "services/member/rpc/member_handlers.h"
#include "services/member/rpc/points_handlers.h"
#include "services/member/rpc/points_proto.h"

namespace guilder::member {
namespace {

using postgres::Transaction;

constexpr char kList[] = "adjustments";

class DoAdjustment final : public AdjustmentCommand {
 public:
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    GUILDER_RETURN_IF_ERROR(DecideAdjustment(context, posting, adjustment));
    v1::AdjustPointsResponse response;
    response.set_name(AdjustmentName(adjustment.id));
    response.set_state(v1::ADJUSTMENT_STATE_POSTED);
    response.set_etag(AdjustmentEtag(adjustment));
    response.set_available_points(posting.account().available.value());
    return response.SerializeAsString();
  }
};

Timestamp StartOfDay(const ledger::Configuration& configuration, Timestamp now) {
  const absl::TimeZone zone = configuration.calendar().time_zone();
  return FromAbslTime(absl::FromCivil(absl::ToCivilDay(ToAbslTime(now), zone), zone));
}

absl::StatusOr<int64_t> ParseAdjustment(std::string_view name) {
  const auto parts = rpc::ParseNumberedName("adjustments/{}", name);
  if (!parts) return Refuse(Reason::kApprovalNotFound);
  return (*parts)[0];
}

// Refused by the ledger for good, unlike what is worth repeating.
bool IsFinal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsNotFound(status) ||
         absl::IsInvalidArgument(status);
}

}  // namespace

v1::Adjustment PointsHandlers::ToProto(const Adjustment& adjustment) const {
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const payer = configuration->FindPartner(adjustment.payer);
  v1::Adjustment out;
  out.set_name(AdjustmentName(adjustment.id));
  out.set_member(MemberName(adjustment.account));
  out.set_points(adjustment.points.value());
  out.set_reason(static_cast<v1::AdjustmentReason>(adjustment.reason));
  out.set_payer("partners/" + (payer == nullptr ? std::string() : payer->slug));
  out.set_note(adjustment.note);
  out.set_state(static_cast<v1::AdjustmentState>(adjustment.state));
  out.set_proposed_by(adjustment.proposed_by);
  *out.mutable_propose_time() = rpc::ToProto(adjustment.proposed_at);
  out.set_decided_by(adjustment.decided_by);
  out.set_etag(AdjustmentEtag(adjustment));
  return out;
}

// The request's id is that of the command, whoever lets it be posted, so it is posted once.
absl::StatusOr<v1::AdjustPointsResponse> PointsHandlers::PostAdjustment(
    const rpc::Call& call, const Adjustment& adjustment) {
  auto command = std::make_unique<DoAdjustment>();
  command->kind = ledger::RecordKind::kAdjustment;
  command->request_id = adjustment.request_id;
  command->fingerprint = Sha256({AdjustmentEtag(adjustment)});
  command->content = AdjustmentName(adjustment.id);
  command->account = adjustment.account;
  command->book = ledger::BookOf(adjustment.account);
  command->needs_lots = true;
  command->payers = {adjustment.payer};
  command->adjustment = adjustment;
  command->rows = &adjustment_rows_;
  const absl::StatusOr<ledger::Answer> answer = Post(call, std::move(command));
  if (!answer.ok()) {
    if (IsFinal(answer.status())) {
      GUILDER_RETURN_IF_ERROR(pool_.Run(
          [&](Transaction& tx) {
            SetAdjustmentState(tx, adjustment.id, AdjustmentState::kRefused, "");
            return absl::OkStatus();
          },
          call.deadline()));
    }
    return answer.status();
  }
  return rpc::ToResponse<v1::AdjustPointsResponse>(*answer, call);
}

absl::StatusOr<v1::AdjustPointsResponse> PointsHandlers::AdjustPoints(
    const rpc::Call& call, const v1::AdjustPointsRequest& request) {
  Adjustment asked;
  GUILDER_ASSIGN_OR_RETURN(asked.request_id, rpc::ParseRequestId(request.request_id()));
  asked.points = Points(request.points());
  asked.reason = static_cast<AdjustmentReason>(request.reason());
  asked.note = request.note();
  asked.proposed_by = call.principal().id;
  GUILDER_RETURN_IF_ERROR(CheckAdjustment(asked));
  GUILDER_ASSIGN_OR_RETURN(asked.account, ParseMemberName(request.member()));
  GUILDER_ASSIGN_OR_RETURN(asked.account, Resolve(call, asked.account));
  const auto configuration = lanes_.configuration();
  const auto payer = rpc::ParseName("partners/{}", request.payer());
  const ledger::Partner* const partner = payer ? configuration->FindPartner((*payer)[0]) : nullptr;
  if (partner == nullptr) return Refuse(Reason::kPartnerNotFound);
  asked.payer = partner->id;
  GUILDER_ASSIGN_OR_RETURN(const v1::PointsPolicy policy, ReadPolicy(call));
  const AdjustmentPolicy limits = FromProto(policy.adjustment());
  const bool is_admin = call.principal().roles.Has(security::Role::kAdmin);

  GUILDER_ASSIGN_OR_RETURN(
      const Adjustment adjustment,
      pool_.Run(
          [&](Transaction& tx) -> absl::StatusOr<Adjustment> {
            LockAdjustmentsOf(tx, asked.proposed_by);
            if (const auto known = FindAdjustment(tx, asked.request_id)) {
              const bool same = AdjustmentEtag(*known) == AdjustmentEtag(asked) &&
                                known->proposed_by == asked.proposed_by;
              if (!same) return Refuse(Reason::kRequestIdReused);
              return *known;
            }
            Adjustment made = asked;
            made.proposed_at = ledger::ReadProgrammeClock(tx, programme());
            const Points today =
                AdjustedSince(tx, made.proposed_by, StartOfDay(*configuration, made.proposed_at));
            GUILDER_ASSIGN_OR_RETURN(
                made.state,
                DecideState(is_admin ? limits.admin : limits.support, today, made.points));
            InsertAdjustment(tx, made);
            const v1::Adjustment after = ToProto(made);
            rpc::Audit(tx, call, "MemberService/AdjustPoints", after.name(), nullptr, &after);
            return made;
          },
          call.deadline()));
  switch (adjustment.state) {
    case AdjustmentState::kWaiting: {
      v1::AdjustPointsResponse response;
      response.set_name(AdjustmentName(adjustment.id));
      response.set_state(v1::ADJUSTMENT_STATE_WAITING);
      response.set_etag(AdjustmentEtag(adjustment));
      return response;
    }
    case AdjustmentState::kRejected:
      return Refuse(Reason::kWrongState, "it was rejected");
    default:
      return PostAdjustment(call, adjustment);
  }
}

absl::StatusOr<v1::ApproveAdjustmentResponse> PointsHandlers::ApproveAdjustment(
    const rpc::Call& call, const v1::ApproveAdjustmentRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int64_t id, ParseAdjustment(request.name()));
  GUILDER_ASSIGN_OR_RETURN(const v1::PointsPolicy policy, ReadPolicy(call));
  const AdjustmentPolicy limits = FromProto(policy.adjustment());
  const std::string& actor = call.principal().id;
  GUILDER_ASSIGN_OR_RETURN(
      Adjustment adjustment,
      pool_.Run(
          [&](Transaction& tx) -> absl::StatusOr<Adjustment> {
            auto found = LockAdjustment(tx, id);
            if (!found) return Refuse(Reason::kApprovalNotFound);
            // Who approved it and lost the answer asks again.
            const bool again = found->state != AdjustmentState::kWaiting &&
                               found->decided_by == actor &&
                               found->state != AdjustmentState::kRejected;
            if (again) return *found;
            GUILDER_RETURN_IF_ERROR(CheckApproval(*found, limits, request.etag(), actor,
                                                  ledger::ReadProgrammeClock(tx, programme())));
            const v1::Adjustment before = ToProto(*found);
            found->state = AdjustmentState::kPosting;
            found->decided_by = actor;
            SetAdjustmentState(tx, id, found->state, actor);
            const v1::Adjustment after = ToProto(*found);
            rpc::Audit(tx, call, "PointsService/ApproveAdjustment", after.name(), &before, &after);
            return *found;
          },
          call.deadline()));
  GUILDER_ASSIGN_OR_RETURN(const v1::AdjustPointsResponse posted, PostAdjustment(call, adjustment));
  adjustment.state = AdjustmentState::kPosted;
  v1::ApproveAdjustmentResponse response;
  *response.mutable_adjustment() = ToProto(adjustment);
  *response.mutable_journal_receipt() = posted.journal_receipt();
  return response;
}

absl::StatusOr<v1::RejectAdjustmentResponse> PointsHandlers::RejectAdjustment(
    const rpc::Call& call, const v1::RejectAdjustmentRequest& request) {
  GUILDER_RETURN_IF_ERROR(rpc::CheckNote(request.note()));
  GUILDER_ASSIGN_OR_RETURN(const int64_t id, ParseAdjustment(request.name()));
  return pool_.Run(
      [&](Transaction& tx) -> absl::StatusOr<v1::RejectAdjustmentResponse> {
        auto found = LockAdjustment(tx, id);
        if (!found) return Refuse(Reason::kApprovalNotFound);
        if (found->state != AdjustmentState::kWaiting) return Refuse(Reason::kWrongState);
        const v1::Adjustment before = ToProto(*found);
        found->state = AdjustmentState::kRejected;
        found->decided_by = call.principal().id;
        SetAdjustmentState(tx, id, found->state, found->decided_by);
        v1::RejectAdjustmentResponse response;
        *response.mutable_adjustment() = ToProto(*found);
        rpc::Audit(tx, call, "PointsService/RejectAdjustment", before.name(), &before, &request);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListAdjustmentsResponse> PointsHandlers::ListAdjustments(
    const rpc::Call& call, const v1::ListAdjustmentsRequest& request) {
  if (!v1::AdjustmentState_IsValid(request.state())) {
    return Refuse(Reason::kRequestMalformed, "state", {{"field", "state"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = std::string(kList) + "/" + std::to_string(request.state());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  const int64_t before = position.empty() ? INT64_MAX : std::stoll(position);
  v1::ListAdjustmentsResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) {
        auto found = member::ListAdjustments(tx, static_cast<AdjustmentState>(request.state()),
                                             before, page_size + 1);
        if (found.size() > static_cast<size_t>(page_size)) {
          found.pop_back();
          response.set_next_page_token(page_tokens_.Make(list, std::to_string(found.back().id)));
        }
        for (const Adjustment& adjustment : found) {
          *response.add_adjustments() = ToProto(adjustment);
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::ReportAdjustmentsResponse> PointsHandlers::ReportAdjustments(
    const rpc::Call& call, const v1::ReportAdjustmentsRequest& request) {
  Timestamp from(0);
  Timestamp until = kNever;
  if (request.has_start_time()) {
    const auto start = rpc::FromProto(request.start_time());
    if (!start) return Refuse(Reason::kRequestMalformed, "start_time", {{"field", "start_time"}});
    from = *start;
  }
  if (request.has_end_time()) {
    const auto end = rpc::FromProto(request.end_time());
    if (!end) return Refuse(Reason::kRequestMalformed, "end_time", {{"field", "end_time"}});
    until = *end;
  }
  const auto configuration = lanes_.configuration();
  v1::ReportAdjustmentsResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& tx) {
        for (const AdjustmentSum& sum : SumAdjustments(tx, from, until)) {
          const ledger::Partner* const payer = configuration->FindPartner(sum.payer);
          v1::AdjustmentSum& out = *response.add_sums();
          out.set_reason(static_cast<v1::AdjustmentReason>(sum.reason));
          out.set_payer("partners/" + (payer == nullptr ? std::string() : payer->slug));
          out.set_count(sum.count);
          out.set_given_points(sum.given.value());
          out.set_taken_points(sum.taken.value());
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

}  // namespace guilder::member
