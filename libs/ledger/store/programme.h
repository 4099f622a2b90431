// What every writer of configuration needs of the programme: its clock, and the version to
// increment.
//
// Each function runs in the caller's transaction.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

struct ProgrammeFacts {
  ProgrammeId id;
  Currency currency{};
  // In a live programme nothing takes effect before its approval.
  bool live = true;
};

// The programme of this database; FAILED_PRECONDITION, saying so, when it was not set up.
absl::StatusOr<ProgrammeFacts> ReadProgramme(postgres::Transaction& transaction);

// The database's clock plus the programme's offset.
Timestamp ReadProgrammeClock(postgres::Transaction& transaction, ProgrammeId programme);

// Says that configuration changed: every lane loads it anew before its next batch. Locks the
// version's row until the commit, so it comes last in a transaction.
void IncrementConfigurationVersion(postgres::Transaction& transaction, ProgrammeId programme);

}  // namespace guilder::ledger
