// Members as callers may see them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "guilder/member/v1/member_service.pb.h"

#include "libs/base/types.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/member_names.h"
#include "services/member/domain/vault.h"
#include "services/member/store/members.h"

namespace guilder::member {

// Shared by the handlers of all services on members. Thread safe. The pool outlives it.
class MemberView {
 public:
  MemberView(postgres::Pool& pool, const security::Secrets& secrets)
      : pool_(pool), vault_(secrets), names_(secrets) {}

  const Vault& vault() const { return vault_; }
  const rpc::MemberNames& names() const { return names_; }

  // Names of members can be guessed. So a partner that does not have the card at hand names only
  // members that it served, and a member itself. Error: kMemberNotFound.
  absl::Status CheckMayName(const rpc::Call& call, postgres::Transaction& transaction,
                            AccountId account, CardNumber card) const;

  // The person's fields: masked for partners, and empty for who was erased.
  absl::Status AddProfile(const rpc::Call& call, AccountId account,
                          const std::optional<SealedProfile>& sealed, v1::Member& out) const;
  // A partner sees masked data, and of the cards only `shown_card`.
  absl::StatusOr<v1::Member> ToProto(const rpc::Call& call, const MemberRow& member,
                                     CardNumber shown_card) const;
  // Error: kMemberNotFound, also for what the caller may not see: another member, or by name one
  // that the partner never served. What staff reads is noted as `action`.
  absl::StatusOr<v1::Member> ReadVisible(const rpc::Call& call, postgres::Transaction& transaction,
                                         AccountId account, CardNumber shown_card,
                                         const char* action) const;

  // Reads in a transaction that may note who looked: what staff reads is noted, what tills and
  // members read is not, and stays a read.
  template <typename Body>
  auto Inspect(const rpc::Call& call, Body body) const {
    return call.principal().IsOperator() ? pool_.Run(body, call.deadline())
                                         : pool_.Read(body, call.deadline());
  }

 private:
  postgres::Pool& pool_;
  const Vault vault_;
  const rpc::MemberNames names_;
};

// "members/{id}" as operators and members say it, and the audit log, whoever asks.
std::string MemberName(AccountId account);
// The inverse. Error: kMemberNotFound, also for what is no such name.
absl::StatusOr<AccountId> ParseMemberName(std::string_view name);

v1::Card CardToProto(const CardRow& card);

// The person's fields of a request, unchecked.
Profile ProfileOf(const v1::Member& member);

}  // namespace guilder::member
