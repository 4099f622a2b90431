// Expired points that are given back, lot by lot.
#pragma once

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/posting.h"

namespace guilder::member {

struct ReinstatementTerms {
  // Of lots that ended in [from, until).
  Timestamp from;
  Timestamp until;
  // Only those of this partner; none for all.
  PartnerId issuer;
  // They live to the end of that day from today on.
  int life_days = 0;
};

// Gives back what had expired: each lot comes back as one of the same issuer and contract, so
// nobody is billed again, and the breakage is the programme's loss. Gives the points; a second time
// there are none.
Points DecideReinstatement(const ledger::Configuration& configuration,
                           const ReinstatementTerms& terms, ledger::Posting& posting);

}  // namespace guilder::member
