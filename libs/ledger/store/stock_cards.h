// Cards that are shown before anybody enrolled with them.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"

namespace guilder::ledger {

class Lanes;

// Gives a card of a printed batch its account when it is first shown, whichever service it is shown
// to, and gives the account. Its record has a request id that follows from the card, so that it is
// opened once, however many tills show the card at once.
//
// Waits for its lane, so it is not called on one. Thread safe. Errors: kCardNotFound, it is of no
// batch; kCardBlocked; kAlreadyExists, it was given to a member meanwhile; those of Lanes::Submit.
absl::StatusOr<AccountId> OpenStockCard(Lanes& lanes, CardNumber card, absl::Time deadline);

}  // namespace guilder::ledger
