#include <set>
#include <string>

#include <google/protobuf/descriptor.h>

#include "guilder/accrual/v1/accrual_service.pb.h"
#include "guilder/accrual/v1/rule_service.pb.h"
#include "guilder/member/v1/member_service.pb.h"
#include "guilder/operator/v1/operator_service.pb.h"
#include "guilder/partner/v1/partner_service.pb.h"
#include "guilder/redemption/v1/redemption_service.pb.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/reason.h"
#include "libs/rpc/permissions.h"
#include "tests/support/catch2.h"

namespace guilder::rpc {
namespace {

using security::Principal;
using security::Role;

std::set<std::string> DeclaredMethods() {
  std::set<std::string> methods;
  for (const google::protobuf::Descriptor* message :
       {accrual::v1::GetPurchaseRequest::descriptor(), accrual::v1::GetRuleSetRequest::descriptor(),
        member::v1::GetMemberRequest::descriptor(), operator_::v1::ExplainRequest::descriptor(),
        partner::v1::GetPartnerRequest::descriptor(),
        redemption::v1::GetRedemptionRequest::descriptor(),
        settlement::v1::GetWindowRequest::descriptor()}) {
    const google::protobuf::FileDescriptor* const file = message->file();
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto* const method = file->service(s)->method(m);
        methods.insert(method->service()->full_name() + "/" + method->name());
      }
    }
  }
  return methods;
}

TEST_CASE("Permissions: every method has one row, and every row a method", "[unit][rpc]") {
  std::set<std::string> rows;
  for (const Permission& permission : AllPermissions()) {
    CHECK(rows.insert(std::string(permission.method)).second);
  }
  rows.erase("grpc.health.v1.Health/Check");
  rows.erase("grpc.health.v1.Health/Watch");
  CHECK(rows == DeclaredMethods());
}

TEST_CASE("Permissions: only health may be asked without credentials", "[unit][rpc]") {
  for (const Permission& permission : AllPermissions()) {
    INFO(permission.method);
    const bool health = permission.method.substr(0, 12) == "grpc.health.";
    CHECK(CheckPermission(permission, Principal()).ok() == health);
    if (!health) {
      CHECK(ReasonOf(CheckPermission(permission, Principal())) == Reason::kCredentialsMissing);
    }
  }
}

TEST_CASE("Permissions: an operator needs one of the method's roles", "[unit][rpc]") {
  const Permission* const approve =
      FindPermission("guilder.partner.v1.PartnerService/ApprovePartner");
  REQUIRE(approve != nullptr);
  const auto allowed = [&](Principal principal) {
    return CheckPermission(*approve, principal).ok();
  };

  CHECK(allowed({.kind = Principal::Kind::kOperator, .roles = {Role::kApprover, Role::kSupport}}));
  CHECK_FALSE(allowed({.kind = Principal::Kind::kOperator, .roles = {Role::kSubmitter}}));
  CHECK_FALSE(allowed({.kind = Principal::Kind::kOperator, .roles = {Role::kAdmin}}));
  CHECK_FALSE(allowed({.kind = Principal::Kind::kPartner, .partner = PartnerId(1)}));
  CHECK(FindPermission("guilder.partner.v1.PartnerService/Nothing") == nullptr);
}

// Four eyes: nobody's single role both proposes and approves.
TEST_CASE("Permissions: no role both proposes and approves", "[unit][rpc]") {
  const auto roles_of = [](const char* method) { return FindPermission(method)->roles; };
  const std::pair<const char*, const char*> steps[] = {
      {"guilder.partner.v1.PartnerService/SubmitPartner",
       "guilder.partner.v1.PartnerService/ReviewPartner"},
      {"guilder.partner.v1.PartnerService/ReviewPartner",
       "guilder.partner.v1.PartnerService/ApprovePartner"},
      {"guilder.partner.v1.PartnerService/ProposeContract",
       "guilder.partner.v1.PartnerService/ApproveContract"},
      {"guilder.accrual.v1.RuleService/ProposeRuleSet",
       "guilder.accrual.v1.RuleService/ApproveRuleSet"},
      {"guilder.settlement.v1.SettlementService/ComputeSettlement",
       "guilder.settlement.v1.SettlementService/ApproveSettlement"}};
  for (const auto& [first, second] : steps) {
    INFO(first);
    CHECK_FALSE(roles_of(first).HasAnyOf(roles_of(second)));
  }
}

}  // namespace
}  // namespace guilder::rpc
