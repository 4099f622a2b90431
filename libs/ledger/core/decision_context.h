// What a decider may know besides the account.
#pragma once

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
};

}  // namespace guilder::ledger
