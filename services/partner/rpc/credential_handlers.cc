#include <algorithm>
#include <optional>

#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/partner/domain/names.h"
#include "services/partner/rpc/partner_handlers.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/credentials.h"
#include "services/partner/store/partners.h"
#include "services/partner/store/stores.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

constexpr size_t kCredentialIdBytes = 8;

absl::Status BadExpiry() {
  return Refuse(Reason::kRequestMalformed, "expire_time is not in the future",
                {{"field", "expire_time"}});
}

// The codes of the named stores, sorted, each once. Error: REQUEST_MALFORMED.
absl::StatusOr<std::vector<std::string>> StoresOf(const v1::IssueCredentialRequest& request,
                                                  const std::string& slug) {
  std::vector<std::string> codes;
  for (const std::string& name : request.stores()) {
    const auto parts = rpc::ParseName(kStoreName, name);
    if (!parts || (*parts)[0] != slug) {
      return Refuse(Reason::kRequestMalformed, "a store is not one of this partner",
                    {{"field", "stores"}});
    }
    codes.push_back((*parts)[1]);
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

// What is asked for, without id and times. Error: REQUEST_MALFORMED.
absl::StatusOr<Credential> CredentialFromProto(const v1::IssueCredentialRequest& request,
                                               const std::string& slug) {
  GUILDER_RETURN_IF_ERROR(CheckRequiredText("display_name", request.display_name()));
  Credential credential;
  credential.display_name = request.display_name();
  if (request.has_expire_time()) {
    credential.expires_at = rpc::FromProto(request.expire_time());
    if (!credential.expires_at) return BadExpiry();
  }
  if (request.scopes_size() > 0) credential.scopes = {};
  for (const int scope : request.scopes()) {
    if (scope < v1::CREDENTIAL_SCOPE_POST || scope > v1::CREDENTIAL_SCOPE_ADMIN) {
      return Refuse(Reason::kRequestMalformed, "a scope is not of the list", {{"field", "scopes"}});
    }
    credential.scopes.Add(static_cast<security::Scope>(scope - v1::CREDENTIAL_SCOPE_POST));
  }
  GUILDER_ASSIGN_OR_RETURN(credential.stores, StoresOf(request, slug));
  credential.calls_per_second = request.calls_per_second();
  GUILDER_RETURN_IF_ERROR(CheckCredential(credential));
  return credential;
}

absl::Status CheckStoresExist(Transaction& transaction, const std::string& slug,
                              const std::vector<std::string>& codes) {
  for (const std::string& code : codes) {
    GUILDER_RETURN_IF_ERROR(LockStore(transaction, slug, code).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::IssueCredentialResponse> PartnerHandlers::IssueCredential(
    const rpc::Call& call, const v1::IssueCredentialRequest& request) {
  const auto parent = rpc::ParseName(kPartnerName, request.parent());
  const std::string slug = parent ? parent->front() : std::string();
  GUILDER_ASSIGN_OR_RETURN(Credential credential, CredentialFromProto(request, slug));
  credential.id = security::RandomHex(kCredentialIdBytes);
  credential.stated_end = credential.expires_at;
  const std::string key = security::GenerateKey(security::KeyKind::kPartner, credential.id);
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        credential.created_at = ReadDatabaseClock(transaction);
        if (credential.expires_at && *credential.expires_at <= credential.created_at) {
          return BadExpiry();
        }
        if (!request.client_certificate_pem().empty()) {
          GUILDER_RETURN_IF_ERROR(
              SetCertificate(request.client_certificate_pem(), credential.created_at, credential));
        }
        GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
        GUILDER_RETURN_IF_ERROR(call.CheckActsFor(partner.id));
        GUILDER_RETURN_IF_ERROR(CheckMayGive(call.principal(), credential));
        GUILDER_RETURN_IF_ERROR(CheckMayHoldKeys(partner));
        GUILDER_RETURN_IF_ERROR(CheckStoresExist(transaction, slug, credential.stores));
        GUILDER_RETURN_IF_ERROR(
            InsertCredential(transaction, partner.id, credential, key_hasher_.Hash(key)));
        const v1::Credential after = ToProto(slug, credential);
        rpc::Audit(transaction, call, "PartnerService/IssueCredential", after.name(), nullptr,
                   &after);
        return absl::OkStatus();
      },
      call.deadline()));
  v1::IssueCredentialResponse response;
  *response.mutable_credential() = ToProto(slug, credential);
  // A certificate's credential has a key that nobody is told.
  if (!credential.certificate) response.set_api_key(key);
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

absl::StatusOr<PartnerHandlers::OwnedCredential> PartnerHandlers::LockNamedCredential(
    const rpc::Call& call, Transaction& transaction, const std::string& name) {
  const auto parts = rpc::ParseName(kCredentialName, name);
  if (!parts) return Refuse(Reason::kCredentialNotFound);
  const auto partner = LockPartner(transaction, (*parts)[0]);
  if (!partner.ok() || !call.CheckActsFor(partner->id).ok()) {
    return Refuse(Reason::kCredentialNotFound);
  }
  GUILDER_ASSIGN_OR_RETURN(Credential credential,
                           LockCredential(transaction, partner->id, (*parts)[1]));
  return OwnedCredential{*partner, std::move(credential)};
}

absl::StatusOr<v1::RevokeCredentialResponse> PartnerHandlers::RevokeCredential(
    const rpc::Call& call, const v1::RevokeCredentialRequest& request) {
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<v1::RevokeCredentialResponse> {
        GUILDER_ASSIGN_OR_RETURN(OwnedCredential found,
                                 LockNamedCredential(call, transaction, request.name()));
        Credential& revoked = found.credential;
        if (!revoked.revoked_at) {
          revoked.revoked_at = ReadDatabaseClock(transaction);
          partner::RevokeCredential(transaction, revoked.id, *revoked.revoked_at);
          const v1::Credential after = ToProto(found.partner.slug, revoked);
          rpc::Audit(transaction, call, "PartnerService/RevokeCredential", after.name(), nullptr,
                     &after);
        }
        v1::RevokeCredentialResponse response;
        *response.mutable_credential() = ToProto(found.partner.slug, revoked);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::RotateCredentialResponse> PartnerHandlers::RotateCredential(
    const rpc::Call& call, const v1::RotateCredentialRequest& request) {
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<v1::RotateCredentialResponse> {
        GUILDER_ASSIGN_OR_RETURN(OwnedCredential found,
                                 LockNamedCredential(call, transaction, request.name()));
        GUILDER_ASSIGN_OR_RETURN(
            Credential next,
            Rotate(found.credential, request.overlap_seconds(), ReadDatabaseClock(transaction)));
        const std::string& certificate = request.client_certificate_pem();
        if (certificate.empty() == next.certificate.has_value()) {
          return Refuse(Reason::kRequestMalformed, "a certificate follows a certificate",
                        {{"field", "client_certificate_pem"}});
        }
        if (!certificate.empty()) {
          GUILDER_RETURN_IF_ERROR(SetCertificate(certificate, next.created_at, next));
        }
        GUILDER_RETURN_IF_ERROR(CheckMayGive(call.principal(), next));
        GUILDER_RETURN_IF_ERROR(CheckMayHoldKeys(found.partner));
        next.id = security::RandomHex(kCredentialIdBytes);
        const std::string key = security::GenerateKey(security::KeyKind::kPartner, next.id);
        GUILDER_RETURN_IF_ERROR(
            InsertCredential(transaction, found.partner.id, next, key_hasher_.Hash(key)));
        SetExpiry(transaction, found.credential.id, *found.credential.expires_at);
        v1::RotateCredentialResponse response;
        *response.mutable_credential() = ToProto(found.partner.slug, next);
        *response.mutable_replaced() = ToProto(found.partner.slug, found.credential);
        rpc::Audit(transaction, call, "PartnerService/RotateCredential", response.replaced().name(),
                   &response.replaced(), &response.credential());
        if (!next.certificate) response.set_api_key(key);
        return response;
      },
      call.deadline());
}

}  // namespace guilder::partner
