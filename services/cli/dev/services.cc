#include "services/cli/dev/services.h"

#include "libs/base/status_macros.h"
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
  auto& [dsn, runtime, pool, secrets, lanes, cards] = shared;
  GUILDER_ASSIGN_OR_RETURN(auto partners, partner::MakePartnerService({runtime, pool, secrets}));
  GUILDER_ASSIGN_OR_RETURN(auto rules, accrual::MakeRuleService({runtime, pool, secrets}));
  GUILDER_ASSIGN_OR_RETURN(auto operators,
                           operator_::MakeOperatorService({runtime, pool, secrets}));
  return std::vector<ServerPlan>{
      {"partner", 7401, {{partner::kPartnerServiceName, std::move(partners)}}},
      {"accrual",
       7402,
       {{accrual::kAccrualServiceName,
         accrual::MakeAccrualService({runtime, pool, lanes, cards, secrets})},
        {accrual::kRuleServiceName, std::move(rules)}}},
      {"member",
       7403,
       {{member::kMemberServiceName, member::MakeMemberService({runtime, pool, lanes, secrets})},
        {member::kPointsServiceName, member::MakePointsService({runtime, pool, lanes, secrets})},
        {member::kStandingServiceName,
         member::MakeStandingService({runtime, pool, lanes, secrets})},
        {member::kPersonServiceName, member::MakePersonService({runtime, pool, lanes, secrets})},
        {member::kImportServiceName, member::MakeImportService({runtime, pool, lanes, secrets})},
        {member::kDocumentServiceName,
         member::MakeDocumentService({runtime, pool, lanes, secrets})},
        {member::kCardServiceName, member::MakeCardService({runtime, pool, lanes, secrets})}}},
      {"redemption",
       7404,
       {{redemption::kRedemptionServiceName,
         redemption::MakeRedemptionService({runtime, pool, lanes, cards, secrets})},
        {redemption::kSpendingServiceName,
         redemption::MakeSpendingService({runtime, pool, lanes, secrets})},
        {redemption::kCatalogServiceName,
         redemption::MakeCatalogService({runtime, pool, lanes, secrets})}}},
      {"settlement",
       7405,
       {{settlement::kSettlementServiceName,
         settlement::MakeSettlementService({runtime, pool, secrets})}}},
      {"operator", 7406, {{operator_::kOperatorServiceName, std::move(operators)}}},
  };
}

}  // namespace guilder::cli::dev
