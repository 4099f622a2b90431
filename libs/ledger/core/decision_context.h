// What a decider may know besides the account.
#pragma once

#include <algorithm>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"

namespace guilder::ledger {

// The card that a command names, as it is now.
struct CardView {
  bool found = false;
  bool blocked = false;
  AccountId account;
};

struct DecisionContext {
  const Configuration& configuration;
  CardView card;
  // Whether the command's account exists. False for one that the command opens; its id is that of
  // the posting's account.
  bool account_found = false;
  // The limits of which all books together have less left than the command asked for when it was
  // decided without knowing that. A decider that declares no policy may leave it unread: what still
  // asks for too much is refused.
  std::vector<LimitId> exhausted{};

  bool IsExhausted(LimitId limit) const {
    return limit && std::find(exhausted.begin(), exhausted.end(), limit) != exhausted.end();
  }
};

}  // namespace guilder::ledger
