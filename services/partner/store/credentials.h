// Reads and writes partner.credentials. Each function runs in the caller's transaction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/partner/domain/credential.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// The database's clock.
Timestamp ReadDatabaseClock(postgres::Transaction& transaction);

// Error: ALREADY_EXISTS, its certificate is a credential that was not revoked.
absl::Status InsertCredential(postgres::Transaction& transaction, PartnerId partner,
                              const Credential& credential, const Digest& key_hash);

// The credential, locked until the end of the transaction. Error: CREDENTIAL_NOT_FOUND, also when
// there is no such partner.
absl::StatusOr<Credential> LockCredential(postgres::Transaction& transaction, PartnerId partner,
                                          std::string_view id);
void SetExpiry(postgres::Transaction& transaction, std::string_view id, Timestamp expires_at);

// By id, those after `after`.
std::vector<Credential> ListCredentials(postgres::Transaction& transaction, PartnerId partner,
                                        std::string_view after, int limit);

// Revokes it, if that was not done before.
void RevokeCredential(postgres::Transaction& transaction, std::string_view id, Timestamp now);

}  // namespace guilder::partner
