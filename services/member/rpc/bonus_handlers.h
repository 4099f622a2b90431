// Answers the calls of guilder.member.v1.BonusService.
#pragma once

#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "guilder/member/v1/bonus_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"
#include "services/member/store/bonuses.h"

namespace guilder::member {

// Thread safe. Blocks on the database and on lanes: it runs on the runtime's workers.
class BonusHandlers {
 public:
  // The view outlives it.
  BonusHandlers(const MemberServiceDependencies& dependencies, const MemberView& view);

  absl::StatusOr<v1::GetBonusPolicyResponse> GetBonusPolicy(
      const rpc::Call& call, const v1::GetBonusPolicyRequest& request);
  absl::StatusOr<v1::UpdateBonusPolicyResponse> UpdateBonusPolicy(
      const rpc::Call& call, const v1::UpdateBonusPolicyRequest& request);
  absl::StatusOr<v1::ReferMemberResponse> ReferMember(const rpc::Call& call,
                                                      const v1::ReferMemberRequest& request);
  absl::StatusOr<v1::GrantBirthdayBonusesResponse> GrantBirthdayBonuses(
      const rpc::Call& call, const v1::GrantBirthdayBonusesRequest& request);

 private:
  ProgrammeId programme() const { return lanes_.configuration()->programme().id; }
  v1::BonusPolicy ToProto(const BonusPolicy& policy) const;
  absl::StatusOr<BonusPolicy> FromProto(const v1::BonusPolicy& policy) const;
  // The new member and the referrer, each the account that goes on.
  struct Referral {
    AccountId member;
    AccountId referrer;
    BonusPolicy policy;
  };
  absl::StatusOr<Referral> FindReferral(const rpc::Call& call,
                                        const v1::ReferMemberRequest& request) const;
  // The points that were given now.
  absl::StatusOr<Points> GiveBirthday(const rpc::Call& call, const BonusPolicy& policy,
                                      const BirthdayCandidate& member, const Profile& profile);
  absl::StatusOr<ledger::Answer> Post(const rpc::Call& call,
                                      std::unique_ptr<ledger::Command> command) const;
  void AllowPayer(const BonusPolicy& policy, ledger::Command& command) const;

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  const MemberView& view_;
  const rpc::PageTokens page_tokens_;
  BirthdayRows birthday_rows_;
  ReferralRows referral_rows_;
  // Held while a referral is posted: no two of a batch are decided over the same referrals.
  std::timed_mutex one_referral_;
};

}  // namespace guilder::member
