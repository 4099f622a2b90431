// The programme's policy of redemptions, and what members prove themselves with, outside of lanes.
#pragma once

#include <optional>
#include <string>

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::redemption {

struct StoredPolicy {
  ledger::RedemptionPolicy policy;
  std::string set_by;
  Timestamp set_at;
  int64_t late_spend_seconds = 0;
};

// The version in force; nothing before the first. Locks nothing.
std::optional<StoredPolicy> ReadPolicy(postgres::Transaction& tx, ProgrammeId programme);
// Gives false when that version exists: somebody else was first.
bool InsertPolicy(postgres::Transaction& tx, ProgrammeId programme, const StoredPolicy& policy);

bool AccountExists(postgres::Transaction& tx, AccountId account);
// An empty hash takes the PIN away.
void WritePin(postgres::Transaction& tx, AccountId account, const std::string& hash, Timestamp now);
void WriteCode(postgres::Transaction& tx, AccountId account, const Digest& hash,
               Timestamp expires_at);
// Gives false when it was not locked.
bool Unlock(postgres::Transaction& tx, AccountId account);

}  // namespace guilder::redemption
