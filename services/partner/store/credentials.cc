#include "services/partner/store/credentials.h"

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

constexpr postgres::Statement kDatabaseClock{"partner.database_clock", R"sql(
  select (extract(epoch from clock_timestamp()) * 1000000)::bigint
)sql"};

constexpr postgres::Statement kInsert{"partner.insert_credential", R"sql(
  insert into partner.credentials
         (credential_id, partner_id, display_name, key_hash, scopes, created_at_us, expires_at_us)
  values ($1, $2, $3, $4, '{}', $5, $6)
)sql"};

constexpr postgres::Statement kList{"partner.list_credentials", R"sql(
  select credential_id, display_name, created_at_us, expires_at_us, revoked_at_us
    from partner.credentials
   where partner_id = $1
     and credential_id > $2
   order by credential_id
   limit $3
)sql"};

constexpr postgres::Statement kRevoke{"partner.revoke_credential", R"sql(
  update partner.credentials c
     set revoked_at_us = coalesce(c.revoked_at_us, $3)
    from partner.partners p
   where p.partner_id = c.partner_id
     and p.slug = $1
     and c.credential_id = $2
  returning c.credential_id, c.display_name, c.created_at_us, c.expires_at_us, c.revoked_at_us
)sql"};

Credential FromRow(const postgres::Row& row) {
  Credential credential;
  credential.id = row.Text(0);
  credential.display_name = row.Text(1);
  credential.created_at = row.Id<Timestamp>(2);
  credential.expires_at = row.OptionalId<Timestamp>(3);
  credential.revoked_at = row.OptionalId<Timestamp>(4);
  return credential;
}

}  // namespace

Timestamp ReadDatabaseClock(postgres::Transaction& transaction) {
  return transaction.Execute(kDatabaseClock)[0].Id<Timestamp>(0);
}

void InsertCredential(postgres::Transaction& transaction, PartnerId partner,
                      const Credential& credential, const Digest& key_hash) {
  transaction.Execute(kInsert, postgres::Params()
                                   .Text(credential.id)
                                   .Int(partner)
                                   .Text(credential.display_name)
                                   .Bytes(key_hash)
                                   .Int(credential.created_at)
                                   .Int(credential.expires_at));
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

absl::StatusOr<Credential> RevokeCredential(postgres::Transaction& transaction,
                                            std::string_view partner_slug, std::string_view id,
                                            Timestamp now) {
  const postgres::Rows rows =
      transaction.Execute(kRevoke, postgres::Params().Text(partner_slug).Text(id).Int(now));
  if (rows.empty()) return Refuse(Reason::kCredentialNotFound);
  return FromRow(rows[0]);
}

}  // namespace guilder::partner
