// What a decider may know besides the account.
#pragma once

#include <algorithm>
#include <optional>
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

// A limit of which all books together have less left than a command asked for.
struct ExhaustedLimit {
  LimitId limit;
  Points left;
};

struct DecisionContext {
  const Configuration& configuration;
  CardView card;
  // Whether the command's account exists. False for one that the command opens; its id is that of
  // the posting's account.
  bool account_found = false;
  // The limits that were found to be exhausted when the command was decided without knowing that. A
  // decider that declares no policy may leave it unread: what still asks for too much is refused.
  std::vector<ExhaustedLimit> exhausted{};

  // What is left of a limit, where it is known to be less than was asked for.
  std::optional<Points> LeftOf(LimitId limit) const {
    const auto found = std::find_if(exhausted.begin(), exhausted.end(),
                                    [limit](const ExhaustedLimit& e) { return e.limit == limit; });
    if (found == exhausted.end()) return std::nullopt;
    return found->left;
  }
  bool IsExhausted(LimitId limit) const { return LeftOf(limit).has_value(); }
};

}  // namespace guilder::ledger
