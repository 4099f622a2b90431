// Who is who: phone numbers, and the names that callers have for members.
#include <future>
#include <set>
#include <vector>

#include "tests/service/person_world.h"

namespace guilder::member {
namespace {

TEST_CASE("FindMember: two partners cannot compare what they call a member",
          "[service][member][inv-89]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  const auto find = [&](const std::string& partner) {
    v1::FindMemberRequest request;
    request.set_card_number(ada.card);
    const auto found = PersonWorld::Call<v1::MemberService>(
        world.coalition.AsPartner(partner), &v1::MemberService::Stub::FindMember, request);
    REQUIRE(found.ok());
    return found->member().name();
  };
  const auto get = [&](const std::string& partner, const std::string& name) {
    v1::GetMemberRequest request;
    request.set_name(name);
    return PersonWorld::Call<v1::MemberService>(world.coalition.AsPartner(partner),
                                                &v1::MemberService::Stub::GetMember, request);
  };

  const std::string here = find("fresh");
  const std::string there = find("books");

  CHECK(here != there);
  const std::string account = ada.name.substr(sizeof "members/" - 1);
  CHECK(here.find(account) == std::string::npos);
  CHECK(there.find(account) == std::string::npos);
  // A name opens for whom it was made, and a partner names nobody by the account.
  CHECK(get("fresh", here).ok());
  CHECK(ReasonOf(get("books", here)) == Reason::kMemberNotFound);
  CHECK(ReasonOf(get("fresh", ada.name)) == Reason::kMemberNotFound);
}

TEST_CASE("EnrolMember: who has a member's phone number is that member", "[service][member]") {
  const PersonWorld world;
  const auto first = world.Enrol();

  const auto again = world.TryEnrol(PersonWorld::Ada("0049-30-1234567"));

  REQUIRE(again.ok());
  CHECK(again->existed());
  CHECK(again->member() == first.partner);
  CHECK(again->card_number().empty());
  CHECK_FALSE(again->has_journal_receipt());
  CHECK(world.Count("member.members") == 1);
}

TEST_CASE("EnrolMember: callers who enrol one phone number at once make one member",
          "[service][member][inv-13]") {
  const PersonWorld world;
  std::vector<std::future<absl::StatusOr<v1::EnrolMemberResponse>>> running;
  for (int i = 0; i < 16; ++i) {
    running.push_back(
        std::async(std::launch::async, [&] { return world.TryEnrol(PersonWorld::Ada()); }));
  }
  std::set<std::string> members;
  int posted = 0;
  for (auto& one : running) {
    const auto enrolled = one.get();
    REQUIRE(enrolled.ok());
    members.insert(enrolled->member());
    posted += enrolled->existed() ? 0 : 1;
  }
  CHECK(members.size() == 1);
  CHECK(posted == 1);
  CHECK(world.Count("member.members") == 1);
}

TEST_CASE("FindMember: what staff reads of a person is noted, and what a till reads is not",
          "[service][member][inv-99]") {
  const PersonWorld world;
  const auto ada = world.Enrol();
  v1::FindMemberRequest request;
  request.set_card_number(ada.card);
  const auto noted = [&] {
    return world.Count("operator.audit_log where resource = '" + ada.name +
                       "' and actor = 'operators/anna'");
  };
  const auto before = noted();
  REQUIRE(PersonWorld::Call<v1::MemberService>(world.Partner(),
                                               &v1::MemberService::Stub::FindMember, request)
              .ok());
  CHECK(noted() == before);

  REQUIRE(PersonWorld::Call<v1::MemberService>(world.Operator(),
                                               &v1::MemberService::Stub::FindMember, request)
              .ok());
  REQUIRE(world.Get(ada.name).ok());
  v1::ListConsentsRequest consents;
  consents.set_parent(ada.name);
  REQUIRE(world.Ask(&v1::PersonService::Stub::ListConsents, consents).ok());

  CHECK(noted() == before + 3);
  // Who read what of whom, and never what it was.
  CHECK(world.Count("operator.audit_log where (before || after || resource) ~ "
                    "'Byron|49301234567|countess'") == 0);
}

}  // namespace
}  // namespace guilder::member
