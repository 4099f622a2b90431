#include "services/member/rpc/member_view.h"

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"

namespace guilder::member {

std::string MemberName(AccountId account) {
  return absl::StrCat("members/", account.value());
}

absl::StatusOr<AccountId> ParseMemberName(std::string_view name) {
  const auto parts = rpc::ParseNumberedName("members/{}", name);
  if (!parts) return Refuse(Reason::kMemberNotFound);
  return AccountId((*parts)[0]);
}

v1::Card CardToProto(const CardRow& card) {
  v1::Card proto;
  proto.set_number(std::to_string(card.number.value()));
  proto.set_name(absl::StrCat("cards/", card.number.value()));
  proto.set_state(card.blocked ? v1::CARD_STATE_BLOCKED : v1::CARD_STATE_ACTIVE);
  return proto;
}

Profile ProfileOf(const v1::Member& member) {
  return {member.given_name(), member.family_name(), member.phone(),
          member.email(),      member.address(),     member.birth_date()};
}

absl::Status MemberView::CheckMayName(const rpc::Call& call, postgres::Transaction& transaction,
                                      AccountId account, CardNumber card) const {
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(account));
  const bool knows = !call.principal().IsPartner() || card ||
                     WasServedBy(transaction, account, call.principal().partner);
  return knows ? absl::OkStatus() : Refuse(Reason::kMemberNotFound);
}

absl::Status MemberView::AddProfile(const rpc::Call& call, AccountId account,
                                    const std::optional<SealedProfile>& sealed,
                                    v1::Member& out) const {
  out.set_name(names_.Of(call.principal(), account));
  // Whose epoch was dropped came with a backup from before an erasure of the keys.
  out.set_erased(!sealed || !vault_.Knows(sealed->epoch));
  if (out.erased()) return absl::OkStatus();
  const auto opened = vault_.Open(account, *sealed);
  if (!opened) return absl::InternalError("a sealed profile does not open with these secrets");
  const Profile profile = call.principal().IsPartner() ? Masked(*opened) : *opened;
  out.set_given_name(profile.given_name);
  out.set_family_name(profile.family_name);
  out.set_phone(profile.phone);
  out.set_email(profile.email);
  out.set_address(profile.address);
  out.set_birth_date(profile.birth_date);
  return absl::OkStatus();
}

absl::StatusOr<v1::Member> MemberView::ToProto(const rpc::Call& call, const MemberRow& member,
                                               CardNumber shown_card) const {
  v1::Member proto;
  GUILDER_RETURN_IF_ERROR(AddProfile(call, member.account, member.sealed, proto));
  *proto.mutable_enrol_time() = rpc::ToProto(member.enrolled_at);
  const bool partner = call.principal().IsPartner();
  for (const CardRow& card : member.cards) {
    if (!partner || card.number == shown_card) *proto.add_cards() = CardToProto(card);
  }
  if (partner || proto.erased() || member.people.empty()) return proto;
  const auto key = vault_.OpenKey(member.account, *member.sealed);
  for (const PersonRow& row : member.people) {
    const auto person = key ? key->Open(kSharedProfile, row.sealed_profile) : std::nullopt;
    if (!person) return absl::InternalError("a person's profile does not open with these secrets");
    v1::Person& out = *proto.add_people();
    out.set_name(absl::StrCat(proto.name(), "/people/", row.number));
    out.set_given_name(person->given_name);
    out.set_family_name(person->family_name);
    out.set_phone(person->phone);
    out.set_email(person->email);
  }
  return proto;
}

absl::StatusOr<v1::Member> MemberView::ReadVisible(const rpc::Call& call,
                                                   postgres::Transaction& transaction,
                                                   AccountId account, CardNumber shown_card,
                                                   const char* action) const {
  GUILDER_RETURN_IF_ERROR(CheckMayName(call, transaction, account, shown_card));
  const auto member = ReadMember(transaction, account);
  if (!member) return Refuse(Reason::kMemberNotFound);
  GUILDER_ASSIGN_OR_RETURN(v1::Member seen, ToProto(call, *member, shown_card));
  if (call.principal().IsOperator()) {
    rpc::AuditReading(transaction, call, action, MemberName(account));
  }
  return seen;
}

}  // namespace guilder::member
