// What a member brings over from another programme.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/restriction.h"

namespace guilder::member {

struct OpeningLot {
  std::string issuer;  // "freshmart"
  int contract = 0;    // the version's number; 0 for none named
  bool billed = false;
  Points points;
  std::optional<Timestamp> activates_at;
  Timestamp expires_at = kNever;
  // As its contract says where it is not stated.
  std::optional<ledger::Restriction> spent_only{};
};

// Which version of the issuer's issuance contract prices a lot: the one that it names; where it is
// billed, the one in force; otherwise the latest one with a rate of zero. nullptr when there is
// none.
const ledger::Contract* ContractOf(const ledger::Configuration& configuration,
                                   const OpeningLot& lot, Timestamp now);

// Gives the lots, each with its issuer and expiry. Gives all their points.
//
// Refuses: kPartnerNotFound; kContractNotFound, a version is named that there is not; kNoContract;
// kRequestMalformed, a lot has expired; kAmountOutOfRange.
absl::StatusOr<Points> DecideOpening(const ledger::Configuration& configuration,
                                     const std::vector<OpeningLot>& lots, ledger::Posting& posting);

}  // namespace guilder::member
