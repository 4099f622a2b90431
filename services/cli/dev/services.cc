#include "services/cli/dev/services.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/pool.h"
#include "services/accrual/rpc/accrual_service.h"
#include "services/accrual/rpc/rule_service.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/points_service.h"
#include "services/member/rpc/standing_service.h"
#include "services/operator/rpc/operator_service.h"
#include "services/partner/rpc/partner_service.h"
#include "services/redemption/rpc/catalog_service.h"
#include "services/redemption/rpc/redemption_service.h"
#include "services/redemption/rpc/spending_service.h"
#include "services/settlement/rpc/settlement_service.h"

namespace guilder::cli::dev {

absl::StatusOr<std::vector<ServerPlan>> MakeServices(const Shared& shared) {
  auto& [dsn, runtime, pools, secrets, lanes, cards] = shared;
  const auto pool = [&pools = pools](const char* service) -> postgres::Pool& {
    return *pools.at(service);
  };
  GUILDER_ASSIGN_OR_RETURN(auto partners,
                           partner::MakePartnerService({runtime, pool("partner"), secrets}));
  GUILDER_ASSIGN_OR_RETURN(auto rules,
                           accrual::MakeRuleService({runtime, pool("accrual"), secrets}));
  GUILDER_ASSIGN_OR_RETURN(auto operators,
                           operator_::MakeOperatorService({runtime, pool("operator"), secrets}));
  return std::vector<ServerPlan>{
      {"partner", 7401, {{partner::kPartnerServiceName, std::move(partners)}}},
      {"accrual",
       7402,
       {{accrual::kAccrualServiceName,
         accrual::MakeAccrualService({runtime, pool("accrual"), lanes, cards, secrets})},
        {accrual::kRuleServiceName, std::move(rules)}}},
      {"member",
       7403,
       {{member::kMemberServiceName,
         member::MakeMemberService({runtime, pool("member"), lanes, secrets})},
        {member::kPointsServiceName,
         member::MakePointsService({runtime, pool("member"), lanes, secrets})},
        {member::kStandingServiceName,
         member::MakeStandingService({runtime, pool("member"), lanes, secrets})},
        {member::kPersonServiceName,
         member::MakePersonService({runtime, pool("member"), lanes, secrets})},
        {member::kImportServiceName,
         member::MakeImportService({runtime, pool("member"), lanes, secrets})},
        {member::kDocumentServiceName,
         member::MakeDocumentService({runtime, pool("member"), lanes, secrets})},
        {member::kCardServiceName,
         member::MakeCardService({runtime, pool("member"), lanes, secrets})},
        {member::kNoticeServiceName,
         member::MakeNoticeService({runtime, pool("member"), lanes, secrets})},
        {member::kBonusServiceName,
         member::MakeBonusService({runtime, pool("member"), lanes, secrets})}}},
      {"redemption",
       7404,
       {{redemption::kRedemptionServiceName,
         redemption::MakeRedemptionService({runtime, pool("redemption"), lanes, cards, secrets})},
        {redemption::kSpendingServiceName,
         redemption::MakeSpendingService({runtime, pool("redemption"), lanes, secrets})},
        {redemption::kCatalogServiceName,
         redemption::MakeCatalogService({runtime, pool("redemption"), lanes, secrets})}}},
      {"settlement",
       7405,
       {{settlement::kSettlementServiceName,
         settlement::MakeSettlementService({runtime, pool("settlement"), secrets})}}},
      {"operator", 7406, {{operator_::kOperatorServiceName, std::move(operators)}}},
  };
}

}  // namespace guilder::cli::dev
