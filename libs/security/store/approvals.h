// Reads and writes operator.approvals. Each function runs in the caller's transaction, by the
// database's clock.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::security {

// A request that needs a second person.
struct Approval {
  int64_t number = 0;
  // The request's message, its content for people, and the hash that approval and use are bound to.
  std::string request_type;
  std::string change;
  Digest hash{};
  std::string note;
  // WAITING, APPROVED, REJECTED or USED.
  std::string state;
  // Operators' ids.
  std::string requested_by;
  std::string decided_by;
  Timestamp expires_at;
  // Whether its time is over.
  bool expired = false;
};

// How long an approval may wait and be used.
inline constexpr int64_t kApprovalDays = 7;

// Stores it as WAITING; number, state and times are given to it.
Approval InsertApproval(postgres::Transaction& transaction, Approval approval);

// The approval, locked until the end of the transaction; nothing when there is none.
std::optional<Approval> LockApproval(postgres::Transaction& transaction, int64_t number);

// Stores what was decided: APPROVED or REJECTED.
void DecideApproval(postgres::Transaction& transaction, int64_t number, std::string_view state,
                    std::string_view decided_by, std::string_view note);

// Uses one approval of that very request which this operator asked for, if there is one in time:
// it is used when the transaction commits, and only then.
bool UseApproval(postgres::Transaction& transaction, const Digest& hash,
                 std::string_view requested_by);

}  // namespace guilder::security
