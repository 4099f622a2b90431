// Answers the calls of guilder.member.v1.PersonService: translates, asks domain, store and lanes,
// translates.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "guilder/member/v1/person_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/names.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"
#include "services/member/store/consents.h"
#include "services/member/store/leaving.h"

namespace guilder::member {

// Thread safe. What returns its response blocks on the database: it runs on the runtime's workers.
class PersonHandlers {
 public:
  // The view outlives it.
  PersonHandlers(const MemberServiceDependencies& dependencies, const MemberView& view);

  // person_handlers.cc: data, retention and keys.
  absl::StatusOr<v1::UpdateMemberResponse> UpdateMember(const rpc::Call& call,
                                                        const v1::UpdateMemberRequest& request);
  absl::StatusOr<v1::AddPersonResponse> AddPerson(const rpc::Call& call,
                                                  const v1::AddPersonRequest& request);
  absl::StatusOr<v1::RemovePersonResponse> RemovePerson(const rpc::Call& call,
                                                        const v1::RemovePersonRequest& request);
  absl::StatusOr<v1::LockMemberResponse> LockMember(const rpc::Call& call,
                                                    const v1::LockMemberRequest& request);
  absl::StatusOr<v1::UnlockMemberResponse> UnlockMember(const rpc::Call& call,
                                                        const v1::UnlockMemberRequest& request);
  absl::StatusOr<v1::RotateMemberKeysResponse> RotateMemberKeys(
      const rpc::Call& call, const v1::RotateMemberKeysRequest& request);

  // consent_handlers.cc.
  absl::StatusOr<v1::SetConsentResponse> SetConsent(const rpc::Call& call,
                                                    const v1::SetConsentRequest& request);
  absl::StatusOr<v1::ListConsentsResponse> ListConsents(const rpc::Call& call,
                                                        const v1::ListConsentsRequest& request);
  absl::StatusOr<v1::CheckConsentsResponse> CheckConsents(const rpc::Call& call,
                                                          const v1::CheckConsentsRequest& request);

  // leaving_handlers.cc: those that post. They do not block.
  void CloseMember(std::shared_ptr<const rpc::Call> call, const v1::CloseMemberRequest& request,
                   rpc::Responder<v1::CloseMemberResponse> respond);
  void EraseMember(std::shared_ptr<const rpc::Call> call, const v1::EraseMemberRequest& request,
                   rpc::Responder<v1::EraseMemberResponse> respond);

 private:
  absl::StatusOr<AccountId> ParseMember(const rpc::Call& call, std::string_view name) const;
  absl::StatusOr<PartnerId> ParsePartner(const rpc::Call& call, std::string_view name) const;
  Timestamp ReadClock(postgres::Transaction& transaction) const;
  // Calls `then` on a worker with the member of that name, or refuses.
  template <typename Response>
  void WithMember(const std::shared_ptr<const rpc::Call>& call, const std::string& name,
                  const rpc::Responder<Response>& respond, std::function<void(AccountId)> then);
  void PostClosure(const std::shared_ptr<const rpc::Call>& call, AccountId account,
                   const Uuid& request_id, const rpc::Responder<v1::CloseMemberResponse>& respond);
  void PostErasure(const std::shared_ptr<const rpc::Call>& call, AccountId account,
                   const Uuid& request_id, const rpc::Responder<v1::EraseMemberResponse>& respond);
  // Answers with an erasure that was before. Blocks.
  void AnswerErased(const std::shared_ptr<const rpc::Call>& call, AccountId account,
                    const rpc::Responder<v1::EraseMemberResponse>& respond) const;

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  rpc::WorkerPool& workers_;
  const MemberView& view_;
  const rpc::PageTokens page_tokens_;
  LeavingRows leaving_rows_;
};

}  // namespace guilder::member
