#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/member/rpc/history_proto.h"
#include "services/member/rpc/person_handlers.h"

namespace guilder::member {
namespace {

constexpr size_t kMaxSourceBytes = 100;
constexpr int kMostMembersAtOnce = 1'000;

absl::Status Malformed(const char* field, const char* problem) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " ", problem), {{"field", field}});
}

absl::Status CheckAbout(v1::ConsentPurpose purpose, v1::ConsentChannel channel) {
  if (!v1::ConsentPurpose_IsValid(purpose) || purpose == v1::CONSENT_PURPOSE_UNSPECIFIED) {
    return Malformed("purpose", "is not stated");
  }
  if (!v1::ConsentChannel_IsValid(channel) || channel == v1::CONSENT_CHANNEL_UNSPECIFIED) {
    return Malformed("channel", "is not stated");
  }
  return absl::OkStatus();
}

// Where a consent stands in a list.
using Place = std::tuple<Timestamp, PartnerId, int, int, bool>;

Place PlaceOf(const ConsentRow& row) {
  return {row.changed_at, row.key.partner, row.key.purpose, row.key.channel, row.granted};
}

std::string Encoded(const Place& place) {
  return Encoder()
      .Quantity(std::get<0>(place))
      .Id(std::get<1>(place))
      .Signed(std::get<2>(place))
      .Signed(std::get<3>(place))
      .Unsigned(std::get<4>(place) ? 1 : 0)
      .Take();
}

}  // namespace

absl::StatusOr<v1::SetConsentResponse> PersonHandlers::SetConsent(
    const rpc::Call& call, const v1::SetConsentRequest& request) {
  const v1::Consent& consent = request.consent();
  GUILDER_RETURN_IF_ERROR(CheckAbout(consent.purpose(), consent.channel()));
  if (consent.source().size() > kMaxSourceBytes) return Malformed("source", "is too long");
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, ParsePartner(call, consent.partner()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMember(call, request.member()));
  ConsentRow said;
  said.key = {partner, consent.purpose(), consent.channel()};
  said.granted = consent.granted();
  said.changed_by = call.principal().IsMember() ? "member" : rpc::ActorOf(call.principal());
  said.source = consent.source();
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::SetConsentResponse> {
        GUILDER_RETURN_IF_ERROR(view_.CheckMayName(call, tx, account, {}));
        said.changed_at = ReadClock(tx);
        GUILDER_ASSIGN_OR_RETURN(const ConsentRow row, member::SetConsent(tx, account, said));
        v1::SetConsentResponse response;
        *response.mutable_consent() = ConsentToProto(*lanes_.configuration(), row);
        if (call.principal().IsOperator()) {
          rpc::Audit(tx, call, "PersonService/SetConsent", MemberName(account), nullptr, nullptr);
        }
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListConsentsResponse> PersonHandlers::ListConsents(
    const rpc::Call& call, const v1::ListConsentsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::string list = absl::StrCat("ListConsents ", request.parent(), request.history());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMember(call, request.parent()));
  Decoder in(position);
  Place after;
  if (!position.empty()) {
    const auto at = in.ReadQuantity<Timestamp>();
    const auto partner = in.ReadId<PartnerId>();
    const auto purpose = static_cast<int>(in.Signed());
    const auto channel = static_cast<int>(in.Signed());
    after = {at, partner, purpose, channel, in.Unsigned() == 1};
  }
  const PartnerId of = call.principal().IsPartner() ? call.principal().partner : PartnerId();
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<ConsentRow> rows,
      view_.Inspect(
          call, [&](postgres::Transaction& tx) -> absl::StatusOr<std::vector<ConsentRow>> {
            GUILDER_RETURN_IF_ERROR(view_.CheckMayName(call, tx, account, {}));
            if (!ReadMember(tx, account)) return Refuse(Reason::kMemberNotFound);
            auto consents = ReadConsents(tx, account, of, request.history());
            if (call.principal().IsOperator()) {
              rpc::AuditReading(tx, call, "PersonService/ListConsents", MemberName(account));
            }
            return consents;
          }));
  v1::ListConsentsResponse response;
  Place last;
  for (const ConsentRow& row : rows) {
    if (!position.empty() && PlaceOf(row) <= after) continue;
    if (response.consents_size() == page_size) {
      response.set_next_page_token(page_tokens_.Make(list, Encoded(last)));
      break;
    }
    *response.add_consents() = ConsentToProto(*lanes_.configuration(), row);
    last = PlaceOf(row);
  }
  return response;
}

absl::StatusOr<v1::CheckConsentsResponse> PersonHandlers::CheckConsents(
    const rpc::Call& call, const v1::CheckConsentsRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckAbout(request.purpose(), request.channel()));
  if (request.members_size() > kMostMembersAtOnce) {
    return Malformed("members", "are 1,000 at most");
  }
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, ParsePartner(call, request.partner()));
  std::vector<AccountId> accounts;
  for (const std::string& name : request.members()) {
    const auto account = view_.names().Parse(call.principal(), name);
    accounts.push_back(account.ok() ? *account : AccountId());
  }
  const ConsentKey key{partner, request.purpose(), request.channel()};
  GUILDER_ASSIGN_OR_RETURN(const std::vector<bool> agrees,
                           pool_.Read(
                               [&](postgres::Transaction& tx) -> absl::StatusOr<std::vector<bool>> {
                                 return member::CheckConsents(tx, accounts, key);
                               },
                               call.deadline()));
  v1::CheckConsentsResponse response;
  for (int i = 0; i < request.members_size(); ++i) {
    if (agrees[static_cast<size_t>(i)]) response.add_members(request.members(i));
  }
  return response;
}

}  // namespace guilder::member
