#include "services/partner/rpc/partner_handlers.h"

#include <optional>

#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"
#include "libs/security/secrets.h"
#include "services/partner/domain/names.h"
#include "services/partner/rpc/partner_proto.h"
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
  return Answer<v1::GetPartnerResponse>(pool_.Read(
      [&](Transaction& transaction) { return FindReadable(call, transaction, request.name()); },
      call.deadline()));
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
        const Partner stored = partner::UpdatePartner(transaction, after);
        ledger::IncrementConfigurationVersion(transaction, programme_.id);
        return stored;
      },
      call.deadline()));
}

absl::StatusOr<Partner> PartnerHandlers::TakeNamedStep(const rpc::Call& call, Step step,
                                                       const std::string& name) {
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<Partner> {
        GUILDER_ASSIGN_OR_RETURN(Partner before, LockPartner(transaction, SlugOf(name)));
        GUILDER_ASSIGN_OR_RETURN(const Partner after,
                                 TakeStep(step, std::move(before), call.principal().id));
        const Partner stored = partner::UpdatePartner(transaction, after);
        ledger::IncrementConfigurationVersion(transaction, programme_.id);
        return stored;
      },
      call.deadline());
}

absl::StatusOr<v1::SubmitPartnerResponse> PartnerHandlers::SubmitPartner(
    const rpc::Call& call, const v1::SubmitPartnerRequest& request) {
  return Answer<v1::SubmitPartnerResponse>(TakeNamedStep(call, Step::kSubmit, request.name()));
}

absl::StatusOr<v1::ReviewPartnerResponse> PartnerHandlers::ReviewPartner(
    const rpc::Call& call, const v1::ReviewPartnerRequest& request) {
  return Answer<v1::ReviewPartnerResponse>(TakeNamedStep(call, Step::kReview, request.name()));
}

absl::StatusOr<v1::ApprovePartnerResponse> PartnerHandlers::ApprovePartner(
    const rpc::Call& call, const v1::ApprovePartnerRequest& request) {
  return Answer<v1::ApprovePartnerResponse>(TakeNamedStep(call, Step::kApprove, request.name()));
}

absl::StatusOr<v1::SuspendPartnerResponse> PartnerHandlers::SuspendPartner(
    const rpc::Call& call, const v1::SuspendPartnerRequest& request) {
  return Answer<v1::SuspendPartnerResponse>(TakeNamedStep(call, Step::kSuspend, request.name()));
}

absl::StatusOr<v1::ReinstatePartnerResponse> PartnerHandlers::ReinstatePartner(
    const rpc::Call& call, const v1::ReinstatePartnerRequest& request) {
  return Answer<v1::ReinstatePartnerResponse>(
      TakeNamedStep(call, Step::kReinstate, request.name()));
}

absl::StatusOr<v1::TerminatePartnerResponse> PartnerHandlers::TerminatePartner(
    const rpc::Call& call, const v1::TerminatePartnerRequest& request) {
  return Answer<v1::TerminatePartnerResponse>(
      TakeNamedStep(call, Step::kTerminate, request.name()));
}

}  // namespace guilder::partner
