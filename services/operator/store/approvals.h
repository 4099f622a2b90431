// What waits for somebody else's approval, wherever it was proposed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::operator_ {

struct WaitingApproval {
  std::string name;
  std::string waits_for;  // REVIEW or APPROVAL.
  std::string summary;
  // Who may not give it.
  std::vector<std::string> signed_by;
  std::optional<Timestamp> expires_at;
  // What the approval is bound to; empty where the name alone says which version.
  std::string etag;
  // Of a request: what is to be done, and whether it still waits or may be used.
  std::string change;
  std::string state;
};

// By name, those after `after`, `limit` at most. What nobody may approve any more is not among
// them.
std::vector<WaitingApproval> ListWaitingApprovals(postgres::Transaction& transaction, Timestamp now,
                                                  std::string_view after, int limit);

}  // namespace guilder::operator_
