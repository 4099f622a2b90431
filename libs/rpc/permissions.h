// Who may call what: one table for the whole product, in permissions.cc.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/security/principal.h"

namespace guilder::rpc {

struct Permission {
  std::string_view method;  // "guilder.partner.v1.PartnerService/GetPartner"
  bool anonymous = false;
  // A partner may call it. That it acts only for itself is the handler's to check, because only the
  // handler knows what the request names: Call::CheckActsFor.
  bool partner = false;
  security::Roles roles;
};

// The row of a method, or null.
const Permission* FindPermission(std::string_view method);

// OK, kCredentialsMissing for an anonymous caller, or kPermissionDenied.
absl::Status CheckPermission(const Permission& permission, const security::Principal& principal);

// Every row, for tests and documents.
const std::vector<Permission>& AllPermissions();

}  // namespace guilder::rpc
