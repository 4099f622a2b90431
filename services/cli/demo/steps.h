// Cuts the tills' work into weeks of the programme's clock.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/cli/demo/purchases.h"

namespace guilder::cli::demo {

struct Step {
  Timestamp end;                      // All of it happened before.
  std::vector<size_t> members;        // Who come for the first time.
  std::vector<size_t> first_partner;  // Of each of them: where.
  std::vector<size_t> receipts;       // In TillWork, by time.
  std::vector<size_t> returns;
};

// The local midnight that begins the month of the first purchase.
Timestamp ProgrammeStart(const TillWork& work, const absl::TimeZone& zone);

// A step for each seven days, the last one up to the midnight that begins `today`.
std::vector<Step> CutIntoSteps(const TillWork& work, absl::CivilDay today,
                               const absl::TimeZone& zone);

// Every `share`-th member and what belongs to them, and as many of the receipts without a card.
TillWork TakeShare(TillWork work, int share);

}  // namespace guilder::cli::demo
