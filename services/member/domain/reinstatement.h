// Expired points that are given back, lot by lot.
#pragma once

#include "absl/status/statusor.h"

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
  // Who bears it.
  PartnerId payer;
};

// Gives back what had expired, and not what was forfeited: each lot comes back as one of the same
// issuer and contract, so its issuer is not billed again, and the breakage is the programme's loss.
// A payer that is not the operator-partner makes good for it: it issues as many points of its own,
// which are billed like any, and forfeited at once. Gives the points; a second time there are none.
//
// Refuses: kPartnerNotActive, kNoContract, of that payer.
absl::StatusOr<Points> DecideReinstatement(const ledger::Configuration& configuration,
                                           const ReinstatementTerms& terms,
                                           ledger::Posting& posting);

}  // namespace guilder::member
