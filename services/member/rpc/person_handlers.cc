#include "services/member/rpc/person_handlers.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/programme.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/member/store/key_rotation.h"
#include "services/member/store/people.h"
#include "services/member/store/retention.h"

namespace guilder::member {
namespace {

constexpr size_t kMaxReasonBytes = 200;
constexpr char kPersonName[] = "members/{}/people/{}";
constexpr char kLockName[] = "retentionLocks/{}";

struct ProfileField {
  const char* name;
  std::string Profile::*field;
};

constexpr ProfileField kFields[] = {
    {"given_name", &Profile::given_name}, {"family_name", &Profile::family_name},
    {"phone", &Profile::phone},           {"email", &Profile::email},
    {"address", &Profile::address},       {"birth_date", &Profile::birth_date},
};

absl::Status Malformed(const char* field, const char* problem) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " ", problem), {{"field", field}});
}

absl::StatusOr<std::vector<ProfileField>> FieldsOf(const google::protobuf::FieldMask& mask) {
  std::vector<ProfileField> fields;
  for (const std::string& path : mask.paths()) {
    const auto found = std::find_if(std::begin(kFields), std::end(kFields),
                                    [&](const ProfileField& field) { return path == field.name; });
    if (found == std::end(kFields)) {
      return Malformed("update_mask", "names a field that does not change");
    }
    fields.push_back(*found);
  }
  if (fields.empty()) return Malformed("update_mask", "names no field");
  return fields;
}

// Staff writes it; it must be plain, and short.
absl::Status CheckText(const char* field, const std::string& text, size_t most) {
  if (text.empty() || text.size() > most) return Malformed(field, "is missing or too long");
  const bool plain =
      std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return plain ? absl::OkStatus() : Malformed(field, "has control characters");
}

}  // namespace

PersonHandlers::PersonHandlers(const MemberServiceDependencies& dependencies,
                               const MemberView& view)
    : pool_(dependencies.pool),
      lanes_(dependencies.lanes),
      workers_(dependencies.runtime.workers()),
      view_(view),
      page_tokens_(dependencies.secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<AccountId> PersonHandlers::ParseMember(const rpc::Call& call,
                                                      std::string_view name) const {
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, view_.names().Parse(call.principal(), name));
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(account));
  return account;
}

absl::StatusOr<PartnerId> PersonHandlers::ParsePartner(const rpc::Call& call,
                                                       std::string_view name) const {
  const auto parts = rpc::ParseName("partners/{}", name);
  const auto configuration = lanes_.configuration();
  const ledger::Partner* const partner =
      parts ? configuration->FindPartner(std::string_view((*parts)[0])) : nullptr;
  if (partner == nullptr) return Refuse(Reason::kPartnerNotFound);
  if (call.principal().IsPartner()) GUILDER_RETURN_IF_ERROR(call.CheckActsFor(partner->id));
  return partner->id;
}

Timestamp PersonHandlers::ReadClock(postgres::Transaction& transaction) const {
  return ledger::ReadProgrammeClock(transaction, lanes_.configuration()->programme().id);
}

absl::StatusOr<v1::UpdateMemberResponse> PersonHandlers::UpdateMember(
    const rpc::Call& call, const v1::UpdateMemberRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::vector<ProfileField> fields, FieldsOf(request.update_mask()));
  GUILDER_ASSIGN_OR_RETURN(const Profile wanted, CheckedProfile(ProfileOf(request.member())));
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMember(call, request.member().name()));
  const auto change = [&](const Profile& before) -> absl::StatusOr<Profile> {
    Profile after = before;
    for (const ProfileField& field : fields) after.*field.field = wanted.*field.field;
    return after;
  };
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::UpdateMemberResponse> {
        GUILDER_RETURN_IF_ERROR(ChangeProfile(tx, view_.vault(), account, change).status());
        const auto member = ReadMember(tx, account);
        if (!member) return Refuse(Reason::kMemberNotFound);
        v1::UpdateMemberResponse response;
        GUILDER_ASSIGN_OR_RETURN(*response.mutable_member(), view_.ToProto(call, *member, {}));
        if (call.principal().IsOperator()) {
          // Which fields, and not what stands in them.
          v1::UpdateMemberRequest changed;
          *changed.mutable_update_mask() = request.update_mask();
          rpc::Audit(tx, call, "PersonService/UpdateMember", MemberName(account), nullptr,
                     &changed);
        }
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::AddPersonResponse> PersonHandlers::AddPerson(
    const rpc::Call& call, const v1::AddPersonRequest& request) {
  const v1::Person& person = request.person();
  GUILDER_ASSIGN_OR_RETURN(const Profile profile,
                           CheckedProfile({person.given_name(), person.family_name(),
                                           person.phone(), person.email(), "", ""}));
  if (profile.given_name.empty() && profile.family_name.empty()) {
    return Malformed("person", "has no name");
  }
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMember(call, request.parent()));
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::AddPersonResponse> {
        GUILDER_ASSIGN_OR_RETURN(
            const AddedPerson added,
            member::AddPerson(tx, view_.vault(), account, profile, request_id, ReadClock(tx)));
        v1::AddPersonResponse response;
        v1::Person& out = *response.mutable_person();
        out.set_name(
            absl::StrCat(view_.names().Of(call.principal(), account), "/people/", added.number));
        out.set_given_name(profile.given_name);
        out.set_family_name(profile.family_name);
        out.set_phone(profile.phone);
        out.set_email(profile.email);
        rpc::Audit(tx, call, "PersonService/AddPerson", MemberName(account), nullptr, nullptr);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::RemovePersonResponse> PersonHandlers::RemovePerson(
    const rpc::Call& call, const v1::RemovePersonRequest& request) {
  const auto parts = rpc::ParseNumberedName(kPersonName, request.name());
  if (!parts) return Refuse(Reason::kMemberNotFound);
  const AccountId account((*parts)[0]);
  const auto number = static_cast<int>(std::min<int64_t>((*parts)[1], INT32_MAX));
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::RemovePersonResponse> {
        if (!ReadMember(tx, account)) return Refuse(Reason::kMemberNotFound);
        if (member::RemovePerson(tx, account, number)) {
          rpc::Audit(tx, call, "PersonService/RemovePerson", MemberName(account), nullptr, nullptr);
        }
        return v1::RemovePersonResponse();
      },
      call.deadline());
}

absl::StatusOr<v1::LockMemberResponse> PersonHandlers::LockMember(
    const rpc::Call& call, const v1::LockMemberRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckText("reason", request.reason(), kMaxReasonBytes));
  const auto until = rpc::FromProto(request.until());
  if (!request.has_until() || !until) return Malformed("until", "is missing");
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMember(call, request.member()));
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::LockMemberResponse> {
        const RetentionLock lock{account, request.reason(), *until, ReadClock(tx),
                                 rpc::ActorOf(call.principal())};
        GUILDER_ASSIGN_OR_RETURN(const int64_t id, AddRetentionLock(tx, lock, request_id));
        v1::LockMemberResponse response;
        response.set_lock(absl::StrCat("retentionLocks/", id));
        rpc::Audit(tx, call, "PersonService/LockMember", MemberName(account), nullptr, &response);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UnlockMemberResponse> PersonHandlers::UnlockMember(
    const rpc::Call& call, const v1::UnlockMemberRequest& request) {
  const auto parts = rpc::ParseNumberedName(kLockName, request.lock());
  if (!parts) return Refuse(Reason::kNameNotFound);
  return pool_.Run(
      [&](postgres::Transaction& tx) -> absl::StatusOr<v1::UnlockMemberResponse> {
        const auto account = LiftRetentionLock(tx, (*parts)[0], ReadClock(tx));
        if (!account) return Refuse(Reason::kNameNotFound);
        rpc::Audit(tx, call, "PersonService/UnlockMember", MemberName(*account), nullptr, &request);
        return v1::UnlockMemberResponse();
      },
      call.deadline());
}

absl::StatusOr<v1::RotateMemberKeysResponse> PersonHandlers::RotateMemberKeys(
    const rpc::Call& call, const v1::RotateMemberKeysRequest&) {
  GUILDER_ASSIGN_OR_RETURN(const Rotation rotation,
                           RotateKeys(pool_, view_.vault(), call.deadline()));
  v1::RotateMemberKeysResponse response;
  response.set_epoch(rotation.epoch);
  response.set_members(rotation.members);
  response.set_unreadable_members(rotation.unreadable);
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](postgres::Transaction& tx) {
        rpc::Audit(tx, call, "PersonService/RotateMemberKeys", "members", nullptr, &response);
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

}  // namespace guilder::member
