// Moves members' keys from one epoch to the next.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "services/member/domain/vault.h"

namespace guilder::postgres {
class Pool;
}

namespace guilder::member {

struct Rotation {
  int64_t epoch = 0;
  int64_t members = 0;
  // Whose key was sealed in an epoch that was dropped before, as in a backup that was restored.
  int64_t unreadable = 0;
};

// Begins an epoch, seals every member's key in it and indexes everybody anew, and drops all other
// epochs from the ring. Forgets those whose epoch is not in the ring: nothing of them opens.
// Members are moved some at a time, while others write and read; a run that was interrupted is
// finished by the next one. Those who call at once come one after the other.
//
// Errors: kWrongState, the ring cannot be written; kStoreUnavailable; INTERNAL, somebody's key does
// not open: no epoch is dropped then.
absl::StatusOr<Rotation> RotateKeys(postgres::Pool& pool, const Vault& vault, absl::Time deadline);

}  // namespace guilder::member
