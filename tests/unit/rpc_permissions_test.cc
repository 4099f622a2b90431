#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/str_join.h"

#include "libs/base/reason.h"
#include "libs/rpc/permissions.h"
#include "tests/support/catch2.h"
#include "tests/support/source_tree.h"

namespace guilder::rpc {
namespace {

using security::Principal;
using security::Role;

// What the contracts say, read from their text: a file that nobody links counts, too.
std::set<std::string> DeclaredMethods() {
  std::set<std::string> methods;
  const std::regex package("package ([a-z0-9_.]+);");
  const std::regex element("\\n(?:service (\\w+) \\{|  rpc (\\w+)\\()");
  for (const testing::SourceFile& file : testing::ReadSources({".proto"})) {
    const std::string text = "\n" + absl::StrJoin(file.lines, "\n");
    std::smatch of;
    if (!std::regex_search(text, of, package) || of[1].str().find("guilder.") != 0) continue;
    std::string service;
    for (std::sregex_iterator at(text.begin(), text.end(), element), end; at != end; ++at) {
      if ((*at)[1].matched) service = of[1].str() + "." + (*at)[1].str();
      if ((*at)[2].matched) methods.insert(service + "/" + (*at)[2].str());
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
  CHECK(rows.size() > 90);
  CHECK(rows == DeclaredMethods());
}

// Methods whose names begin so change nothing.
bool IsReading(const std::string& method) {
  const std::regex reading(
      ".*/(Get|List|Find|Preview|Quote|Explain|Simulate|Verify|Render|Report|Plan|Check|Watch).*");
  return std::regex_match(method, reading);
}

TEST_CASE("Audit: what people may change is noted in the audit log, or says why not",
          "[unit][rpc][inv-99]") {
  // What a lane posts is a record of the journal, which nobody can change either; what is computed
  // names in its own row who computed it; what is done with a member's token is the member's doing.
  const std::set<std::string> elsewhere = {"MemberService/EnrolMember",
                                           "MemberService/IssueMemberToken",
                                           "MemberService/TransferPoints",
                                           "MemberService/MergeMembers",
                                           "PointsService/ReverseTransfer",
                                           "PointsService/SweepExpiry",
                                           "ImportService/ImportMembers",
                                           "CatalogService/OrderReward",
                                           "CatalogService/CancelOrder",
                                           "CatalogService/UpdateOrderStatus",
                                           "CatalogService/IssueVoucher",
                                           "CatalogService/RefundVoucher",
                                           "SettlementService/ComputeSettlement",
                                           "SettlementService/SubmitReconciliation",
                                           "SettlementService/CloseWindow",
                                           "CardService/LapseUnclaimedCards",
                                           "BonusService/ReferMember",
                                           "BonusService/GrantBirthdayBonuses",
                                           "NoticeService/PrepareNotices"};
  std::string sources;
  for (const testing::SourceFile& file : testing::ReadSources({".cc"})) {
    if (file.path.starts_with("services/")) sources += absl::StrJoin(file.lines, "\n");
  }
  for (const Permission& permission : AllPermissions()) {
    if (permission.roles == security::Roles()) continue;
    const std::string method(permission.method.substr(permission.method.rfind('.') + 1));
    if (IsReading(method)) continue;
    CAPTURE(method);
    CHECK((elsewhere.contains(method) || sources.find('"' + method + '"') != std::string::npos));
  }
}

// To make the page anew: PERMISSIONS_PAGE=services/permissions.md rpc_permissions_test.
TEST_CASE("Permissions: the page in services/permissions.md is the table", "[unit][rpc]") {
  if (const char* const path = std::getenv("PERMISSIONS_PAGE")) {
    std::ofstream(path) << PermissionsPage();
  }
  std::string page;
  for (const testing::SourceFile& file : testing::ReadSources({".md"})) {
    if (file.path == "services/permissions.md") page = absl::StrJoin(file.lines, "\n") + "\n";
  }
  CHECK(page == PermissionsPage());
}

TEST_CASE("Permissions: a partner's credential needs the method's scope", "[unit][rpc]") {
  const Permission* const post = FindPermission("guilder.accrual.v1.AccrualService/RecordPurchase");
  REQUIRE(post != nullptr);
  Principal till{.kind = Principal::Kind::kPartner, .partner = PartnerId(1)};

  till.scopes = {security::Scope::kPost};
  CHECK(CheckPermission(*post, till).ok());
  till.scopes = {security::Scope::kRedeem, security::Scope::kRead, security::Scope::kAdmin};
  const absl::Status refused = CheckPermission(*post, till);
  CHECK(ReasonOf(refused) == Reason::kPermissionDenied);
  CHECK(DetailsOf(refused).at("scope") == "POST");
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
