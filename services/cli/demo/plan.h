// What the demonstration's partners have agreed with the programme, and what their customers earn.
#pragma once

#include <string>
#include <vector>

#include "services/cli/onboarding/onboarding.h"

namespace guilder::cli::demo {

// The partner that pays for welcome gifts.
inline constexpr char kOperatorPartner[] = "guilder";
// What a new member gets.
inline constexpr int64_t kWelcomePoints = 50;
inline constexpr char kTimeZone[] = "Europe/Berlin";
inline constexpr char kCurrency[] = "EUR";

// The plan of the partner at that place of DemoPartners(), without stores.
PartnerPlan PlanOf(size_t partner);
PartnerPlan PlanOfOperator();
EarnPlan EarnPlanOf(size_t partner);

}  // namespace guilder::cli::demo
