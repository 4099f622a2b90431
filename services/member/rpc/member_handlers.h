// Answers the calls of guilder.member.v1.MemberService: translates, asks domain, store and ledger,
// translates.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "guilder/member/v1/member_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/reader.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/grouped_reads.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/names.h"
#include "libs/security/lookup_watch.h"
#include "libs/security/member_token.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"
#include "services/member/store/enrolments.h"
#include "services/member/store/members.h"

namespace guilder::member {

inline constexpr char kCardName[] = "cards/{}";

// Thread safe. What returns its response blocks on the database: it runs on the runtime's workers.
class MemberHandlers {
 public:
  // The view outlives it.
  MemberHandlers(const MemberServiceDependencies& dependencies, const MemberView& view);

  // enrol_handler.cc: the only one that posts. Does not block.
  void EnrolMember(std::shared_ptr<const rpc::Call> call, const v1::EnrolMemberRequest& request,
                   rpc::Responder<v1::EnrolMemberResponse> respond);

  // member_handlers.cc: members, cards and balances.
  absl::StatusOr<v1::GetMemberResponse> GetMember(const rpc::Call& call,
                                                  const v1::GetMemberRequest& request);
  // Blocks for operators, whose reading is noted, so it runs on a worker then. For partners it does
  // not block: what they ask together is read together.
  void FindMember(std::shared_ptr<const rpc::Call> call, const v1::FindMemberRequest& request,
                  rpc::Responder<v1::FindMemberResponse> respond);
  absl::StatusOr<v1::IssueCardsResponse> IssueCards(const rpc::Call& call,
                                                    const v1::IssueCardsRequest& request);
  absl::StatusOr<v1::BlockCardResponse> BlockCard(const rpc::Call& call,
                                                  const v1::BlockCardRequest& request);
  // token_handler.cc: what a member's app calls with.
  absl::StatusOr<v1::IssueMemberTokenResponse> IssueMemberToken(
      const rpc::Call& call, const v1::IssueMemberTokenRequest& request);
  // Does not block: reads that arrive together are made together.
  void GetBalance(std::shared_ptr<const rpc::Call> call, const v1::GetBalanceRequest& request,
                  rpc::Responder<v1::GetBalanceResponse> respond);

  // history_handlers.cc: lots, entries and the timeline.
  absl::StatusOr<v1::ListLotsResponse> ListLots(const rpc::Call& call,
                                                const v1::ListLotsRequest& request);
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const rpc::Call& call,
                                                      const v1::ListEntriesRequest& request);
  absl::StatusOr<v1::GetStatementResponse> GetStatement(const rpc::Call& call,
                                                        const v1::GetStatementRequest& request);

 private:
  // Reads the lots, too, to say what may be spent only somewhere.
  absl::StatusOr<v1::GetBalanceResponse> BalanceWithRestricted(const rpc::Call& call, AccountId id,
                                                               const std::string& name) const;
  // A checked request to enrol.
  struct Enrolment {
    std::shared_ptr<const rpc::Call> call;
    Uuid request_id{};
    Profile profile;
    CardNumber card{};
    // The card was handed out, and has this account, if any.
    bool handed_out = false;
    AccountId account{};
  };
  void EnrolWithCard(Enrolment enrolment, rpc::Responder<v1::EnrolMemberResponse> respond);
  void SubmitEnrolment(const Enrolment& enrolment, rpc::Responder<v1::EnrolMemberResponse> respond);

  absl::StatusOr<MemberKeyAsked> ParseAsked(const v1::FindMemberRequest& request) const;
  absl::StatusOr<v1::FindMemberResponse> FindForStaff(const rpc::Call& call,
                                                      const MemberKeyAsked& asked);
  absl::StatusOr<v1::FindMemberResponse> ShowFound(const rpc::Call& call,
                                                   const MemberKeyAsked& asked,
                                                   const FoundMember& found) const;
  absl::Status CheckLookups(const rpc::Call& call);
  // Counts what was looked for, and raises the alarm.
  void NoteLookup(const rpc::Call& call, bool found);

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  rpc::WorkerPool& workers_;
  const MemberView& view_;
  rpc::GroupedReads<ledger::AccountKey, ledger::AccountAsOfNow> balances_;
  rpc::GroupedReads<MemberKeyAsked, FoundMember> finds_;
  const security::MemberTokens tokens_;
  security::LookupWatch lookups_;
  const rpc::PageTokens page_tokens_;
  EnrolmentRows enrolment_rows_;
  CardSerials card_serials_;
};

// A card number that a reader asks by. Errors: kRequestMalformed when empty, kCardNumberMistyped.
absl::StatusOr<CardNumber> ParseAskedCard(std::string_view digits);

// Without the member, whose name depends on who asks.
v1::GetBalanceResponse BalanceToProto(const ledger::AccountAsOfNow& account);

}  // namespace guilder::member
