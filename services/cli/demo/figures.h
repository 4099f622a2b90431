// Each partner's figures over all settlements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/cli/demo/report.h"
#include "services/cli/onboarding/onboarding.h"

namespace guilder::cli::demo {

struct PartnerFigures {
  PartnerPlan plan;
  std::optional<EarnPlan> earn;  // Not of the operator-partner.
  PartnerInsights insights;
  int64_t points_issued = 0;
  int64_t points_reversed = 0;
  int64_t points_redeemed = 0;
  int64_t issuance_minor_units = 0;
  int64_t point_blocks_minor_units = 0;  // Paid in advance, for points to come.
  int64_t reimbursement_minor_units = 0;
  int64_t fee_minor_units = 0;
  int64_t tax_minor_units = 0;
  int64_t net_minor_units = 0;
};

// The partners as in DemoPartners(), and last the operator-partner.
std::vector<PartnerFigures> FiguresOf(const Results& results);

int64_t OperatorNet(const Settled& settled);

}  // namespace guilder::cli::demo
