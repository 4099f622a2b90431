// Who calls: what a credential proves, and what the permissions are written in terms of.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::security {

// What an operator may do. `admin` reads everything, but approves under four eyes like everyone.
enum class Role : uint8_t {
  kAdmin,
  kPartnerManager,
  kSubmitter,
  kReviewer,
  kApprover,
  kFinance,
  kFinanceApprover,
  kSupport,
  kAuditor,
};
inline constexpr int kRoleCount = 9;

// "finance_approver", as in operator.operators.roles.
std::string_view RoleName(Role role);
std::optional<Role> RoleFromName(std::string_view name);

class Roles {
 public:
  constexpr Roles() = default;
  constexpr Roles(std::initializer_list<Role> roles) {
    for (const Role role : roles) Add(role);
  }

  constexpr void Add(Role role) { bits_ |= Bit(role); }
  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  constexpr bool HasAnyOf(Roles other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

  friend constexpr bool operator==(Roles, Roles) = default;

 private:
  static constexpr uint16_t Bit(Role role) {
    return static_cast<uint16_t>(1u << static_cast<unsigned>(role));
  }
  uint16_t bits_ = 0;
};

struct Principal {
  enum class Kind : uint8_t { kAnonymous, kPartner, kOperator };

  Kind kind = Kind::kAnonymous;
  // Set for a partner only.
  PartnerId partner;
  // The credential's id, or the operator's. It may be logged and stored.
  std::string id;
  // Of an operator only.
  Roles roles;

  bool IsPartner() const { return kind == Kind::kPartner; }
  bool IsOperator() const { return kind == Kind::kOperator; }
};

// Turns the secret that a caller presents into who it is. Thread safe.
class Authenticator {
 public:
  using Done = std::function<void(absl::StatusOr<Principal>)>;

  virtual ~Authenticator() = default;

  // Answers from memory and never blocks. Errors: kCredentialsInvalid, kStoreUnavailable.
  virtual absl::StatusOr<Principal> Authenticate(std::string_view bearer) = 0;

  // Asked after Authenticate answered kCredentialsInvalid, in case the credential is newer than
  // what memory holds. Calls `done` exactly once, from this or another thread; does not block.
  virtual void AuthenticateFresh(std::string bearer, Done done) { done(Authenticate(bearer)); }
};

}  // namespace guilder::security
