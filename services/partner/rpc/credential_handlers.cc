#include <optional>

#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/proto_time.h"
#include "services/partner/domain/names.h"
#include "services/partner/rpc/partner_handlers.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/credentials.h"
#include "services/partner/store/partners.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

constexpr size_t kCredentialIdBytes = 8;

absl::Status BadExpiry() {
  return Refuse(Reason::kRequestMalformed, "expire_time is not in the future",
                {{"field", "expire_time"}});
}

}  // namespace

absl::StatusOr<v1::IssueCredentialResponse> PartnerHandlers::IssueCredential(
    const rpc::Call& call, const v1::IssueCredentialRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckRequiredText("display_name", request.display_name()));
  Credential credential;
  credential.id = security::RandomHex(kCredentialIdBytes);
  credential.display_name = request.display_name();
  if (request.has_expire_time()) {
    credential.expires_at = rpc::FromProto(request.expire_time());
    if (!credential.expires_at) return BadExpiry();
  }
  const std::string key = security::GenerateKey(security::KeyKind::kPartner, credential.id);
  const auto parent = rpc::ParseName(kPartnerName, request.parent());
  const std::string slug = parent ? parent->front() : std::string();
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        credential.created_at = ReadDatabaseClock(transaction);
        if (credential.expires_at && *credential.expires_at <= credential.created_at) {
          return BadExpiry();
        }
        GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
        GUILDER_RETURN_IF_ERROR(CheckMayHoldKeys(partner));
        InsertCredential(transaction, partner.id, credential, key_hasher_.Hash(key));
        return absl::OkStatus();
      },
      call.deadline()));
  v1::IssueCredentialResponse response;
  *response.mutable_credential() = ToProto(slug, credential);
  response.set_api_key(key);
  return response;
}

absl::StatusOr<v1::ListCredentialsResponse> PartnerHandlers::ListCredentials(
    const rpc::Call& call, const v1::ListCredentialsRequest& request) {
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::ListCredentialsResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner,
                                 FindReadable(call, transaction, request.parent()));
        const std::string list = "credentials/" + partner.slug;
        GUILDER_ASSIGN_OR_RETURN(const std::string after,
                                 page_tokens_.Position(list, request.page_token()));
        GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
        v1::ListCredentialsResponse response;
        FillPage(
            list, page_size,
            partner::ListCredentials(transaction, partner.id, after, page_size + 1),
            [](const Credential& credential) { return credential.id; },
            [&](const Credential& credential) {
              *response.add_credentials() = ToProto(partner.slug, credential);
            },
            response);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::RevokeCredentialResponse> PartnerHandlers::RevokeCredential(
    const rpc::Call& call, const v1::RevokeCredentialRequest& request) {
  const auto parts = rpc::ParseName(kCredentialName, request.name());
  if (!parts) return Refuse(Reason::kCredentialNotFound);
  GUILDER_ASSIGN_OR_RETURN(const Credential revoked, pool_.Run(
                                                         [&](Transaction& transaction) {
                                                           return partner::RevokeCredential(
                                                               transaction, (*parts)[0],
                                                               (*parts)[1],
                                                               ReadDatabaseClock(transaction));
                                                         },
                                                         call.deadline()));
  v1::RevokeCredentialResponse response;
  *response.mutable_credential() = ToProto((*parts)[0], revoked);
  return response;
}

}  // namespace guilder::partner
