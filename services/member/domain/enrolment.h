// What a new member is given.
#pragma once

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"

namespace guilder::member {

// Gives the programme's welcome gift to a new account, at the operator-partner's expense. Gives its
// points: none when the programme has no gift, or no operator-partner that is active, has an
// issuance contract, and has enough points left where those are prepaid.
//
// The gift is available at once, unless the contract makes points wait; it needs no confirmation.
absl::StatusOr<Points> DecideWelcomeGift(const ledger::DecisionContext& context,
                                         ledger::Posting& posting);

// Lets everything expire that is free, pending or not, because the owner of a card did not enrol in
// time: breakage of its issuers. The account stays open. Gives the points.
Points DecideLapse(ledger::Posting& posting);

}  // namespace guilder::member
