#include "services/settlement/rpc/dispute_handlers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/secrets.h"
#include "services/settlement/domain/dispute.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/statement.h"
#include "services/settlement/store/disputes.h"
#include "services/settlement/store/facts.h"
#include "services/settlement/store/settlements.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

constexpr size_t kMaxText = 500;

absl::Status NoDispute() {
  return Refuse(Reason::kNameNotFound, "no such dispute");
}

bool IsText(const std::string& text) {
  const bool printable = std::all_of(text.begin(), text.end(),
                                     [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  return printable && text.size() <= kMaxText;
}

v1::DisputeState ToProto(DisputeState state) {
  return static_cast<v1::DisputeState>(static_cast<int>(state) + 1);
}

std::optional<DisputeState> FromProto(v1::DisputeState state) {
  switch (state) {
    case v1::DISPUTE_STATE_UPHELD:
      return DisputeState::kUpheld;
    case v1::DISPUTE_STATE_REJECTED:
      return DisputeState::kRejected;
    default:
      return std::nullopt;
  }
}

v1::DisputeProvision ProvisionOf(bool excluded) {
  return excluded ? v1::DISPUTE_PROVISION_EXCLUDED : v1::DISPUTE_PROVISION_INCLUDED;
}

// As it is shown: with the outcome that its deadline gave it.
v1::Dispute ToProto(Transaction& transaction, const Programme& programme, const Dispute& stored) {
  const Dispute dispute = AtDeadline(stored, programme.now);
  const Directory directory = LoadDirectory(transaction, {dispute.partner});
  const absl::StatusOr<Settlement> settlement = FindSettlement(transaction, dispute.settlement);
  const std::string currency =
      FormatCurrency(settlement.ok() ? settlement->currency : programme.currency);
  v1::Dispute out;
  out.set_name(absl::StrCat("disputes/", dispute.id.value()));
  out.set_line(LineName(dispute.settlement, dispute.line));
  out.set_partner(PartnerName(directory.SlugOf(dispute.partner)));
  out.mutable_amount()->set_currency_code(currency);
  out.mutable_amount()->set_minor_units(dispute.amount.value());
  out.set_reason(dispute.reason);
  out.set_evidence_sha256(std::string(AsView(dispute.evidence)));
  out.set_evidence_name(dispute.evidence_name);
  out.set_state(ToProto(dispute.state));
  out.set_provision(ProvisionOf(dispute.excluded));
  out.set_opened_by(dispute.opened_by);
  *out.mutable_open_time() = rpc::ToProto(dispute.opened_at);
  *out.mutable_deadline() = rpc::ToProto(dispute.deadline);
  out.set_default_outcome(ToProto(dispute.default_outcome));
  out.set_resolved_by(dispute.resolved_by);
  if (dispute.resolved_at) *out.mutable_resolve_time() = rpc::ToProto(*dispute.resolved_at);
  out.set_note(dispute.note);
  out.mutable_credited()->set_currency_code(currency);
  out.mutable_credited()->set_minor_units(dispute.credited.value());
  if (dispute.adjustment) {
    out.set_adjustment(absl::StrCat("adjustments/", dispute.adjustment.value()));
    if (const auto note = FindCreditNote(transaction, dispute.adjustment)) {
      out.set_credit_note(InvoiceName(note->number));
    }
  }
  return out;
}

absl::StatusOr<v1::Dispute> OpenOne(Transaction& transaction, const rpc::Call& call,
                                    const v1::OpenDisputeRequest& request, Dispute dispute) {
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  GUILDER_RETURN_IF_ERROR(DecideDue(transaction, programme).status());
  GUILDER_ASSIGN_OR_RETURN(const NamedLine named, FindNamedLine(transaction, call, request.line()));
  if (const auto known = FindDispute(transaction, dispute.request_id)) {
    const bool same = known->settlement == named.settlement.id &&
                      known->line == named.line.number && known->reason == dispute.reason &&
                      known->evidence == dispute.evidence;
    if (!same) return Refuse(Reason::kRequestIdReused);
    return ToProto(transaction, programme, *known);
  }
  if (call.principal().IsPartner()) {
    // A partner's key says nothing to people.
    const PartnerId partner = named.line.bill.partner;
    dispute.opened_by = PartnerName(LoadDirectory(transaction, {partner}).SlugOf(partner));
  }
  GUILDER_ASSIGN_OR_RETURN(dispute,
                           Open(std::move(dispute), named.line, named.settlement,
                                ReadDisputePolicy(transaction, programme.id), programme.now));
  if (dispute.amount > LeftToCredit(transaction, named.settlement.id, named.line)) {
    return Refuse(Reason::kAmountOutOfRange, "more than was not credited of the line yet");
  }
  GUILDER_ASSIGN_OR_RETURN(dispute.id, InsertDispute(transaction, dispute));
  return ToProto(transaction, programme, dispute);
}

absl::StatusOr<v1::Dispute> ResolveOne(Transaction& transaction,
                                       const v1::ResolveDisputeRequest& request,
                                       DisputeState outcome, const std::string& by) {
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  GUILDER_RETURN_IF_ERROR(DecideDue(transaction, programme).status());
  const auto number = rpc::ParseNumberedName("disputes/{}", request.name());
  const std::optional<Dispute> found =
      number ? FindDispute(transaction, DisputeId(number->front())) : std::nullopt;
  if (!found) return NoDispute();
  if (found->state != DisputeState::kOpen) {
    // Whoever decided it did not get the answer.
    const bool repeated =
        found->resolved_by == by && found->state == outcome && found->note == request.note();
    if (!repeated) return Refuse(Reason::kWrongState);
    return ToProto(transaction, programme, *found);
  }
  if (found->opened_by == by) return Refuse(Reason::kSamePerson);
  GUILDER_ASSIGN_OR_RETURN(
      Dispute decided,
      Decide(*found, outcome, MinorUnits(request.credited_minor_units()), by, programme.now));
  decided.note = request.note();
  GUILDER_ASSIGN_OR_RETURN(decided, StoreDecision(transaction, programme, std::move(decided)));
  return ToProto(transaction, programme, decided);
}

v1::DisputePolicy ToProto(const DisputePolicy& policy) {
  v1::DisputePolicy out;
  out.set_open_days(policy.open_days);
  out.set_resolve_days(policy.resolve_days);
  out.set_provision(ProvisionOf(policy.excluded));
  out.set_default_outcome(ToProto(policy.default_outcome));
  return out;
}

}  // namespace

DisputeHandlers::DisputeHandlers(postgres::Pool& pool, const security::Secrets& secrets)
    : pool_(pool), page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::OpenDisputeResponse> DisputeHandlers::OpenDispute(
    const rpc::Call& call, const v1::OpenDisputeRequest& request) {
  Dispute dispute;
  GUILDER_ASSIGN_OR_RETURN(dispute.request_id, rpc::ParseRequestId(request.request_id()));
  if (request.reason().empty() || !IsText(request.reason()) || !IsText(request.evidence_name())) {
    return Refuse(Reason::kRequestMalformed, "a reason of 1 to 500 characters says why");
  }
  if (request.evidence_sha256().size() != dispute.evidence.size()) {
    return Refuse(Reason::kRequestMalformed, "evidence_sha256 is 32 bytes");
  }
  std::copy(request.evidence_sha256().begin(), request.evidence_sha256().end(),
            dispute.evidence.begin());
  dispute.amount = MinorUnits(request.amount_minor_units());
  dispute.reason = request.reason();
  dispute.evidence_name = request.evidence_name();
  dispute.opened_by = call.principal().id;
  v1::OpenDisputeResponse response;
  GUILDER_ASSIGN_OR_RETURN(*response.mutable_dispute(),
                           rpc::RunAudited(pool_, call, "SettlementService/OpenDispute",
                                           request.line(), &request, [&](Transaction& transaction) {
                                             return OpenOne(transaction, call, request,
                                                            std::move(dispute));
                                           }));
  return response;
}

absl::StatusOr<v1::ResolveDisputeResponse> DisputeHandlers::ResolveDispute(
    const rpc::Call& call, const v1::ResolveDisputeRequest& request) {
  const std::optional<DisputeState> outcome = FromProto(request.outcome());
  if (!outcome || request.note().empty() || !IsText(request.note())) {
    return Refuse(Reason::kRequestMalformed, "an outcome, and a note of 1 to 500 characters");
  }
  v1::ResolveDisputeResponse response;
  GUILDER_ASSIGN_OR_RETURN(*response.mutable_dispute(),
                           rpc::RunAudited(pool_, call, "SettlementService/ResolveDispute",
                                           request.name(), &request, [&](Transaction& transaction) {
                                             return ResolveOne(transaction, request, *outcome,
                                                               call.principal().id);
                                           }));
  return response;
}

absl::StatusOr<v1::GetDisputeResponse> DisputeHandlers::GetDispute(
    const rpc::Call& call, const v1::GetDisputeRequest& request) {
  const auto number = rpc::ParseNumberedName("disputes/{}", request.name());
  if (!number) return NoDispute();
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::GetDisputeResponse> {
        const auto found = FindDispute(transaction, DisputeId(number->front()));
        if (!found || !call.CheckActsFor(found->partner).ok()) return NoDispute();
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        v1::GetDisputeResponse response;
        *response.mutable_dispute() = ToProto(transaction, programme, *found);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListDisputesResponse> DisputeHandlers::ListDisputes(
    const rpc::Call& call, const v1::ListDisputesRequest& request) {
  const std::string list =
      absl::StrCat("disputes/", request.parent(), "/", request.include_resolved() ? "all" : "open");
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  DisputeFilter filter;
  filter.include_resolved = request.include_resolved();
  if (call.principal().IsPartner()) filter.partner = call.principal().partner;
  v1::ListDisputesResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        if (!request.parent().empty()) {
          const auto parts = rpc::ParseName("partners/{}", request.parent());
          if (!parts) return Refuse(Reason::kPartnerNotFound);
          GUILDER_ASSIGN_OR_RETURN(filter.partner, FindPartner(transaction, parts->front()));
          GUILDER_RETURN_IF_ERROR(call.CheckActsFor(*filter.partner));
        }
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        const std::vector<Dispute> disputes = settlement::ListDisputes(
            transaction, filter, DisputeId(ParseInt(position).value_or(0)), page_size + 1);
        const size_t count = std::min(disputes.size(), static_cast<size_t>(page_size));
        for (size_t i = 0; i < count; ++i) {
          *response.add_disputes() = ToProto(transaction, programme, disputes[i]);
        }
        if (disputes.size() > count) {
          response.set_next_page_token(
              page_tokens_.Make(list, absl::StrCat(disputes[count - 1].id.value())));
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::GetDisputePolicyResponse> DisputeHandlers::GetDisputePolicy(
    const rpc::Call& call, const v1::GetDisputePolicyRequest&) {
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::GetDisputePolicyResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        v1::GetDisputePolicyResponse response;
        *response.mutable_policy() = ToProto(ReadDisputePolicy(transaction, programme.id));
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UpdateDisputePolicyResponse> DisputeHandlers::UpdateDisputePolicy(
    const rpc::Call& call, const v1::UpdateDisputePolicyRequest& request) {
  DisputePolicy policy;
  policy.open_days = request.policy().open_days();
  policy.resolve_days = request.policy().resolve_days();
  policy.excluded = request.policy().provision() == v1::DISPUTE_PROVISION_EXCLUDED;
  policy.default_outcome =
      FromProto(request.policy().default_outcome()).value_or(DisputeState::kOpen);
  GUILDER_RETURN_IF_ERROR(CheckDisputePolicy(policy));
  if (request.policy().provision() == v1::DISPUTE_PROVISION_UNSPECIFIED) {
    return Refuse(Reason::kRequestMalformed, "provision", {{"field", "policy.provision"}});
  }
  GUILDER_RETURN_IF_ERROR(rpc::RunAudited(
      pool_, call, "SettlementService/UpdateDisputePolicy", "disputePolicy", &request,
      [&](Transaction& transaction) -> absl::Status {
        LockForWriting(transaction);
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        StoreDisputePolicy(transaction, programme.id, policy, call.principal().id);
        return absl::OkStatus();
      }));
  v1::UpdateDisputePolicyResponse response;
  *response.mutable_policy() = ToProto(policy);
  return response;
}

}  // namespace guilder::settlement
