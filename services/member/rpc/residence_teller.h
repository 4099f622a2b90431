// Tells the ledger of which members' points nothing expires by time.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "services/member/domain/vault.h"
#include "services/member/store/residences.h"

namespace guilder::member {

// Thread safe. Blocks on the database and on lanes. What it is given outlives it, and it outlives
// the lanes' work.
class ResidenceTeller {
 public:
  ResidenceTeller(postgres::Pool& pool, ledger::Lanes& lanes, const Vault& vault)
      : pool_(pool), lanes_(lanes), rows_(vault) {}

  // Of one account, if there is anything to tell.
  absl::Status Tell(AccountId account, absl::Time deadline);
  // Of all accounts, until `deadline`. Whether all were told.
  absl::StatusOr<bool> TellAll(absl::Time deadline);

 private:
  // Gives how many were found.
  absl::StatusOr<int> TellSome(AccountId account, int limit, absl::Time deadline);

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  SparingRows rows_;
};

}  // namespace guilder::member
