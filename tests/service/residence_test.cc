// Where points do not expire by time alone: who lives there, from when on, and what follows.
#include <string>
#include <vector>

#include "guilder/member/v1/person_service.grpc.pb.h"
#include "guilder/member/v1/standing_service.grpc.pb.h"

#include "libs/rpc/proto_time.h"
#include "tests/service/points_world.h"

namespace guilder::member {
namespace {

// Points of new members live for 30 days; whoever lives in Germany or California keeps them, and
// for ten days more.
struct World : PointsWorld {
  World() {
    List({"DE", "US-CA"});
    Change("update ledger.programmes set time_zone = 'America/Los_Angeles'");
  }

  void List(const std::vector<std::string>& places) const {
    v1::PointsPolicy policy = Policy();
    policy.mutable_transfer()->set_allowed(true);
    policy.mutable_transfer()->set_account_age_days(0);
    *policy.mutable_residence()->mutable_places() = {places.begin(), places.end()};
    policy.mutable_residence()->set_grace_days(10);
    REQUIRE(SetPolicy(policy).ok());
  }
  absl::StatusOr<v1::SetResidenceResponse> TryMove(const Person& person, const std::string& place,
                                                   int days = 0) const {
    v1::SetResidenceRequest request;
    request.set_member(person.name);
    request.set_place(place);
    if (days != 0) {
      *request.mutable_from_time() =
          rpc::ToProto(coalition.Now() + Timestamp(days * kMicrosPerDay));
    }
    return Call<v1::StandingService>(Operator(), &v1::StandingService::Stub::SetResidence, request);
  }
  // From so many days after today on.
  void Move(const Person& person, const std::string& place, int days = 0) const {
    const auto moved = TryMove(person, place, days);
    if (!moved.ok()) FAIL(moved.status().ToString());
    CHECK(moved->residence().place() == place);
  }
  absl::StatusOr<v1::ListResidencesResponse> Residences(const Person& person) const {
    v1::ListResidencesRequest request;
    request.set_parent(person.name);
    return Call<v1::StandingService>(Operator(), &v1::StandingService::Stub::ListResidences,
                                     request);
  }
  int64_t Available(const Person& person) const { return Balance(person).available_points(); }
  // What is said to expire in so many days, over all members.
  int64_t Expiring(int days) const {
    v1::PreviewExpiryRequest request;
    *request.mutable_until() = rpc::ToProto(coalition.Now() + Timestamp(days * kMicrosPerDay));
    int64_t points = 0;
    do {
      const auto page = Ask(&Staff::PreviewExpiry, request);
      REQUIRE(page.ok());
      for (const auto& expiry : page->expiries()) points += expiry.points();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return points;
  }
  int64_t Sweep() const {
    v1::SweepExpiryRequest request;
    int64_t brought_up = 0;
    do {
      const auto page = Ask(&Staff::SweepExpiry, request);
      REQUIRE(page.ok());
      brought_up += page->accounts_brought_up();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return brought_up;
  }
};

TEST_CASE("Residence: points do not expire by time where the policy says so, and do after a move",
          "[service][member][inv-70]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  world.Move(anna, "DE");
  world.Move(bert, "FR");
  CHECK(world.Expiring(40) == 1'000);

  world.coalition.AdvanceDays(50);

  // Commands, readers and sweeps agree.
  CHECK(world.Available(anna) == 1'000);
  CHECK(world.Available(bert) == 0);
  CHECK(world.Sweep() == 1);
  CHECK(world.Sweep() == 0);
  REQUIRE(world.Capture(*world.Hold(anna, 100), 100).ok());
  CHECK(world.Expiring(1'000) == 0);
  v1::ListLotsRequest lots;
  lots.set_parent(anna.name);
  CHECK_FALSE(world.Ask(&World::Members::ListLots, lots)->lots(0).has_expires_at());

  // Announced ahead: what is over by its own date lives to the end of the days of grace.
  world.Move(anna, "FR", 5);
  CHECK(world.Expiring(14) == 0);
  CHECK(world.Expiring(17) == 900);
  world.coalition.AdvanceDays(14);
  CHECK(world.Available(anna) == 900);
  world.coalition.AdvanceDays(3);
  CHECK(world.Available(anna) == 0);
  // That the time is over is told to the ledger, which brings the account up.
  CHECK(world.Sweep() == 0);
  CHECK(world.Count("select sum(expired)::bigint from ledger.lots") == 1'900);
}

TEST_CASE("Residence: what expired before a move was told of comes back, with its issuer, once",
          "[service][member][inv-70]") {
  const World world;
  const auto anna = world.Enrol();
  world.coalition.AdvanceDays(40);
  REQUIRE(world.Sweep() == 1);
  REQUIRE(world.Available(anna) == 0);

  // Since a day after the points' last one: nothing comes back.
  world.Move(anna, "US-CA", -5);
  CHECK(world.Available(anna) == 0);
  world.Move(anna, "US-CA", -20);
  CHECK(world.Available(anna) == 1'000);
  world.Move(anna, "US-CA", -20);

  CHECK(world.Available(anna) == 1'000);
  CHECK(world.Count("select count(distinct (issuer_id, contract_id)) from ledger.lots") == 1);
  CHECK(world.Count("select count(*) from ledger.journal where kind = 65") == 2);
  CHECK(world.Residences(anna)->residences_size() == 2);
  world.coalition.AdvanceDays(400);
  CHECK(world.Sweep() == 0);
  CHECK(world.Available(anna) == 1'000);
}

TEST_CASE("Residence: a change of the list reaches members with the next sweep",
          "[service][member][inv-70]") {
  const World world;
  const auto anna = world.Enrol();
  world.Move(anna, "CA-QC");
  world.coalition.AdvanceDays(20);
  world.List({"CA"});
  world.coalition.AdvanceDays(20);
  // Nobody told the ledger yet.
  CHECK(world.Available(anna) == 0);
  world.Sweep();
  CHECK(world.Available(anna) == 1'000);
  world.List({});
  world.Sweep();
  world.coalition.AdvanceDays(10);
  CHECK(world.Available(anna) == 1'000);
  world.coalition.AdvanceDays(1);
  CHECK(world.Available(anna) == 0);
}

TEST_CASE("Residence: a change of the policy that says nothing of residences tells nobody anew",
          "[service][member][inv-70]") {
  const World world;
  const auto anna = world.Enrol();
  world.Move(anna, "DE");
  world.Sweep();
  const auto tellings = [&] {
    return world.Count("select sum(tellings)::bigint from member.resident_accounts");
  };
  const int64_t before = tellings();

  v1::PointsPolicy policy = world.Policy();
  policy.mutable_transfer()->set_account_age_days(7);
  REQUIRE(world.SetPolicy(policy).ok());
  world.Sweep();
  CHECK(tellings() == before);
  policy = world.Policy();
  policy.mutable_residence()->set_grace_days(20);
  REQUIRE(world.SetPolicy(policy).ok());
  world.Sweep();
  CHECK(tellings() == before + 1);
}

TEST_CASE("Residence: points that go to who lives elsewhere live on for a while, and no longer",
          "[service][member][inv-67][inv-70]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  world.Move(anna, "DE");
  world.coalition.AdvanceDays(50);
  REQUIRE(world.Available(bert) == 0);

  const auto given = world.Transfer(anna, bert, 300);
  if (!given.ok()) FAIL(given.status().ToString());

  CHECK(world.Available(bert) == 300);
  world.coalition.AdvanceDays(90);
  CHECK(world.Available(bert) == 300);
  world.coalition.AdvanceDays(1);
  CHECK(world.Available(bert) == 0);
  CHECK(world.Available(anna) == 700);
}

TEST_CASE("Residence: who goes on after a merge lives where the other one lived",
          "[service][member][inv-70][inv-71]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  world.Move(anna, "DE");
  world.coalition.AdvanceDays(50);

  REQUIRE(world.Merge(anna, bert).ok());
  CHECK(world.Available(bert) == 1'000);
  // The person lived there all the time, so what had expired comes back.
  world.Sweep();
  CHECK(world.Available(bert) == 2'000);
  world.coalition.AdvanceDays(200);
  CHECK(world.Available(bert) == 2'000);
  REQUIRE(world.Residences(bert)->residences_size() == 1);
  CHECK(world.Residences(anna)->residences(0).place() == "DE");

  // The first move of the one that goes on is no reason to forget where it lived until then.
  world.Move(bert, "FR");
  REQUIRE(world.Residences(bert)->residences_size() == 2);
  CHECK(world.Residences(bert)->residences(0).place() == "DE");
  CHECK(world.Residences(bert)->residences(1).place() == "FR");
  CHECK(world.Count("select count(*) from member.residences") == 3);
  world.coalition.AdvanceDays(1);
  CHECK(world.Available(bert) == 2'000);
  world.coalition.AdvanceDays(10);
  CHECK(world.Available(bert) == 0);
}

TEST_CASE("Residence: nobody reads in the database where somebody lives, and erasure ends it",
          "[service][member][inv-100]") {
  const World world;
  const auto anna = world.Enrol();
  world.Move(anna, "US-CA");
  CHECK(world.Count("select count(*) from member.residences r where position('US-CA' in "
                    "encode(r.sealed_place, 'escape') || r.noted_by) > 0") == 0);
  CHECK(world.Count("select count(*) from ledger.journal where position('US-CA' in "
                    "encode(content || response, 'escape')) > 0") == 0);
  CHECK(world.Count("select count(*) from operator.audit_log where audit_log::text "
                    "like '%SetResidence%US-CA%'") == 0);

  v1::EraseMemberRequest erase;
  erase.set_request_id(clients::NewRequestId());
  erase.set_name(anna.name);
  REQUIRE(
      World::Call<v1::PersonService>(world.Operator(), &v1::PersonService::Stub::EraseMember, erase)
          .ok());

  CHECK(world.Count("select count(*) from member.residences") == 0);
  CHECK(world.Count("select count(*) from member.resident_accounts") == 0);
  CHECK(ReasonOf(world.TryMove(anna, "DE")) == Reason::kMemberErased);
  CHECK(ReasonOf(world.Residences(anna)) == Reason::kMemberErased);
}

TEST_CASE("Residence: what is no place, and who is nobody, are refused", "[service][member]") {
  const World world;
  const auto anna = world.Enrol();
  CHECK(ReasonOf(world.TryMove(anna, "Germany")) == Reason::kRequestMalformed);
  CHECK(ReasonOf(world.TryMove({"members/65537999", ""}, "DE")) == Reason::kMemberNotFound);
  CHECK(ReasonOf(world.Residences({"members/65537999", ""})) == Reason::kMemberNotFound);
  v1::PointsPolicy policy = world.Policy();
  policy.mutable_residence()->add_places("Germany");
  CHECK(ReasonOf(world.SetPolicy(policy)) == Reason::kRequestMalformed);
  policy = world.Policy();
  policy.mutable_residence()->set_grace_days(-1);
  CHECK(ReasonOf(world.SetPolicy(policy)) == Reason::kRequestMalformed);
  CHECK(world.Residences(anna)->residences_size() == 0);
}

}  // namespace
}  // namespace guilder::member
