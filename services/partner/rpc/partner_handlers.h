// Answers the calls of guilder.partner.v1.PartnerService: translates, asks domain and store,
// translates.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "guilder/partner/v1/partner_service.pb.h"

#include "libs/base/reason.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "libs/security/keys.h"
#include "services/partner/domain/credential.h"
#include "services/partner/domain/partner.h"

namespace guilder::security {
class Secrets;
}

namespace guilder::partner {

inline constexpr char kPartnerName[] = "partners/{}";
inline constexpr char kStoreName[] = "partners/{}/stores/{}";
inline constexpr char kTerminalName[] = "partners/{}/stores/{}/terminals/{}";
inline constexpr char kContractName[] = "partners/{}/contracts/{}";
inline constexpr char kPointBlockName[] = "partners/{}/pointBlocks/{}";
inline constexpr char kCredentialName[] = "partners/{}/credentials/{}";

// Thread safe. Handlers block on the database: they run on the runtime's workers.
class PartnerHandlers {
 public:
  // The pool outlives the handlers.
  PartnerHandlers(postgres::Pool& pool, const security::Secrets& secrets,
                  const ledger::ProgrammeFacts& programme);

  // partner_handlers.cc: the partner and its life.
  absl::StatusOr<v1::CreatePartnerResponse> CreatePartner(const rpc::Call& call,
                                                          const v1::CreatePartnerRequest& request);
  absl::StatusOr<v1::GetPartnerResponse> GetPartner(const rpc::Call& call,
                                                    const v1::GetPartnerRequest& request);
  absl::StatusOr<v1::ListPartnersResponse> ListPartners(const rpc::Call& call,
                                                        const v1::ListPartnersRequest& request);
  absl::StatusOr<v1::UpdatePartnerResponse> UpdatePartner(const rpc::Call& call,
                                                          const v1::UpdatePartnerRequest& request);
  absl::StatusOr<v1::SubmitPartnerResponse> SubmitPartner(const rpc::Call& call,
                                                          const v1::SubmitPartnerRequest& request);
  absl::StatusOr<v1::ReviewPartnerResponse> ReviewPartner(const rpc::Call& call,
                                                          const v1::ReviewPartnerRequest& request);
  absl::StatusOr<v1::ApprovePartnerResponse> ApprovePartner(
      const rpc::Call& call, const v1::ApprovePartnerRequest& request);
  absl::StatusOr<v1::RejectPartnerResponse> RejectPartner(const rpc::Call& call,
                                                          const v1::RejectPartnerRequest& request);
  absl::StatusOr<v1::AttachDocumentResponse> AttachDocument(
      const rpc::Call& call, const v1::AttachDocumentRequest& request);
  absl::StatusOr<v1::SuspendPartnerResponse> SuspendPartner(
      const rpc::Call& call, const v1::SuspendPartnerRequest& request);
  absl::StatusOr<v1::ReinstatePartnerResponse> ReinstatePartner(
      const rpc::Call& call, const v1::ReinstatePartnerRequest& request);
  absl::StatusOr<v1::TerminatePartnerResponse> TerminatePartner(
      const rpc::Call& call, const v1::TerminatePartnerRequest& request);

  // store_handlers.cc: stores and terminals.
  absl::StatusOr<v1::CreateStoreResponse> CreateStore(const rpc::Call& call,
                                                      const v1::CreateStoreRequest& request);
  absl::StatusOr<v1::ListStoresResponse> ListStores(const rpc::Call& call,
                                                    const v1::ListStoresRequest& request);
  absl::StatusOr<v1::UpdateStoreResponse> UpdateStore(const rpc::Call& call,
                                                      const v1::UpdateStoreRequest& request);
  absl::StatusOr<v1::RegisterTerminalResponse> RegisterTerminal(
      const rpc::Call& call, const v1::RegisterTerminalRequest& request);

  // contract_handlers.cc: contract versions.
  absl::StatusOr<v1::ProposeContractResponse> ProposeContract(
      const rpc::Call& call, const v1::ProposeContractRequest& request);
  absl::StatusOr<v1::ApproveContractResponse> ApproveContract(
      const rpc::Call& call, const v1::ApproveContractRequest& request);
  absl::StatusOr<v1::RejectContractResponse> RejectContract(
      const rpc::Call& call, const v1::RejectContractRequest& request);
  absl::StatusOr<v1::ListContractsResponse> ListContracts(const rpc::Call& call,
                                                          const v1::ListContractsRequest& request);

  // exit_handler.cc: what leaving would take.
  absl::StatusOr<v1::PlanExitResponse> PlanExit(const rpc::Call& call,
                                                const v1::PlanExitRequest& request);

  // exposure_handlers.cc: what a partner bought in advance, and what it may still issue.
  absl::StatusOr<v1::BuyPointBlockResponse> BuyPointBlock(const rpc::Call& call,
                                                          const v1::BuyPointBlockRequest& request);
  absl::StatusOr<v1::GetExposureResponse> GetExposure(const rpc::Call& call,
                                                      const v1::GetExposureRequest& request);

  absl::StatusOr<v1::UpdateExposurePolicyResponse> UpdateExposurePolicy(
      const rpc::Call& call, const v1::UpdateExposurePolicyRequest& request);

  // credential_handlers.cc: API keys.
  absl::StatusOr<v1::IssueCredentialResponse> IssueCredential(
      const rpc::Call& call, const v1::IssueCredentialRequest& request);
  absl::StatusOr<v1::ListCredentialsResponse> ListCredentials(
      const rpc::Call& call, const v1::ListCredentialsRequest& request);
  absl::StatusOr<v1::RevokeCredentialResponse> RevokeCredential(
      const rpc::Call& call, const v1::RevokeCredentialRequest& request);
  absl::StatusOr<v1::RotateCredentialResponse> RotateCredential(
      const rpc::Call& call, const v1::RotateCredentialRequest& request);

 private:
  struct OwnedCredential {
    Partner partner;
    Credential credential;
  };
  // Locks both. Error: CREDENTIAL_NOT_FOUND, also for one that is not the caller's.
  absl::StatusOr<OwnedCredential> LockNamedCredential(const rpc::Call& call,
                                                      postgres::Transaction& transaction,
                                                      const std::string& name);

  // Locks the partner, changes it at the programme's time, and stores and notes what came of it.
  using Change = absl::FunctionRef<absl::StatusOr<Partner>(postgres::Transaction&,
                                                           const Partner& before, Timestamp now)>;
  absl::StatusOr<Partner> ChangeNamed(const rpc::Call& call, std::string_view action,
                                      const std::string& name, Change change);
  absl::StatusOr<Partner> TakeNamedStep(const rpc::Call& call, std::string_view action, Step step,
                                        const std::string& name);
  Partner StoreChanged(const rpc::Call& call, postgres::Transaction& transaction,
                       std::string_view action, const Partner& before, const Partner& after);

  // The partner that a caller names and reads. Errors: PARTNER_NOT_FOUND, NOT_YOURS.
  absl::StatusOr<Partner> FindReadable(const rpc::Call& call, postgres::Transaction& transaction,
                                       std::string_view name) const;

  // Adds the items of a page. `items` holds one more than the page when there is a next page, which
  // starts after `position(last item)`.
  template <typename Item, typename Position, typename Add, typename Response>
  void FillPage(const std::string& list, int page_size, const std::vector<Item>& items,
                Position position, Add add, Response& response) const {
    const size_t count = std::min(items.size(), static_cast<size_t>(page_size));
    for (size_t i = 0; i < count; ++i) add(items[i]);
    if (count == items.size()) return;
    response.set_next_page_token(page_tokens_.Make(list, position(items[count - 1])));
  }

  postgres::Pool& pool_;
  const ledger::ProgrammeFacts programme_;
  const security::KeyHasher key_hasher_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::partner
