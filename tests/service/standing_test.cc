// Tiers, segments and birthdays: who sets them, and which purchases earn by them.
#include <string>

#include "absl/time/civil_time.h"
#include "guilder/member/v1/document_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/member/v1/person_service.grpc.pb.h"
#include "guilder/member/v1/standing_service.grpc.pb.h"

#include "libs/base/text.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/standing_service.h"
#include "tests/service/earning_world.h"
#include "tests/support/invariants.h"

namespace guilder::accrual {
namespace {

namespace mv1 = member::v1;
using Standing = mv1::StandingService::Stub;

void AddMemberServices(testing::Coalition& coalition) {
  testing::ServiceNetwork& network = coalition.network();
  const member::MemberServiceDependencies members{network.runtime(), network.pool(),
                                                  coalition.lanes(), network.secrets()};
  network.Add(member::MakeMemberService(members), member::kMemberServiceName);
  network.Add(member::MakePersonService(members), member::kPersonServiceName);
  network.Add(member::MakeStandingService(members), member::kStandingServiceName);
  network.Add(member::MakeDocumentService(members), member::kDocumentServiceName);
}

struct Enrolled {
  std::string name;
  std::string card;
};

struct StandingWorld : EarningWorld {
  StandingWorld() : EarningWorld(AddMemberServices) {}
  ~StandingWorld() { testing::CheckInvariants(coalition.database()); }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                               const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    // A stub's class stands in its service's.
    using Of = std::conditional_t<
        std::is_same_v<Service, Standing>, mv1::StandingService,
        std::conditional_t<std::is_same_v<Service, mv1::PersonService::Stub>, mv1::PersonService,
                           std::conditional_t<std::is_same_v<Service, mv1::MemberService::Stub>,
                                              mv1::MemberService, mv1::MemberDocumentService>>>;
    return clients::Client<Of>(coalition.network().AsOperator("anna"))
        .Invoke(method, request, once);
  }

  Enrolled Enrol(const std::string& birth_date = "") const {
    mv1::EnrolMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_member()->set_given_name("Ada");
    request.mutable_member()->set_birth_date(birth_date);
    const auto answer = Ask(&mv1::MemberService::Stub::EnrolMember, request);
    INFO(answer.status().ToString());
    REQUIRE(answer.ok());
    return {answer->member(), answer->card_number()};
  }
  absl::StatusOr<mv1::SetTierResponse> SetTier(const Enrolled& who, const std::string& tier,
                                               Timestamp from = Timestamp(0)) const {
    mv1::SetTierRequest request;
    request.set_member(who.name);
    request.set_tier(tier);
    if (from > Timestamp(0)) *request.mutable_from_time() = rpc::ToProto(from);
    return Ask(&Standing::SetTier, request);
  }
  absl::StatusOr<mv1::AddSegmentResponse> AddTo(const Enrolled& who,
                                                const std::string& segment) const {
    mv1::AddSegmentRequest request;
    request.set_member(who.name);
    request.set_segment(segment);
    return Ask(&Standing::AddSegment, request);
  }
  // A purchase of so many euros on one line, so long ago.
  v1::RecordPurchaseRequest PurchaseOf(const Enrolled& who, int64_t euros,
                                       int64_t ago_us = 0) const {
    v1::RecordPurchaseRequest request = APurchase(euros, who.card);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now() - Timestamp(ago_us));
    return request;
  }
  int64_t Earns(const Enrolled& who, int64_t euros, int64_t ago_us = 0) const {
    return Buy(PurchaseOf(who, euros, ago_us)).points();
  }
  v1::RecordReturnResponse Return(const std::string& purchase) const {
    v1::RecordReturnRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/fresh/stores/s1");
    request.set_purchase(purchase);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    v1::ReturnLine& line = *request.add_lines();
    line.set_line_id("1");
    line.set_quantity(1);
    const auto answer = AsPartner(&Stub::RecordReturn, request);
    INFO(answer.status().ToString());
    REQUIRE(answer.ok());
    return *answer;
  }
};

// 1 point per full euro; gold members twice.
v1::RuleSet DoubleForGold() {
  v1::RuleSet set = ASet();
  v1::EarnRule& gold = AddRule(set, "gold");
  gold.mutable_multiplier()->set_numerator(2);
  gold.mutable_multiplier()->set_denominator(1);
  gold.mutable_conditions()->add_tiers("gold");
  return set;
}

constexpr int64_t kHour = 3'600'000'000;

TEST_CASE("Tier: a purchase earns by the tier at its occurrence, whenever it comes",
          "[service][accrual][inv-29]") {
  const StandingWorld world;
  world.PutInForce(DoubleForGold());
  const Enrolled ada = world.Enrol();
  CHECK(world.Earns(ada, 10) == 10);

  REQUIRE(world.SetTier(ada, "gold").ok());

  const auto golden = world.Buy(world.PurchaseOf(ada, 10));
  CHECK(golden.points() == 20);
  // From before the change, posted after it.
  CHECK(world.Earns(ada, 10, kHour) == 10);
  REQUIRE(world.SetTier(ada, "").ok());
  CHECK(world.Earns(ada, 10) == 10);
  // What it earned goes back, whatever the member is now.
  CHECK(world.Explain(golden.name()).tier() == "gold");
  CHECK(world.Return(golden.name()).points_reversed() == 20);
}

TEST_CASE("Tier: a change ahead or back in time holds from its time on", "[service][member]") {
  const StandingWorld world;
  world.PutInForce(DoubleForGold());
  const Enrolled ada = world.Enrol();
  const Timestamp now = world.coalition.Now();

  REQUIRE(world.SetTier(ada, "gold", now - Timestamp(2 * kHour)).ok());
  REQUIRE(world.SetTier(ada, "silver", now + Timestamp(kDay)).ok());

  CHECK(world.Earns(ada, 10, kHour) == 20);
  CHECK(world.Earns(ada, 10, 3 * kHour) == 10);
  world.coalition.AdvanceDays(2);
  CHECK(world.Earns(ada, 10) == 10);
}

TEST_CASE("SetTier: what is so already changes nothing, and the history is listed by time",
          "[service][member][inv-107]") {
  const StandingWorld world;
  const Enrolled ada = world.Enrol();
  const Timestamp now = world.coalition.Now();
  REQUIRE(world.SetTier(ada, "gold", now).ok());
  REQUIRE(world.SetTier(ada, "gold", now).ok());
  REQUIRE(world.SetTier(ada, "silver", now - Timestamp(kHour)).ok());
  REQUIRE(world.SetTier(ada, "platinum", now + Timestamp(kHour)).ok());

  mv1::ListTierChangesRequest request;
  request.set_parent(ada.name);
  request.set_page_size(2);
  const auto first = world.Ask(&Standing::ListTierChanges, request);
  REQUIRE(first.ok());
  request.set_page_token(first->next_page_token());
  const auto second = world.Ask(&Standing::ListTierChanges, request);
  REQUIRE(second.ok());

  REQUIRE(first->changes_size() == 2);
  CHECK(first->changes(0).tier() == "silver");
  CHECK(first->changes(1).tier() == "gold");
  CHECK(first->changes(1).changed_by() == "operators/anna");
  REQUIRE(second->changes_size() == 1);
  CHECK(second->changes(0).tier() == "platinum");
  CHECK(second->next_page_token().empty());
  CHECK(world.Count("select count(*) from operator.audit_log where action like '%SetTier'") == 3);
}

TEST_CASE("Quote: the quoted tier is honoured when it is gone at the posting",
          "[service][accrual][inv-20]") {
  const StandingWorld world;
  world.PutInForce(DoubleForGold());
  const Enrolled ada = world.Enrol();
  REQUIRE(world.SetTier(ada, "gold").ok());
  v1::RecordPurchaseRequest purchase = world.PurchaseOf(ada, 10);
  const v1::QuotePurchaseResponse quote = world.Quote(purchase);
  CHECK(quote.points() == 20);
  CHECK(quote.member().tier() == "gold");
  REQUIRE(world.SetTier(ada, "").ok());

  *purchase.mutable_occurred_at() = rpc::ToProto(world.coalition.Now());
  v1::RecordPurchaseRequest unquoted = world.PurchaseOf(ada, 10);
  purchase.set_quote_token(quote.quote_token());
  const auto honoured = world.Buy(purchase);

  CHECK(honoured.points() == 20);
  CHECK(honoured.quote_outcome() == v1::QUOTE_OUTCOME_HONOURED);
  CHECK(world.Buy(unquoted).points() == 10);
}

TEST_CASE("Segment: members earn by the segments that they are in at the time",
          "[service][accrual]") {
  const StandingWorld world;
  v1::RuleSet set = ASet();
  v1::EarnRule& bonus = AddRule(set, "bakers");
  bonus.mutable_fixed_bonus()->set_points(7);
  bonus.mutable_conditions()->add_segments("bakers");
  world.PutInForce(set);
  const Enrolled ada = world.Enrol();
  CHECK(world.Earns(ada, 1) == 1);

  REQUIRE(world.AddTo(ada, "smiths").ok());
  REQUIRE(world.AddTo(ada, "bakers").ok());
  REQUIRE(world.AddTo(ada, "bakers").ok());
  const auto as_baker = world.Buy(world.PurchaseOf(ada, 1));
  CHECK(as_baker.points() == 8);
  mv1::RemoveSegmentRequest remove;
  remove.set_member(ada.name);
  remove.set_segment("bakers");
  REQUIRE(world.Ask(&Standing::RemoveSegment, remove).ok());
  CHECK(world.Earns(ada, 1) == 1);

  CHECK(world.Return(as_baker.name()).points_reversed() == 8);
  mv1::ListSegmentsRequest list;
  list.set_parent(ada.name);
  const auto now = world.Ask(&Standing::ListSegments, list);
  list.set_history(true);
  const auto ever = world.Ask(&Standing::ListSegments, list);
  REQUIRE((now.ok() && ever.ok()));
  REQUIRE(now->segments_size() == 1);
  CHECK(now->segments(0).segment() == "smiths");
  CHECK(ever->segments_size() == 2);
  // Of segments that no rule asks for nothing stands in the record.
  CHECK(
      world.Count("select count(*) from ledger.journal where position('smiths'::bytea in content) "
                  "> 0") == 0);
}

// 50 points once a year, on the birthday and the day after.
v1::RuleSet BirthdayBonus() {
  v1::RuleSet set = ASet();
  AddCap(set, "once", v1::CAP_SCOPE_MEMBER, v1::CAP_PERIOD_YEAR, 50);
  v1::EarnRule& bonus = AddRule(set, "birthday");
  bonus.mutable_fixed_bonus()->set_points(50);
  bonus.mutable_conditions()->mutable_birthday()->set_days_after(1);
  bonus.add_caps("once");
  return set;
}

std::string BornToday(const StandingWorld& world) {
  absl::TimeZone berlin;
  REQUIRE(absl::LoadTimeZone("Europe/Berlin", &berlin));
  return absl::FormatTime("1985-%m-%d", ToAbslTime(world.coalition.Now()), berlin);
}

TEST_CASE("Birthday: the day of birth gives its bonus once, and stands in no record",
          "[service][accrual][inv-30]") {
  const StandingWorld world;
  world.PutInForce(BirthdayBonus());
  const std::string born = BornToday(world);
  const Enrolled ada = world.Enrol(born);
  const Enrolled bob = world.Enrol("1985-02-29" == born ? "1984-07-01" : "");
  CHECK(world.Earns(bob, 1) == 1);

  v1::RecordPurchaseRequest quoted = world.PurchaseOf(ada, 1);
  const v1::QuotePurchaseResponse quote = world.Quote(quoted);
  CHECK(quote.points() == 51);
  quoted.set_quote_token(quote.quote_token());
  const auto bought = world.Buy(quoted);

  CHECK(bought.points() == 51);
  CHECK(world.Earns(ada, 1) == 1);
  // Another date of birth is no second birthday.
  mv1::UpdateMemberRequest update;
  update.mutable_member()->set_name(ada.name);
  update.mutable_member()->set_birth_date("1986" + born.substr(4));
  update.mutable_update_mask()->add_paths("birth_date");
  REQUIRE(world.Ask(&mv1::PersonService::Stub::UpdateMember, update).ok());
  CHECK(world.Earns(ada, 1) == 1);
  CHECK(world.Count("select count(*) from ledger.journal where position('" + born.substr(5) +
                    "'::bytea in content) > 0") == 0);
  // The record suffices to explain it.
  bool fired = false;
  const v1::ExplainPurchaseResponse explained = world.Explain(bought.name());
  for (const v1::RuleExplanation& rule : explained.rules()) {
    fired = fired || (rule.rule() == "birthday" && rule.outcome() == "FIRED");
  }
  CHECK(fired);
  CHECK(world.Return(bought.name()).points_reversed() == 51);
}

TEST_CASE("Birthday: a date that is told later counts from then on, also after keys were rotated",
          "[service][accrual]") {
  const StandingWorld world;
  world.PutInForce(BirthdayBonus());
  const Enrolled ada = world.Enrol();
  CHECK(world.Earns(ada, 1) == 1);

  mv1::UpdateMemberRequest update;
  update.mutable_member()->set_name(ada.name);
  update.mutable_member()->set_birth_date(BornToday(world));
  update.mutable_update_mask()->add_paths("birth_date");
  REQUIRE(world.Ask(&mv1::PersonService::Stub::UpdateMember, update).ok());
  // Somebody who was enrolled before days of birth were kept by themselves.
  world.coalition.database().Query("update member.members set sealed_birthday = null");
  const auto rotated =
      world.Ask(&mv1::PersonService::Stub::RotateMemberKeys, mv1::RotateMemberKeysRequest());
  INFO(rotated.status().ToString());
  REQUIRE(rotated.ok());

  CHECK(world.Earns(ada, 1) == 51);
}

TEST_CASE("EraseMember: tier, segments and the day of birth are gone",
          "[service][member][inv-100]") {
  const StandingWorld world;
  world.PutInForce(BirthdayBonus());
  const Enrolled ada = world.Enrol(BornToday(world));
  REQUIRE(world.SetTier(ada, "goldmember").ok());
  REQUIRE(world.AddTo(ada, "bakers").ok());
  const auto bought = world.Buy(world.PurchaseOf(ada, 1));

  mv1::EraseMemberRequest erase;
  erase.set_request_id(clients::NewRequestId());
  erase.set_name(ada.name);
  const auto erased = world.Ask(&mv1::PersonService::Stub::EraseMember, erase);
  INFO(erased.status().ToString());
  REQUIRE(erased.ok());

  CHECK(world.Count("select count(*) from member.tiers") == 0);
  CHECK(world.Count("select count(*) from member.segments") == 0);
  CHECK(world.Count("select count(*) from member.members where sealed_birthday is not null") == 0);
  CHECK(
      world.Count("select count(*) from operator.audit_log a where a::text like '%goldmember%' or "
                  "a::text like '%bakers%'") == 0);
  CHECK(ReasonOf(world.SetTier(ada, "gold").status()) == Reason::kMemberErased);
  // What was posted is explained, and comes back, as ever.
  CHECK(world.Explain(bought.name()).purchase().points() == 51);
}

TEST_CASE("Standing: an export has tiers and segments", "[service][member][inv-101]") {
  const StandingWorld world;
  const Enrolled ada = world.Enrol();
  REQUIRE(world.SetTier(ada, "gold").ok());
  REQUIRE(world.AddTo(ada, "bakers").ok());

  for (const auto format : {mv1::MEMBER_DOCUMENT_FORMAT_JSON, mv1::MEMBER_DOCUMENT_FORMAT_TEXT,
                            mv1::MEMBER_DOCUMENT_FORMAT_HTML}) {
    mv1::ExportMemberRequest request;
    request.set_name(ada.name);
    request.set_format(format);
    const auto exported = world.Ask(&mv1::MemberDocumentService::Stub::ExportMember, request);
    REQUIRE(exported.ok());
    CHECK(exported->content().find("gold") != std::string::npos);
    CHECK(exported->content().find("bakers") != std::string::npos);
  }
}

TEST_CASE("Standing: refusals in their order", "[service][member]") {
  const StandingWorld world;
  const Enrolled nobody{"members/655361", ""};
  const Enrolled ada = world.Enrol();

  for (const std::string& tier :
       std::vector<std::string>{"two words", "ä", "a,b", std::string(65, 'x')}) {
    CHECK(ReasonOf(world.SetTier(nobody, tier).status()) == Reason::kRequestMalformed);
    CHECK(ReasonOf(world.AddTo(nobody, tier).status()) == Reason::kRequestMalformed);
  }
  CHECK(ReasonOf(world.AddTo(nobody, "").status()) == Reason::kRequestMalformed);
  CHECK(ReasonOf(world.SetTier(nobody, "gold").status()) == Reason::kMemberNotFound);
  CHECK(ReasonOf(world.AddTo(nobody, "gold").status()) == Reason::kMemberNotFound);
  mv1::RemoveSegmentRequest remove;
  remove.set_member(nobody.name);
  CHECK(ReasonOf(world.Ask(&Standing::RemoveSegment, remove).status()) ==
        Reason::kRequestMalformed);
  remove.set_segment("gold");
  CHECK(ReasonOf(world.Ask(&Standing::RemoveSegment, remove).status()) == Reason::kMemberNotFound);
  mv1::ListTierChangesRequest changes;
  changes.set_parent(nobody.name);
  CHECK(ReasonOf(world.Ask(&Standing::ListTierChanges, changes).status()) ==
        Reason::kMemberNotFound);
  changes.set_page_token("nonsense");
  CHECK(ReasonOf(world.Ask(&Standing::ListTierChanges, changes).status()) ==
        Reason::kPageTokenInvalid);
  mv1::ListSegmentsRequest segments;
  segments.set_parent(nobody.name);
  CHECK(ReasonOf(world.Ask(&Standing::ListSegments, segments).status()) == Reason::kMemberNotFound);
  mv1::AddSegmentRequest backwards;
  backwards.set_member(ada.name);
  backwards.set_segment("bakers");
  *backwards.mutable_from_time() = rpc::ToProto(world.coalition.Now());
  *backwards.mutable_until_time() = rpc::ToProto(world.coalition.Now() - Timestamp(kHour));
  CHECK(ReasonOf(world.Ask(&Standing::AddSegment, backwards).status()) ==
        Reason::kRequestMalformed);
}

TEST_CASE("Standing: a member has so many segments and changes at most", "[service][member]") {
  const StandingWorld world;
  const Enrolled ada = world.Enrol();
  const auto ids = world.coalition.database().Query(
      "select book, account_id from member.members order by enrolled_at_us desc limit 1");
  const std::string who = std::to_string(ids[0].Int(0)) + ", " + std::to_string(ids[0].Int(1));
  world.coalition.database().Query(
      "insert into member.tiers select " + who +
      ", n, case n % 2 when 0 then 'a' else 'b' end, n, n, '', '' from generate_series(1, 1000) n");
  world.coalition.database().Query("insert into member.segments select " + who +
                                   ", n, 's' || n, 0, 9000000000000000, '' from "
                                   "generate_series(1, 100) n");

  CHECK(ReasonOf(world.SetTier(ada, "gold").status()) == Reason::kLimitExceeded);
  CHECK(ReasonOf(world.AddTo(ada, "bakers").status()) == Reason::kLimitExceeded);
}

}  // namespace
}  // namespace guilder::accrual
