#include "services/partner/rpc/partner_handlers.h"

#include <optional>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/limit.h"
#include "libs/ledger/store/limits.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/security/secrets.h"
#include "services/partner/domain/names.h"
#include "services/partner/rpc/exposure_keeper.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/documents.h"
#include "services/partner/store/partners.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

// The id in "partners/{partner_id}". What is no such name names no partner.
std::string SlugOf(std::string_view name) {
  const auto parts = rpc::ParseName(kPartnerName, name);
  return parts ? parts->front() : std::string();
}

template <typename Response>
absl::StatusOr<Response> Answer(absl::StatusOr<Partner> partner) {
  if (!partner.ok()) return std::move(partner).status();
  Response response;
  *response.mutable_partner() = ToProto(*partner);
  return response;
}

// Error: WRONG_STATE, a settlement is still to come that has something for the partner, or
// something of its is not paid.
absl::Status CheckAllIsSettled(Transaction& transaction, PartnerId partner, ProgrammeId programme) {
  const Points of_blocks = ledger::ReadLimit(transaction, ledger::PointBlocksOf(partner)).remaining;
  GUILDER_ASSIGN_OR_RETURN(const ExposureFigures figures,
                           ReadFigures(transaction, partner, programme));
  if (of_blocks != Points() || figures.unbilled_issuance != MinorUnits() ||
      figures.unsettled_reimbursement != MinorUnits() || IsCarriedForward(transaction, partner) ||
      IsFinalSettlementToCome(transaction, partner)) {
    return Refuse(Reason::kWrongState, "the next settlement has something for it");
  }
  if (CountOpenObligations(transaction, partner) == 0) return absl::OkStatus();
  return Refuse(Reason::kWrongState, "an obligation is not paid");
}

}  // namespace

PartnerHandlers::PartnerHandlers(postgres::Pool& pool, const security::Secrets& secrets,
                                 const ledger::ProgrammeFacts& programme)
    : pool_(pool),
      programme_(programme),
      key_hasher_(secrets.KeyPepper()),
      page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::CreatePartnerResponse> PartnerHandlers::CreatePartner(
    const rpc::Call& call, const v1::CreatePartnerRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckPartnerSlug(request.partner_id()));
  Partner partner;
  partner.slug = request.partner_id();
  partner.details = DetailsFromProto(request.partner());
  partner.programme_operator = request.programme_operator();
  GUILDER_RETURN_IF_ERROR(CheckDetails(partner.details));
  return Answer<v1::CreatePartnerResponse>(pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<Partner> {
        GUILDER_ASSIGN_OR_RETURN(Partner created,
                                 InsertPartner(transaction, programme_.id, partner));
        ledger::IncrementConfigurationVersion(transaction, programme_.id);
        const v1::Partner after = ToProto(created);
        rpc::Audit(transaction, call, "PartnerService/CreatePartner", after.name(), nullptr,
                   &after);
        return created;
      },
      call.deadline()));
}

absl::StatusOr<Partner> PartnerHandlers::FindReadable(const rpc::Call& call,
                                                      Transaction& transaction,
                                                      std::string_view name) const {
  GUILDER_ASSIGN_OR_RETURN(Partner partner, FindPartner(transaction, SlugOf(name)));
  GUILDER_RETURN_IF_ERROR(call.CheckActsFor(partner.id));
  return partner;
}

absl::StatusOr<v1::GetPartnerResponse> PartnerHandlers::GetPartner(
    const rpc::Call& call, const v1::GetPartnerRequest& request) {
  auto response = Answer<v1::GetPartnerResponse>(pool_.Read(
      [&](Transaction& transaction) { return FindReadable(call, transaction, request.name()); },
      call.deadline()));
  // Nobody is told that a screening found them.
  if (response.ok() && call.principal().IsPartner()) response->mutable_partner()->clear_evidence();
  return response;
}

absl::StatusOr<v1::ListPartnersResponse> PartnerHandlers::ListPartners(
    const rpc::Call& call, const v1::ListPartnersRequest& request) {
  const std::string list = "partners";
  GUILDER_ASSIGN_OR_RETURN(const std::string after,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<Partner> partners,
      pool_.Read(
          [&](Transaction& transaction) -> absl::StatusOr<std::vector<Partner>> {
            return partner::ListPartners(transaction, after, page_size + 1);
          },
          call.deadline()));
  v1::ListPartnersResponse response;
  FillPage(
      list, page_size, partners, [](const Partner& partner) { return partner.slug; },
      [&](const Partner& partner) { *response.add_partners() = ToProto(partner); }, response);
  return response;
}

absl::StatusOr<v1::UpdatePartnerResponse> PartnerHandlers::UpdatePartner(
    const rpc::Call& call, const v1::UpdatePartnerRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::vector<DetailField> fields,
                           FieldsFromMask(request.update_mask()));
  // Only what changes is looked at; a display name stands in where it does not.
  const PartnerDetails given = DetailsFromProto(request.partner());
  PartnerDetails wanted;
  wanted.display_name = "unchanged";
  for (const DetailField& field : fields) wanted.*field.value = given.*field.value;
  GUILDER_RETURN_IF_ERROR(CheckDetails(wanted));

  return Answer<v1::UpdatePartnerResponse>(pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<Partner> {
        GUILDER_ASSIGN_OR_RETURN(const Partner before,
                                 LockPartner(transaction, SlugOf(request.partner().name())));
        GUILDER_ASSIGN_OR_RETURN(const Partner after, ChangeDetails(before, wanted, fields));
        const std::string& etag = request.partner().etag();
        if (!etag.empty() && etag != Etag(before)) return Refuse(Reason::kEtagMismatch);
        return StoreChanged(call, transaction, "PartnerService/UpdatePartner", before, after);
      },
      call.deadline()));
}

Partner PartnerHandlers::StoreChanged(const rpc::Call& call, Transaction& transaction,
                                      std::string_view action, const Partner& before,
                                      const Partner& after) {
  Partner stored = partner::UpdatePartner(transaction, after);
  ledger::IncrementConfigurationVersion(transaction, programme_.id);
  const v1::Partner was = ToProto(before);
  const v1::Partner is = ToProto(stored);
  rpc::Audit(transaction, call, action, is.name(), &was, &is);
  return stored;
}

absl::StatusOr<Partner> PartnerHandlers::ChangeNamed(const rpc::Call& call, std::string_view action,
                                                     const std::string& name, Change change) {
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<Partner> {
        GUILDER_ASSIGN_OR_RETURN(const Partner before, LockPartner(transaction, SlugOf(name)));
        const Timestamp now = ledger::ReadProgrammeClock(transaction, programme_.id);
        GUILDER_ASSIGN_OR_RETURN(const Partner after, change(transaction, before, now));
        return StoreChanged(call, transaction, action, before, after);
      },
      call.deadline());
}

absl::StatusOr<Partner> PartnerHandlers::TakeNamedStep(const rpc::Call& call,
                                                       std::string_view action, Step step,
                                                       const std::string& name) {
  return ChangeNamed(call, action, name, [&](Transaction&, const Partner& before, Timestamp) {
    return TakeStep(step, before, call.principal().id);
  });
}

absl::StatusOr<v1::SubmitPartnerResponse> PartnerHandlers::SubmitPartner(
    const rpc::Call& call, const v1::SubmitPartnerRequest& request) {
  return Answer<v1::SubmitPartnerResponse>(
      TakeNamedStep(call, "PartnerService/SubmitPartner", Step::kSubmit, request.name()));
}

absl::StatusOr<v1::ReviewPartnerResponse> PartnerHandlers::ReviewPartner(
    const rpc::Call& call, const v1::ReviewPartnerRequest& request) {
  // What is not of the list was not screened.
  const bool known = v1::SanctionsResult_IsValid(request.sanctions_result());
  const auto result =
      known ? static_cast<SanctionsResult>(request.sanctions_result()) : SanctionsResult{};
  return Answer<v1::ReviewPartnerResponse>(
      ChangeNamed(call, "PartnerService/ReviewPartner", request.name(),
                  [&](Transaction&, const Partner& before, Timestamp now) {
                    return partner::ReviewPartner(before, result, request.sanctions_reference(),
                                                  call.principal().id, now);
                  }));
}

absl::StatusOr<v1::ApprovePartnerResponse> PartnerHandlers::ApprovePartner(
    const rpc::Call& call, const v1::ApprovePartnerRequest& request) {
  return Answer<v1::ApprovePartnerResponse>(ChangeNamed(
      call, "PartnerService/ApprovePartner", request.name(),
      [&](Transaction&, const Partner& before, Timestamp now) -> absl::StatusOr<Partner> {
        // Who repeats an approval learns that it is done, not that the partner changed by it.
        if (before.state == PartnerState::kInReview) {
          if (!request.etag().empty() && request.etag() != Etag(before)) {
            return Refuse(Reason::kChangeDiffers);
          }
          GUILDER_RETURN_IF_ERROR(CheckReviewIsFresh(before, now));
        }
        GUILDER_ASSIGN_OR_RETURN(Partner after,
                                 TakeStep(Step::kApprove, before, call.principal().id));
        after.evidence.approved_at = now;
        return after;
      }));
}

absl::StatusOr<v1::RejectPartnerResponse> PartnerHandlers::RejectPartner(
    const rpc::Call& call, const v1::RejectPartnerRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckText("note", request.note()));
  return Answer<v1::RejectPartnerResponse>(pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<Partner> {
        GUILDER_ASSIGN_OR_RETURN(const Partner before,
                                 LockPartner(transaction, SlugOf(request.name())));
        GUILDER_ASSIGN_OR_RETURN(const Partner after,
                                 TakeStep(Step::kReject, before, call.principal().id));
        const Partner stored = partner::UpdatePartner(transaction, after);
        // The note is why: what the partner was is what it is, but for the signatures.
        const v1::Partner was = ToProto(before);
        rpc::Audit(transaction, call, "PartnerService/RejectPartner", was.name(), &was, &request);
        return stored;
      },
      call.deadline()));
}

absl::StatusOr<v1::AttachDocumentResponse> PartnerHandlers::AttachDocument(
    const rpc::Call& call, const v1::AttachDocumentRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(Document document, DocumentFromProto(request.document()));
  document.attached_by = call.principal().id;
  return Answer<v1::AttachDocumentResponse>(ChangeNamed(
      call, "PartnerService/AttachDocument", request.name(),
      [&](Transaction& transaction, const Partner& before,
          Timestamp now) -> absl::StatusOr<Partner> {
        document.attached_at = now;
        GUILDER_ASSIGN_OR_RETURN(Partner after, partner::AttachDocument(before, document));
        if (after.evidence.documents.size() > before.evidence.documents.size()) {
          InsertDocument(transaction, before.id, document);
        }
        return after;
      }));
}

absl::StatusOr<v1::SuspendPartnerResponse> PartnerHandlers::SuspendPartner(
    const rpc::Call& call, const v1::SuspendPartnerRequest& request) {
  return Answer<v1::SuspendPartnerResponse>(
      TakeNamedStep(call, "PartnerService/SuspendPartner", Step::kSuspend, request.name()));
}

absl::StatusOr<v1::ReinstatePartnerResponse> PartnerHandlers::ReinstatePartner(
    const rpc::Call& call, const v1::ReinstatePartnerRequest& request) {
  return Answer<v1::ReinstatePartnerResponse>(
      TakeNamedStep(call, "PartnerService/ReinstatePartner", Step::kReinstate, request.name()));
}

absl::StatusOr<v1::TerminatePartnerResponse> PartnerHandlers::TerminatePartner(
    const rpc::Call& call, const v1::TerminatePartnerRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckText("for_cause", request.for_cause()));
  GUILDER_ASSIGN_OR_RETURN(const AskedRunOff asked, RunOffFromProto(request));
  return Answer<v1::TerminatePartnerResponse>(ChangeNamed(
      call, "PartnerService/TerminatePartner", request.name(),
      [&](Transaction& transaction, const Partner& before,
          Timestamp now) -> absl::StatusOr<Partner> {
        if (before.state == PartnerState::kTerminating) {
          GUILDER_RETURN_IF_ERROR(CheckRunOffIsOver(before, now));
          GUILDER_RETURN_IF_ERROR(CheckAllIsSettled(transaction, before.id, programme_.id));
          return TakeStep(Step::kEnd, before, call.principal().id);
        }
        GUILDER_ASSIGN_OR_RETURN(Partner after,
                                 TakeStep(Step::kTerminate, before, call.principal().id));
        GUILDER_ASSIGN_OR_RETURN(
            after.run_off, PlanRunOff(asked, ReadNoticeDays(transaction, before.id, now), now));
        return after;
      }));
}

}  // namespace guilder::partner
