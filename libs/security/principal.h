// Who calls: what a credential proves, and what the permissions are written in terms of.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::security {

class CredentialUse;

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

// What a partner's credential may be used for.
enum class Scope : uint8_t {
  kPost,    // Purchases, returns, confirmations, enrolments, cards.
  kRedeem,  // Taking points: authorizations, captures, voids, refunds.
  kRead,    // Looking at what belongs to the partner, and at members that it serves.
  kReport,  // Statements, invoices, disputes, reconciliations.
  kAdmin,   // The partner's own credentials.
};
inline constexpr int kScopeCount = 5;

// "POST", as in partner.credentials.scopes and the wire's enumerator.
std::string_view ScopeName(Scope scope);
std::optional<Scope> ScopeFromName(std::string_view name);

class Scopes {
 public:
  constexpr Scopes() = default;
  constexpr Scopes(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) Add(scope);
  }

  constexpr void Add(Scope scope) { bits_ |= Bit(scope); }
  constexpr bool Has(Scope scope) const { return (bits_ & Bit(scope)) != 0; }
  constexpr bool HasAllOf(Scopes other) const { return (other.bits_ & ~bits_) == 0; }
  constexpr bool empty() const { return bits_ == 0; }

  friend constexpr bool operator==(Scopes, Scopes) = default;

 private:
  static constexpr uint8_t Bit(Scope scope) {
    return static_cast<uint8_t>(1u << static_cast<unsigned>(scope));
  }
  uint8_t bits_ = 0;
};

// What a credential may do that states no scope: everything but to make other credentials.
inline constexpr Scopes kUsualScopes{Scope::kPost, Scope::kRedeem, Scope::kRead, Scope::kReport};

struct Principal {
  enum class Kind : uint8_t { kAnonymous, kPartner, kOperator, kMember };

  Kind kind = Kind::kAnonymous;
  // Set for a partner only.
  PartnerId partner{};
  // The credential's id, the operator's, or "member". It may be logged and stored.
  std::string id{};
  // Set for a member only: its own account.
  AccountId account{};
  // Of an operator only.
  Roles roles{};
  // Of a partner only.
  Scopes scopes = kUsualScopes;
  // The codes of the stores that a partner's credential is for, sorted; null for all of them.
  std::shared_ptr<const std::vector<std::string>> stores = nullptr;
  // Shared by all calls with one credential in this process; null for principals without one.
  std::shared_ptr<CredentialUse> use = nullptr;

  bool IsPartner() const { return kind == Kind::kPartner; }
  bool IsMember() const { return kind == Kind::kMember; }
  bool IsOperator() const { return kind == Kind::kOperator; }
};

// Turns the secret that a caller presents into who it is. Thread safe.
class Authenticator {
 public:
  using Done = std::function<void(absl::StatusOr<Principal>)>;

  virtual ~Authenticator() = default;

  // Answers from memory and never blocks. Errors: kCredentialsInvalid, kStoreUnavailable.
  virtual absl::StatusOr<Principal> Authenticate(std::string_view bearer) = 0;

  // The same for a client certificate that TLS has checked, by the SHA-256 of its DER form. Error:
  // kCredentialsInvalid, it is nobody's credential.
  virtual absl::StatusOr<Principal> AuthenticateCertificate(const Digest& fingerprint);

  // Asked after Authenticate answered kCredentialsInvalid, in case the credential is newer than
  // what memory holds. Calls `done` exactly once, from this or another thread; does not block.
  virtual void AuthenticateFresh(std::string bearer, Done done) { done(Authenticate(bearer)); }
};

}  // namespace guilder::security
