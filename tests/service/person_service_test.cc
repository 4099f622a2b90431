#include <future>
#include <vector>

#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "tests/service/person_world.h"

namespace guilder::member {
namespace {

using Stub = v1::PersonService::Stub;

v1::UpdateMemberRequest AnUpdate(const std::string& name) {
  v1::UpdateMemberRequest request;
  request.mutable_member()->set_name(name);
  return request;
}

TEST_CASE("UpdateMember: changes what the mask names, and who is found by it",
          "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  auto request = AnUpdate(ada.name);
  request.mutable_member()->set_phone("+44 20 7946 0000");
  request.mutable_member()->set_given_name("Augusta");
  request.mutable_update_mask()->add_paths("phone");

  const auto updated = world.Ask(&Stub::UpdateMember, request);

  REQUIRE(updated.ok());
  CHECK(updated->member().phone() == "+442079460000");
  CHECK(updated->member().given_name() == "Ada");
  CHECK(updated->member().address() == "12 Saint James's Square\nLondon");
  CHECK(world.FindByPhone("+442079460000")->name() == ada.name);
  CHECK(ReasonOf(world.FindByPhone("+49301234567")) == Reason::kMemberNotFound);
}

TEST_CASE("UpdateMember: refusals in their order", "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  world.Enrol(PersonWorld::Ada("+49307654321"));
  auto request = AnUpdate("members/17");
  const auto refused = [&] { return ReasonOf(world.Ask(&Stub::UpdateMember, request)); };
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_update_mask()->add_paths("name");
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_update_mask()->set_paths(0, "phone");
  request.mutable_member()->set_phone("030 7654321");
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_member()->set_phone("+49 30 7654321");
  request.mutable_member()->set_birth_date("31.12.1985");
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_member()->clear_birth_date();
  CHECK(refused() == Reason::kMemberNotFound);
  request.mutable_member()->set_name(ada.name);
  CHECK(refused() == Reason::kAlreadyExists);
  request.mutable_member()->set_address(std::string("a\0b", 3));
  CHECK(refused() == Reason::kRequestMalformed);
}

TEST_CASE("AddPerson: several people use one account, and each is found", "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  v1::AddPersonRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_parent(ada.name);
  request.mutable_person()->set_given_name("William");
  request.mutable_person()->set_phone("+49 30 7654321");

  const auto added = world.Ask(&Stub::AddPerson, request);
  const auto repeated = world.Ask(&Stub::AddPerson, request);

  REQUIRE(added.ok());
  REQUIRE(repeated.ok());
  CHECK(repeated->person().name() == added->person().name());
  CHECK(world.FindByPhone("+49307654321")->name() == ada.name);
  REQUIRE(world.Get(ada.name)->people_size() == 1);
  CHECK(world.Get(ada.name)->people(0).given_name() == "William");
  // A person who is known enrols nobody new.
  CHECK(world.TryEnrol(PersonWorld::Ada("+49307654321"))->member() == ada.partner);

  v1::RemovePersonRequest remove;
  remove.set_name(added->person().name());
  CHECK(world.Ask(&Stub::RemovePerson, remove).ok());
  CHECK(world.Ask(&Stub::RemovePerson, remove).ok());
  CHECK(ReasonOf(world.FindByPhone("+49307654321")) == Reason::kMemberNotFound);
  remove.set_name("members/1/people/99999999999");
  CHECK(ReasonOf(world.Ask(&Stub::RemovePerson, remove)) == Reason::kMemberNotFound);
}

TEST_CASE("AddPerson: refusals in their order", "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  v1::AddPersonRequest request;
  const auto refused = [&] { return ReasonOf(world.Ask(&Stub::AddPerson, request)); };
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_person()->set_given_name("William");
  CHECK(refused() == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  request.set_parent("members/x");
  CHECK(refused() == Reason::kMemberNotFound);
  request.set_parent(ada.name);
  request.mutable_person()->set_phone("+49301234567");
  CHECK(refused() == Reason::kAlreadyExists);
  request.mutable_person()->clear_phone();
  REQUIRE(world.Ask(&Stub::AddPerson, request).ok());
  request.mutable_person()->set_given_name("Ralph");
  CHECK(refused() == Reason::kRequestIdReused);
  REQUIRE(world.Erase(ada.name).ok());
  CHECK(refused() == Reason::kMemberErased);
}

v1::SetConsentRequest AConsent(const std::string& member, bool granted,
                               const std::string& partner = "partners/fresh") {
  v1::SetConsentRequest request;
  request.set_member(member);
  request.mutable_consent()->set_partner(partner);
  request.mutable_consent()->set_purpose(v1::CONSENT_PURPOSE_MARKETING);
  request.mutable_consent()->set_channel(v1::CONSENT_CHANNEL_EMAIL);
  request.mutable_consent()->set_granted(granted);
  request.mutable_consent()->set_source("form 3");
  return request;
}

v1::CheckConsentsRequest ACheck(const std::vector<std::string>& members) {
  v1::CheckConsentsRequest request;
  request.set_partner("partners/fresh");
  request.set_purpose(v1::CONSENT_PURPOSE_MARKETING);
  request.set_channel(v1::CONSENT_CHANNEL_EMAIL);
  for (const std::string& member : members) request.add_members(member);
  return request;
}

TEST_CASE("CheckConsents: who withdrew after being chosen is not written to",
          "[service][member][inv-102]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  const auto eve = world.Enrol(PersonWorld::Ada("+49307654321"));
  for (const auto& one : {ada, eve}) {
    REQUIRE(world.Ask(&Stub::SetConsent, AConsent(one.name, true)).ok());
  }
  // As the partner chooses them, and asks again when messages leave.
  const auto chosen = PersonWorld::Call<v1::PersonService>(
      world.Partner(), &Stub::CheckConsents, ACheck({ada.partner, eve.partner, "members/p-0"}));
  REQUIRE(chosen.ok());
  REQUIRE(chosen->members_size() == 2);

  REQUIRE(world.Ask(&Stub::SetConsent, AConsent(ada.name, false)).ok());

  const auto left = PersonWorld::Call<v1::PersonService>(
      world.Partner(), &Stub::CheckConsents,
      ACheck({chosen->members().begin(), chosen->members().end()}));
  REQUIRE(left.ok());
  REQUIRE(left->members_size() == 1);
  CHECK(left->members(0) == eve.partner);
  // Who was erased is written to by nobody, whatever was agreed before.
  REQUIRE(world.Erase(eve.name).ok());
  CHECK(world.Ask(&Stub::CheckConsents, ACheck({ada.name, eve.name}))->members_size() == 0);
}

TEST_CASE("SetConsent: each partner, purpose and channel has its history", "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  for (const bool granted : {true, true, false, true}) {
    REQUIRE(world.Ask(&Stub::SetConsent, AConsent(ada.name, granted)).ok());
  }
  REQUIRE(world.Ask(&Stub::SetConsent, AConsent(ada.name, true, "partners/house")).ok());
  v1::ListConsentsRequest request;
  request.set_parent(ada.name);

  const auto now = world.Ask(&Stub::ListConsents, request);
  request.set_history(true);
  request.set_page_size(3);
  const auto history = world.Ask(&Stub::ListConsents, request);

  REQUIRE(now.ok());
  CHECK(now->consents_size() == 2);
  REQUIRE(history.ok());
  REQUIRE(history->consents_size() == 3);
  CHECK(history->consents(0).granted());
  CHECK_FALSE(history->consents(1).granted());
  CHECK(history->consents(1).changed_by() == "operators/anna");
  CHECK(history->consents(1).source() == "form 3");
  request.set_page_token(history->next_page_token());
  CHECK(world.Ask(&Stub::ListConsents, request)->consents_size() == 1);
  // A partner sees what concerns itself.
  v1::ListConsentsRequest own;
  own.set_parent(ada.partner);
  const auto seen = PersonWorld::Call<v1::PersonService>(world.Partner(), &Stub::ListConsents, own);
  REQUIRE(seen.ok());
  CHECK(seen->consents_size() == 1);
}

TEST_CASE("SetConsent: refusals in their order", "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  auto request = AConsent("members/1", true, "partners/nobody");
  request.mutable_consent()->clear_channel();
  const auto refused = [&] { return ReasonOf(world.Ask(&Stub::SetConsent, request)); };
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_consent()->set_channel(v1::CONSENT_CHANNEL_SMS);
  CHECK(refused() == Reason::kPartnerNotFound);
  request.mutable_consent()->set_partner("partners/books");
  CHECK(refused() == Reason::kMemberNotFound);
  request.set_member(ada.partner);
  CHECK(ReasonOf(PersonWorld::Call<v1::PersonService>(world.Partner(), &Stub::SetConsent,
                                                      request)) == Reason::kNotYours);
  request.mutable_consent()->set_source(std::string(101, 'x'));
  CHECK(refused() == Reason::kRequestMalformed);
  auto check = ACheck(std::vector<std::string>(1'001, ada.name));
  CHECK(ReasonOf(world.Ask(&Stub::CheckConsents, check)) == Reason::kRequestMalformed);
  v1::ListConsentsRequest list;
  list.set_parent("members/1");
  list.set_page_token("forged");
  CHECK(ReasonOf(world.Ask(&Stub::ListConsents, list)) == Reason::kPageTokenInvalid);
  list.clear_page_token();
  CHECK(ReasonOf(world.Ask(&Stub::ListConsents, list)) == Reason::kMemberNotFound);
}

TEST_CASE("CloseMember: what the account has expires, and it earns no more", "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  v1::CloseMemberRequest request;
  request.set_request_id("1");
  request.set_name(ada.name);
  CHECK(ReasonOf(world.Ask(&Stub::CloseMember, request)) == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());

  const auto closed = world.Ask(&Stub::CloseMember, request);
  const auto repeated = world.Ask(&Stub::CloseMember, request);

  REQUIRE(closed.ok());
  CHECK(closed->expired_points() == 50);
  REQUIRE(repeated.ok());
  CHECK(repeated->SerializeAsString() == closed->SerializeAsString());
  request.set_request_id(clients::NewRequestId());
  CHECK(ReasonOf(world.Ask(&Stub::CloseMember, request)) == Reason::kAccountClosed);
  request.set_name("members/65539");
  CHECK(ReasonOf(world.Ask(&Stub::CloseMember, request)) == Reason::kMemberNotFound);
  CHECK(world.Count("ledger.accounts where status = 1") == 1);
}

TEST_CASE("CloseMember: a payment under way comes first", "[service][member]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  world.coalition.AdvanceDays(20);
  redemption::v1::AuthorizeRedemptionRequest hold;
  hold.set_request_id(clients::NewRequestId());
  hold.set_store("partners/books/stores/s1");
  hold.set_card_number(ada.card);
  hold.set_points(10);
  const auto held = PersonWorld::Call<redemption::v1::RedemptionService>(
      world.coalition.AsPartner("books"),
      &redemption::v1::RedemptionService::Stub::AuthorizeRedemption, hold);
  INFO(held.status().ToString());
  REQUIRE(held.ok());
  v1::CloseMemberRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_name(ada.name);
  CHECK(ReasonOf(world.Ask(&Stub::CloseMember, request)) == Reason::kWrongState);
  CHECK(ReasonOf(world.Erase(ada.name)) == Reason::kErasurePostponed);
}

TEST_CASE("EraseMember: a retention lock postpones it until it ends or is lifted",
          "[service][member][inv-100]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  v1::LockMemberRequest request;
  const auto refused = [&] { return ReasonOf(world.Ask(&Stub::LockMember, request)); };
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_reason("tax records");
  CHECK(refused() == Reason::kRequestMalformed);
  *request.mutable_until() = rpc::ToProto(testing::InDays(90));
  CHECK(refused() == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  request.set_member("members/1");
  CHECK(refused() == Reason::kMemberNotFound);
  request.set_member(ada.name);
  const auto locked = world.Ask(&Stub::LockMember, request);
  REQUIRE(locked.ok());
  CHECK(world.Ask(&Stub::LockMember, request)->lock() == locked->lock());
  request.set_reason("a lawsuit");
  CHECK(refused() == Reason::kRequestIdReused);

  const auto postponed = world.Erase(ada.name);

  CHECK(ReasonOf(postponed) == Reason::kErasurePostponed);
  CHECK(DetailsOf(postponed.status()).at("by") == locked->lock());
  CHECK(world.Get(ada.name)->given_name() == "Ada");
  v1::UnlockMemberRequest unlock;
  unlock.set_lock("retentionLocks/77");
  CHECK(ReasonOf(world.Ask(&Stub::UnlockMember, unlock)) == Reason::kNameNotFound);
  unlock.set_lock(locked->lock());
  CHECK(world.Ask(&Stub::UnlockMember, unlock).ok());
  CHECK(world.Ask(&Stub::UnlockMember, unlock).ok());
  CHECK(world.Erase(ada.name).ok());
  CHECK(refused() == Reason::kMemberErased);
  auto update = AnUpdate(ada.name);
  update.mutable_update_mask()->add_paths("given_name");
  CHECK(ReasonOf(world.Ask(&Stub::UpdateMember, update)) == Reason::kMemberErased);
  CHECK(ReasonOf(world.Ask(&Stub::SetConsent, AConsent(ada.name, true))) == Reason::kMemberErased);
}

TEST_CASE("EraseMember: an open dispute of what was posted for the member postpones it",
          "[service][member][inv-100]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  const std::string now = std::to_string(world.coalition.Now().value());
  // A dispute of what the partner that enrolled the member posted; without the lines around it.
  world.Query(
      "set session_replication_role = replica; "
      "insert into settlement.settlements (settlement_id, programme_id, currency, state, start_us, "
      "end_us, computed_by) values (7, 1, 'EUR', 'COMPUTED', 0, " +
      now +
      " + 1, 'test'); "
      "insert into settlement.disputes (partner_id, settlement_id, line, amount, reason, evidence, "
      "evidence_name, state, excluded, opened_by, opened_at_us, deadline_us, default_outcome, "
      "request_id) select partner_id, 7, 1, 100, 'r', '', 'e', 'OPEN', false, 'test', 0, " +
      now + " + 1000000, 'REJECTED', gen_random_uuid() from partner.partners where slug = 'fresh'");

  const auto postponed = world.Erase(ada.name);

  CHECK(ReasonOf(postponed) == Reason::kErasurePostponed);
  CHECK(DetailsOf(postponed.status()).at("by").rfind("disputes/", 0) == 0);
  world.Query("update settlement.disputes set state = 'REJECTED', resolved_at_us = 1");
  CHECK(world.Erase(ada.name).ok());
  world.Query("delete from settlement.disputes");
  world.Query("delete from settlement.settlements");
}

TEST_CASE("EraseMember: PIN, one-time code and devices go, and what merged accounts had",
          "[service][member][inv-100]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  const auto old = world.Enrol(PersonWorld::Ada("+49307654321"));
  for (const auto& person : {ada, old}) {
    const std::string account = person.name.substr(8);
    world.Query(
        "insert into redemption.members (book, account_id, pin_hash, pin_set_us, code_hash) values "
        "(" +
        account + " & 65535, " + account + ", 'hash', 1, 'code')");
    world.Query(
        "insert into redemption.devices (book, account_id, device_key, first_used_us) values (" +
        account + " & 65535, " + account + ", '00000000-0000-0000-0000-000000000001', 1)");
  }
  v1::MergeMembersRequest merge;
  merge.set_request_id(clients::NewRequestId());
  merge.set_source(old.name);
  merge.set_target(ada.name);
  REQUIRE(PersonWorld::Call<v1::MemberService>(world.Operator(),
                                               &v1::MemberService::Stub::MergeMembers, merge)
              .ok());

  REQUIRE(world.Erase(ada.name).ok());
  REQUIRE(world.Erase(ada.name).ok());

  CHECK(world.Count("redemption.members where pin_hash is not null or code_hash is not null") == 0);
  CHECK(world.Count("redemption.devices") == 0);
  CHECK(world.Count("member.members where sealed_key is not null or phone_index is not null") == 0);
}

}  // namespace
}  // namespace guilder::member
