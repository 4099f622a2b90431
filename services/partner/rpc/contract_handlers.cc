#include <optional>
#include <utility>

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "services/partner/domain/contract.h"
#include "services/partner/domain/names.h"
#include "services/partner/rpc/partner_handlers.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/contracts.h"
#include "services/partner/store/partners.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

struct ContractNameParts {
  std::string partner_slug;
  int64_t number = 0;
};

std::optional<ContractNameParts> PartsOf(std::string_view name) {
  const auto parts = rpc::ParseName(kContractName, name);
  if (!parts) return std::nullopt;
  const std::optional<int64_t> number = rpc::ParseNumber((*parts)[1]);
  if (!number) return std::nullopt;
  return ContractNameParts{(*parts)[0], *number};
}

}  // namespace

absl::StatusOr<v1::ProposeContractResponse> PartnerHandlers::ProposeContract(
    const rpc::Call& call, const v1::ProposeContractRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(Contract proposal, ContractFromProto(request.contract()));
  GUILDER_RETURN_IF_ERROR(CheckContract(proposal));
  proposal.proposed_by = call.principal().id;
  const auto parent = rpc::ParseName(kPartnerName, request.parent());
  const std::string slug = parent ? parent->front() : std::string();
  GUILDER_ASSIGN_OR_RETURN(
      const Contract stored,
      pool_.Run(
          [&](Transaction& transaction) -> absl::StatusOr<Contract> {
            GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
            if (const auto* const terms = std::get_if<IssuanceTerms>(&proposal.terms)) {
              for (const std::string& listed : terms->points_use_partners) {
                GUILDER_RETURN_IF_ERROR(FindPartner(transaction, listed).status());
              }
            }
            proposal.proposed_at = ledger::ReadProgrammeClock(transaction, programme_.id);
            Contract made = InsertContract(transaction, partner.id, proposal);
            const v1::Contract after = ToProto(slug, made);
            rpc::Audit(transaction, call, "PartnerService/ProposeContract", after.name(), nullptr,
                       &after);
            return made;
          },
          call.deadline()));
  v1::ProposeContractResponse response;
  *response.mutable_contract() = ToProto(slug, stored);
  return response;
}

absl::StatusOr<v1::ApproveContractResponse> PartnerHandlers::ApproveContract(
    const rpc::Call& call, const v1::ApproveContractRequest& request) {
  const std::optional<ContractNameParts> name = PartsOf(request.name());
  if (!name) return Refuse(Reason::kContractNotFound);
  const std::string& actor = call.principal().id;
  GUILDER_ASSIGN_OR_RETURN(
      const Contract approved,
      pool_.Run(
          [&](Transaction& transaction) -> absl::StatusOr<Contract> {
            const auto partner = LockPartner(transaction, name->partner_slug);
            if (!partner.ok()) return Refuse(Reason::kContractNotFound);
            GUILDER_ASSIGN_OR_RETURN(Contract contract,
                                     FindContract(transaction, partner->id, name->number));
            GUILDER_ASSIGN_OR_RETURN(
                const Succession succession,
                Approve(contract, request.etag(),
                        ApprovedContracts(transaction, partner->id, contract.kind()), actor,
                        ledger::ReadProgrammeClock(transaction, programme_.id),
                        /*may_begin_in_past=*/!programme_.live));
            if (succession.ended) {
              EndContract(transaction, *succession.ended, contract.period.from);
            }
            MarkApproved(transaction, contract.id, actor);
            ledger::IncrementConfigurationVersion(transaction, programme_.id);
            const v1::Contract before = ToProto(name->partner_slug, contract);
            contract.state = ContractState::kApproved;
            contract.approved_by = actor;
            const v1::Contract after = ToProto(name->partner_slug, contract);
            rpc::Audit(transaction, call, "PartnerService/ApproveContract", after.name(), &before,
                       &after);
            return contract;
          },
          call.deadline()));
  v1::ApproveContractResponse response;
  *response.mutable_contract() = ToProto(name->partner_slug, approved);
  return response;
}

absl::StatusOr<v1::RejectContractResponse> PartnerHandlers::RejectContract(
    const rpc::Call& call, const v1::RejectContractRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckText("note", request.note()));
  const std::optional<ContractNameParts> name = PartsOf(request.name());
  if (!name) return Refuse(Reason::kContractNotFound);
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<v1::RejectContractResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner,
                                 LockPartner(transaction, name->partner_slug));
        GUILDER_ASSIGN_OR_RETURN(Contract contract,
                                 FindContract(transaction, partner.id, name->number));
        if (contract.state != ContractState::kProposed) return Refuse(Reason::kWrongState);
        const v1::Contract before = ToProto(name->partner_slug, contract);
        MarkRejected(transaction, contract.id);
        contract.state = ContractState::kRejected;
        v1::RejectContractResponse response;
        *response.mutable_contract() = ToProto(name->partner_slug, contract);
        rpc::Audit(transaction, call, "PartnerService/RejectContract", before.name(), &before,
                   &request);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListContractsResponse> PartnerHandlers::ListContracts(
    const rpc::Call& call, const v1::ListContractsRequest& request) {
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::ListContractsResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner,
                                 FindReadable(call, transaction, request.parent()));
        const std::string list = "contracts/" + partner.slug;
        GUILDER_ASSIGN_OR_RETURN(const std::string after,
                                 page_tokens_.Position(list, request.page_token()));
        GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
        v1::ListContractsResponse response;
        FillPage(
            list, page_size,
            partner::ListContracts(transaction, partner.id, ParseInt(after).value_or(0),
                                   page_size + 1),
            [](const Contract& contract) { return std::to_string(contract.number); },
            [&](const Contract& contract) {
              *response.add_contracts() = ToProto(partner.slug, contract);
            },
            response);
        return response;
      },
      call.deadline());
}

}  // namespace guilder::partner
