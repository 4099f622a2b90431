#include "services/partner/store/credentials.h"

#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

constexpr postgres::Statement kDatabaseClock{"partner.database_clock", R"sql(
  select (extract(epoch from clock_timestamp()) * 1000000)::bigint
)sql"};

constexpr postgres::Statement kInsert{"partner.insert_credential", R"sql(
  insert into partner.credentials
         (credential_id, partner_id, display_name, key_hash, scopes, store_codes, calls_per_second,
          created_at_us, expires_at_us, stated_end_us, certificate_sha256)
  values ($1, $2, $3, $4, $5::text[], $6::text[], $7, $8, $9, $10, $11)
      on conflict (certificate_sha256) where revoked_at_us is null do nothing
  returning credential_id
)sql"};

constexpr postgres::Statement kList{"partner.list_credentials", R"sql(
  select c.credential_id, c.display_name, c.created_at_us, c.expires_at_us, c.revoked_at_us,
         array_to_string(c.scopes, ','), array_to_string(c.store_codes, ','), c.calls_per_second,
         u.last_used_at_us, c.certificate_sha256, c.stated_end_us
    from partner.credentials c
    left join partner.credential_uses u using (credential_id)
   where c.partner_id = $1
     and c.credential_id > $2
   order by c.credential_id
   limit $3
)sql"};

constexpr postgres::Statement kLock{"partner.lock_credential", R"sql(
  select c.credential_id, c.display_name, c.created_at_us, c.expires_at_us, c.revoked_at_us,
         array_to_string(c.scopes, ','), array_to_string(c.store_codes, ','), c.calls_per_second,
         u.last_used_at_us, c.certificate_sha256, c.stated_end_us
    from partner.credentials c
    left join partner.credential_uses u using (credential_id)
   where c.partner_id = $1
     and c.credential_id = $2
     for update of c
)sql"};

constexpr postgres::Statement kRevoke{"partner.revoke_credential", R"sql(
  update partner.credentials
     set revoked_at_us = coalesce(revoked_at_us, $2)
   where credential_id = $1
)sql"};

constexpr postgres::Statement kSetExpiry{"partner.set_credential_expiry", R"sql(
  update partner.credentials set expires_at_us = $2 where credential_id = $1
)sql"};

std::vector<std::string> NamesOf(security::Scopes scopes) {
  std::vector<std::string> names;
  for (int i = 0; i < security::kScopeCount; ++i) {
    const auto scope = static_cast<security::Scope>(i);
    if (scopes.Has(scope)) names.emplace_back(ScopeName(scope));
  }
  return names;
}

Credential FromRow(const postgres::Row& row) {
  Credential credential;
  credential.id = row.Text(0);
  credential.display_name = row.Text(1);
  credential.created_at = row.Id<Timestamp>(2);
  credential.expires_at = row.OptionalId<Timestamp>(3);
  credential.revoked_at = row.OptionalId<Timestamp>(4);
  credential.scopes = {};
  for (const auto name : absl::StrSplit(ToAbsl(row.Text(5)), ',', absl::SkipEmpty())) {
    if (const auto scope = security::ScopeFromName({name.data(), name.size()})) {
      credential.scopes.Add(*scope);
    }
  }
  if (credential.scopes.empty()) credential.scopes = security::kUsualScopes;
  credential.stores = absl::StrSplit(ToAbsl(row.Text(6)), ',', absl::SkipEmpty());
  credential.calls_per_second = static_cast<int32_t>(row.Int(7));
  credential.last_used_at = row.OptionalId<Timestamp>(8);
  if (!row.IsNull(9)) credential.certificate = row.Digest(9);
  credential.stated_end = row.OptionalId<Timestamp>(10);
  return credential;
}

}  // namespace

Timestamp ReadDatabaseClock(postgres::Transaction& transaction) {
  return transaction.Execute(kDatabaseClock)[0].Id<Timestamp>(0);
}

absl::Status InsertCredential(postgres::Transaction& transaction, PartnerId partner,
                              const Credential& credential, const Digest& key_hash) {
  postgres::Params params = postgres::Params()
                                .Text(credential.id)
                                .Int(partner)
                                .Text(credential.display_name)
                                .Bytes(key_hash)
                                .TextArray(NamesOf(credential.scopes))
                                .TextArray(credential.stores)
                                .Int(credential.calls_per_second)
                                .Int(credential.created_at)
                                .Int(credential.expires_at)
                                .Int(credential.stated_end);
  if (credential.certificate) {
    params.Bytes(*credential.certificate);
  } else {
    params.Null();
  }
  if (!transaction.Execute(kInsert, params).empty()) return absl::OkStatus();
  return Refuse(Reason::kAlreadyExists, "the certificate is a credential already");
}

std::vector<Credential> ListCredentials(postgres::Transaction& transaction, PartnerId partner,
                                        std::string_view after, int limit) {
  std::vector<Credential> credentials;
  for (const postgres::Row row :
       transaction.Execute(kList, postgres::Params().Int(partner).Text(after).Int(limit))) {
    credentials.push_back(FromRow(row));
  }
  return credentials;
}

absl::StatusOr<Credential> LockCredential(postgres::Transaction& transaction, PartnerId partner,
                                          std::string_view id) {
  const postgres::Rows rows = transaction.Execute(kLock, postgres::Params().Int(partner).Text(id));
  if (rows.empty()) return Refuse(Reason::kCredentialNotFound);
  return FromRow(rows[0]);
}

void SetExpiry(postgres::Transaction& transaction, std::string_view id, Timestamp expires_at) {
  transaction.Execute(kSetExpiry, postgres::Params().Text(id).Int(expires_at));
}

void RevokeCredential(postgres::Transaction& transaction, std::string_view id, Timestamp now) {
  transaction.Execute(kRevoke, postgres::Params().Text(id).Int(now));
}

}  // namespace guilder::partner
