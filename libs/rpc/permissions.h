// Who may call what: one table for the whole product, in permissions.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/security/principal.h"

namespace guilder::rpc {

struct Permission {
  std::string_view method;  // "guilder.partner.v1.PartnerService/GetPartner"
  bool anonymous = false;
  // What a partner's credential needs; nothing when no partner may call it. That a partner acts
  // only for itself is the handler's to check, because only the handler knows what the request
  // names: Call::CheckActsFor, Call::CheckActsIn.
  std::optional<security::Scope> partner;
  security::Roles roles;
  // A member may call it, for its own account: Call::CheckActsForMember.
  bool member = false;
  // A second person approves the very request first, where the handler says so: UseApproval.
  bool approvable = false;
};

// The row of a method, or null.
const Permission* FindPermission(std::string_view method);

// OK, kCredentialsMissing for an anonymous caller, or kPermissionDenied with the detail `scope`
// when a partner's credential lacks it.
absl::Status CheckPermission(const Permission& permission, const security::Principal& principal);

// Every row, for tests and documents.
const std::vector<Permission>& AllPermissions();

// The table as a page of Markdown, which services/permissions.md has.
std::string PermissionsPage();

}  // namespace guilder::rpc
