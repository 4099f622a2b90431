#include "libs/security/principal.h"

#include <array>

#include "libs/base/reason.h"

namespace guilder::security {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, kRoleCount> kRoleNames{
    "admin",   "partner_manager",  "submitter", "reviewer", "approver",
    "finance", "finance_approver", "support",   "auditor"};

constexpr std::array<std::string_view, kScopeCount> kScopeNames{"POST", "REDEEM", "READ", "REPORT",
                                                                "ADMIN"};

}  // namespace

absl::StatusOr<Principal> Authenticator::AuthenticateCertificate(const Digest&) {
  return Refuse(Reason::kCredentialsInvalid);
}

std::string_view ScopeName(Scope scope) {
  return kScopeNames[static_cast<size_t>(scope)];
}

std::optional<Scope> ScopeFromName(std::string_view name) {
  for (size_t i = 0; i < kScopeNames.size(); ++i) {
    if (kScopeNames[i] == name) return static_cast<Scope>(i);
  }
  return std::nullopt;
}

std::string_view RoleName(Role role) {
  return kRoleNames[static_cast<size_t>(role)];
}

std::optional<Role> RoleFromName(std::string_view name) {
  for (size_t i = 0; i < kRoleNames.size(); ++i) {
    if (kRoleNames[i] == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

}  // namespace guilder::security
