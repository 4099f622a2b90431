#include "services/cli/bench/world.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/demo/parallel.h"
#include "services/cli/demo/plan.h"
#include "services/cli/onboarding/onboarding.h"

namespace guilder::cli::bench {
namespace {

constexpr size_t kThreads = 8;
// The demonstration's partners lend their contracts.
constexpr size_t kPlans = 16;
// The block of the prepaid shop: more than a run can give.
constexpr int64_t kPrepaidPoints = 100'000'000'000;

PartnerPlan ShopPlan(size_t shop) {
  PartnerPlan plan = demo::PlanOf(shop % kPlans);
  plan.id = absl::StrFormat("shop-%02d", shop + 1);
  plan.display_name = absl::StrCat("Shop ", shop + 1);
  plan.legal_name = absl::StrCat(plan.display_name, " GmbH");
  plan.registration_number = absl::StrCat("HRB ", 700'000 + shop);
  plan.tax_id = MadeUpGermanTaxId(static_cast<int64_t>(70'000'000 + shop));
  plan.stores = {"main"};
  plan.terminals = {"till-1"};
  plan.issuance->activation_days = 0;
  plan.issuance->prepaid_points = shop == kPrepaidShop ? kPrepaidPoints : 0;
  return plan;
}

}  // namespace

absl::StatusOr<std::vector<Shop>> OnboardShops(const Network& network, const Profile& profile) {
  Terms terms;
  terms.currency = demo::kCurrency;
  terms.time_zone = demo::kTimeZone;
  terms.effective_from = FromAbslTime(absl::Now() - absl::Hours(24));
  GUILDER_RETURN_IF_ERROR(Onboard(network, demo::PlanOfOperator(), terms));
  std::vector<Shop> shops(profile.partners);
  std::vector<EarnPlan> rules(profile.partners);
  GUILDER_RETURN_IF_ERROR(demo::InParallel(shops.size(), kThreads, [&](size_t i) -> absl::Status {
    const PartnerPlan plan = ShopPlan(i);
    GUILDER_RETURN_IF_ERROR(Onboard(network, plan, terms));
    rules[i].partner_id = plan.id;
    GUILDER_ASSIGN_OR_RETURN(const std::string key, IssueKey(network, plan.id));
    shops[i] = {absl::StrCat("partners/", plan.id, "/stores/main"), absl::StrCat("Bearer ", key)};
    return absl::OkStatus();
  }));
  GUILDER_RETURN_IF_ERROR(PutRulesInForce(network, rules, "not-goods", terms.effective_from));
  return shops;
}

}  // namespace guilder::cli::bench
