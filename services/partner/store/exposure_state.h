// Reads and writes partner.exposure_policies and partner.exposure_states, and reads what the
// exposure is made of. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/partner/domain/exposure_policy.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// The usual one when none was set.
ExposurePolicy ReadExposurePolicy(postgres::Transaction& transaction, PartnerId partner);
void StoreExposurePolicy(postgres::Transaction& transaction, PartnerId partner,
                         const ExposurePolicy& policy);

// Slugs of the partners that have one, or blocks of points that end or are reserves, or that end
// because their partner leaves.
std::vector<std::string> PartnersToBeKept(postgres::Transaction& transaction);

struct ExposureState {
  ExposureStage stage = ExposureStage::kNormal;
  std::optional<Timestamp> since;
  // Whether people were told that its reserve of points is being used.
  bool reserve_begun = false;
};
ExposureState ReadExposureState(postgres::Transaction& transaction, PartnerId partner);
void StoreExposureState(postgres::Transaction& transaction, PartnerId partner,
                        const ExposureState& state);

// Everything of the figures but the unbilled issuance, which exposure.h reads.
//
// Outstanding points are those of sealed windows, with what was issued since; what was spent since
// the last seal is not subtracted yet, so the figure is rather too high than too low.
ExposureFigures ReadOtherFigures(postgres::Transaction& transaction, PartnerId partner,
                                 ProgrammeId programme);

}  // namespace guilder::partner
