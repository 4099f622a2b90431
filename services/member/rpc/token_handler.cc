#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/proto_time.h"
#include "services/member/rpc/member_handlers.h"

namespace guilder::member {
namespace {

constexpr int kDefaultSeconds = 900;
constexpr int kMostSeconds = 3'600;
constexpr int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

absl::StatusOr<v1::IssueMemberTokenResponse> MemberHandlers::IssueMemberToken(
    const rpc::Call& call, const v1::IssueMemberTokenRequest& request) {
  const int asked = request.time_to_live_seconds();
  if (asked < 0 || asked > kMostSeconds) {
    return Refuse(Reason::kRequestMalformed, "time_to_live_seconds is an hour at most",
                  {{"field", "time_to_live_seconds"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const AccountId account,
                           view_.names().Parse(call.principal(), request.member()));
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](postgres::Transaction& tx) {
        return ReadMember(tx, account) ? absl::OkStatus() : Refuse(Reason::kMemberNotFound);
      },
      call.deadline()));
  // Tokens, like keys, age by the wall clock, not by the programme's, which may have been moved.
  const int64_t seconds = absl::ToUnixSeconds(absl::Now()) + (asked == 0 ? kDefaultSeconds : asked);
  const Timestamp expires_at(seconds * kMicrosPerSecond);
  v1::IssueMemberTokenResponse response;
  response.set_token(tokens_.Make(account, expires_at));
  *response.mutable_expire_time() = rpc::ToProto(expires_at);
  return response;
}

}  // namespace guilder::member
