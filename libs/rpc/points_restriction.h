// Where alone points may be spent, as the API says it.
#pragma once

#include "absl/status/statusor.h"
#include "guilder/type/v1/points_restriction.pb.h"

#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/restriction.h"

namespace guilder::rpc {

inline constexpr int kMostPartnersOfRestriction = 100;

// Errors: kRequestMalformed, for nothing, for both, and for more than kMostPartnersOfRestriction;
// kPartnerNotFound.
absl::StatusOr<ledger::Restriction> FromProto(const type::v1::PointsRestriction& restriction,
                                              const ledger::Configuration& configuration);

// Partners by name. Not to be called for what may be spent anywhere.
type::v1::PointsRestriction ToProto(const ledger::Restriction& restriction,
                                    const ledger::Configuration& configuration);

}  // namespace guilder::rpc
