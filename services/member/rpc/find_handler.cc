#include <utility>

#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "libs/rpc/status.h"
#include "libs/telemetry/log.h"
#include "libs/telemetry/metrics.h"
#include "services/member/rpc/member_handlers.h"

namespace guilder::member {
namespace {

Timestamp WallClock() {
  return Timestamp(absl::ToUnixMicros(absl::Now()));
}

telemetry::Counter& LookupsThat(const char* found) {
  return telemetry::GetCounter("guilder_member_lookups_total",
                               "Members looked for, by what came of it", {{"found", found}});
}

}  // namespace

absl::StatusOr<MemberKeyAsked> MemberHandlers::ParseAsked(
    const v1::FindMemberRequest& request) const {
  using Request = v1::FindMemberRequest;
  MemberKeyAsked asked;
  switch (request.by_case()) {
    case Request::kCardNumber: {
      GUILDER_ASSIGN_OR_RETURN(asked.card, ParseAskedCard(request.card_number()));
      return asked;
    }
    case Request::kPhone: {
      GUILDER_ASSIGN_OR_RETURN(const std::string phone, CheckedPhone(request.phone()));
      asked.phone_indexes = view_.vault().PhoneIndexes(phone);
      return asked;
    }
    case Request::kEmail: {
      const auto email = NormalEmail(request.email());
      if (!email) {
        return Refuse(Reason::kRequestMalformed, "email is no e-mail address",
                      {{"field", "email"}});
      }
      asked.email_indexes = view_.vault().EmailIndexes(*email);
      return asked;
    }
    case Request::BY_NOT_SET:
      break;
  }
  return Refuse(Reason::kRequestMalformed, "by card_number, phone or email");
}

absl::Status MemberHandlers::CheckLookups(const rpc::Call& call) {
  const auto verdict = lookups_.Ask(call.principal().id, WallClock());
  if (verdict.allowed) return absl::OkStatus();
  return rpc::WithRetryDelay(Refuse(Reason::kRateLimited, "too many look-ups that found nobody"),
                             absl::Microseconds(verdict.wait_us));
}

absl::StatusOr<v1::FindMemberResponse> MemberHandlers::ShowFound(const rpc::Call& call,
                                                                 const MemberKeyAsked& asked,
                                                                 const FoundMember& found) const {
  v1::FindMemberResponse response;
  v1::Member& member = *response.mutable_member();
  GUILDER_RETURN_IF_ERROR(view_.AddProfile(call, found.account, found.sealed, member));
  *member.mutable_enrol_time() = rpc::ToProto(found.enrolled_at);
  if (asked.card) *member.add_cards() = CardToProto({asked.card, found.card_blocked});
  return response;
}

absl::StatusOr<v1::FindMemberResponse> MemberHandlers::FindForStaff(const rpc::Call& call,
                                                                    const MemberKeyAsked& asked) {
  const auto find = [&](postgres::Transaction& tx) -> absl::StatusOr<AccountId> {
    std::optional<AccountId> account;
    if (asked.card) {
      account = FindByCard(tx, asked.card);
    } else if (!asked.phone_indexes.empty()) {
      account = FindByPhone(tx, asked.phone_indexes);
    } else {
      account = FindByEmail(tx, asked.email_indexes);
    }
    if (!account) return Refuse(asked.card ? Reason::kCardNotFound : Reason::kMemberNotFound);
    return *account;
  };
  const auto found =
      view_.Inspect(call, [&](postgres::Transaction& tx) -> absl::StatusOr<v1::Member> {
        GUILDER_ASSIGN_OR_RETURN(const AccountId account, find(tx));
        return view_.ReadVisible(call, tx, account, asked.card, "MemberService/FindMember");
      });
  if (found.ok() || absl::IsNotFound(found.status())) NoteLookup(call, found.ok());
  v1::FindMemberResponse response;
  GUILDER_ASSIGN_OR_RETURN(*response.mutable_member(), found);
  return response;
}

void MemberHandlers::FindMember(std::shared_ptr<const rpc::Call> call,
                                const v1::FindMemberRequest& request,
                                rpc::Responder<v1::FindMemberResponse> respond) {
  auto asked = ParseAsked(request);
  if (!asked.ok()) return respond(asked.status());
  if (const absl::Status allowed = CheckLookups(*call); !allowed.ok()) return respond(allowed);
  if (!call->principal().IsPartner()) {
    auto find = [this, call, asked = *std::move(asked), respond] {
      respond(FindForStaff(*call, asked));
    };
    if (!workers_.TrySubmit(std::move(find))) respond(Refuse(Reason::kQueueFull));
    return;
  }
  MemberKeyAsked key = *asked;
  finds_.Ask(
      std::move(key), call->deadline(),
      [this, call, asked = *std::move(asked), respond](const absl::StatusOr<FoundMember>& found) {
        if (found.ok() || absl::IsNotFound(found.status())) NoteLookup(*call, found.ok());
        if (!found.ok()) return respond(found.status());
        respond(ShowFound(*call, asked, *found));
      });
}

void MemberHandlers::NoteLookup(const rpc::Call& call, bool found) {
  static telemetry::Counter& in_vain = LookupsThat("no");
  static telemetry::Counter& successful = LookupsThat("yes");
  (found ? successful : in_vain).Add();
  const Timestamp now(absl::ToUnixMicros(absl::Now()));
  if (!lookups_.Note(call.principal().id, found, now)) return;
  telemetry::GetCounter("guilder_enumeration_alarms_total",
                        "Callers that looked for members in vain too often")
      .Add();
  telemetry::Log(telemetry::Severity::kWarning, "somebody tries numbers or addresses of members",
                 {{"caller", call.principal().id}, {"peer", call.peer()}});
}

}  // namespace guilder::member
