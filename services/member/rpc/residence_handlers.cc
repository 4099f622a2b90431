#include <utility>
#include <vector>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/member/rpc/standing_handlers.h"
#include "services/member/store/residences.h"
#include "services/member/store/standing.h"

namespace guilder::member {

v1::Residence ToProto(const Residence& residence) {
  v1::Residence out;
  out.set_place(residence.place);
  *out.mutable_from_time() = rpc::ToProto(residence.from);
  *out.mutable_note_time() = rpc::ToProto(residence.noted_at);
  out.set_noted_by(residence.noted_by);
  return out;
}

absl::StatusOr<v1::SetResidenceResponse> StandingHandlers::SetResidence(
    const rpc::Call& call, const v1::SetResidenceRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckPlace("place", request.place()));
  std::optional<Timestamp> from;
  if (request.has_from_time()) {
    from = rpc::FromProto(request.from_time());
    if (!from) {
      return Refuse(Reason::kRequestMalformed, "from_time is no time", {{"field", "from_time"}});
    }
  }
  AccountId account;
  v1::SetResidenceResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](postgres::Transaction& tx) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(account, Resolve(call, tx, request.member()));
        GUILDER_RETURN_IF_ERROR(LockStanding(tx, account));
        const std::vector<Residence> known = ReadResidences(tx, view_.vault(), account);
        Residence residence;
        residence.noted_at = ReadClock(tx);
        residence.from = from.value_or(residence.noted_at);
        residence.place = request.place();
        residence.noted_by = rpc::ActorOf(call.principal());
        const Residence* const so = ResidenceAt(known, residence.from);
        if (so != nullptr && so->place == residence.place) {
          *response.mutable_residence() = ToProto(*so);
          return absl::OkStatus();
        }
        if (known.size() >= kMostResidences) return Refuse(Reason::kLimitExceeded);
        GUILDER_RETURN_IF_ERROR(InsertResidence(tx, view_.vault(), account, known, residence));
        *response.mutable_residence() = ToProto(residence);
        // Not where: the log outlives the erasure of a member.
        rpc::Audit(tx, call, "StandingService/SetResidence", MemberName(account), nullptr, nullptr);
        return absl::OkStatus();
      },
      call.deadline()));
  // Also after a repeat, because the first attempt may have come no further.
  GUILDER_RETURN_IF_ERROR(residences_.Tell(account, call.deadline()));
  return response;
}

absl::StatusOr<v1::ListResidencesResponse> StandingHandlers::ListResidences(
    const rpc::Call& call, const v1::ListResidencesRequest& request) {
  return view_.Inspect(
      call, [&](postgres::Transaction& tx) -> absl::StatusOr<v1::ListResidencesResponse> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId account, Resolve(call, tx, request.parent()));
        const auto member = ReadMember(tx, account);
        if (!member) return Refuse(Reason::kMemberNotFound);
        if (!member->sealed) return Refuse(Reason::kMemberErased);
        v1::ListResidencesResponse response;
        for (const Residence& residence : ReadResidences(tx, view_.vault(), account)) {
          *response.add_residences() = ToProto(residence);
        }
        if (call.principal().IsOperator()) {
          rpc::AuditReading(tx, call, "StandingService/ListResidences", MemberName(account));
        }
        return response;
      });
}

}  // namespace guilder::member
