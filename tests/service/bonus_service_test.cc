// Bonuses that a person gets once, and notices before points expire.

#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "guilder/member/v1/bonus_service.grpc.pb.h"
#include "guilder/member/v1/notice_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/pool.h"
#include "services/partner/store/credit.h"
#include "tests/service/person_world.h"

namespace guilder::member {
namespace {

using Bonuses = v1::BonusService::Stub;
using Notices = v1::NoticeService::Stub;
using Members = v1::MemberService::Stub;

struct BonusWorld : PersonWorld {
  BonusWorld() {
    v1::UpdateBonusPolicyRequest request;
    *request.mutable_policy() = Policy();
    const auto set = Ask(&Bonuses::UpdateBonusPolicy, request);
    INFO(set.status().ToString());
    REQUIRE(set.ok());
    REQUIRE(set->policy().version() == 1);
  }
  static v1::BonusPolicy Policy() {
    v1::BonusPolicy policy;
    policy.set_payer("partners/house");
    policy.set_birthday_points(100);
    policy.set_referrer_points(30);
    policy.set_referred_points(20);
    return policy;
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Bonuses::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                               const Request& request) const {
    return Call<v1::BonusService>(Operator(), method, request);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Notices::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                               const Request& request) const {
    return Call<v1::NoticeService>(Operator(), method, request);
  }

  static v1::ReferMemberRequest AReferral(const std::string& member, const std::string& card) {
    v1::ReferMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_member(member);
    request.set_referrer_card_number(card);
    return request;
  }
  absl::StatusOr<v1::ReferMemberResponse> Refer(const std::string& member,
                                                const std::string& card) const {
    return Ask(&Bonuses::ReferMember, AReferral(member, card));
  }
  // Why a referral gave nothing; the empty text when it gave something.
  std::string WhyNot(const std::string& member, const std::string& card) const {
    const auto referred = Refer(member, card);
    if (referred.ok()) return "";
    const auto details = DetailsOf(referred.status());
    const auto why = details.find("why");
    return why == details.end() ? referred.status().ToString() : why->second;
  }
  int64_t PointsOf(const std::string& card) const {
    v1::GetBalanceRequest request;
    request.set_card_number(card);
    const auto balance = Call<v1::MemberService>(Operator(), &Members::GetBalance, request);
    REQUIRE(balance.ok());
    return balance->available_points() + balance->pending_points();
  }
  // Somebody whose birthday is in so many days.
  v1::Member BornIn(int days, const std::string& phone = "+49301234567") const {
    const absl::CivilDay day =
        absl::ToCivilDay(ToAbslTime(coalition.Now()), absl::UTCTimeZone()) + days;
    v1::Member member = Ada(phone);
    member.set_birth_date(absl::StrFormat("1980-%02d-%02d", day.month(), day.day()));
    return member;
  }
  v1::GrantBirthdayBonusesResponse GrantBirthdays() const {
    const auto granted = Ask(&Bonuses::GrantBirthdayBonuses, v1::GrantBirthdayBonusesRequest());
    INFO(granted.status().ToString());
    REQUIRE(granted.ok());
    return *granted;
  }
  void Merge(const std::string& source, const std::string& target) const {
    v1::MergeMembersRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_source(source);
    request.set_target(target);
    REQUIRE(Call<v1::MemberService>(Operator(), &Members::MergeMembers, request).ok());
  }
  std::vector<v1::Notice> Outbox() const {
    const auto listed = Ask(&Notices::ListNotices, v1::ListNoticesRequest());
    REQUIRE(listed.ok());
    return {listed->notices().begin(), listed->notices().end()};
  }
  int64_t Prepare(int days) const {
    v1::PrepareNoticesRequest request;
    request.set_days(days);
    int64_t notices = 0;
    do {
      const auto prepared = Ask(&Notices::PrepareNotices, request);
      REQUIRE(prepared.ok());
      notices += prepared->notices();
      request.set_page_token(prepared->next_page_token());
    } while (!request.page_token().empty());
    return notices;
  }
};

TEST_CASE("EnrolMember: a person is welcomed once, also after an erasure and by any contact",
          "[service][member][inv-30]") {
  const BonusWorld world;
  const auto ada = world.Enrol();
  CHECK(world.PointsOf(ada.card) == 50);
  // She takes another number, and leaves.
  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(ada.name);
  update.mutable_member()->set_phone("+442079460000");
  update.mutable_update_mask()->add_paths("phone");
  REQUIRE(static_cast<const PersonWorld&>(world)
              .Ask(&v1::PersonService::Stub::UpdateMember, update)
              .ok());
  REQUIRE(world.Erase(ada.name).ok());

  const auto by_first = world.Enrol(PersonWorld::Ada());
  const auto by_second = world.Enrol(PersonWorld::Ada("+442079460000"));
  v1::Member by_mail;
  by_mail.set_email(PersonWorld::Ada().email());
  const auto by_address = world.Enrol(by_mail);
  const auto somebody = world.Enrol(PersonWorld::Ada("+49307654321"));

  CHECK(world.PointsOf(by_first.card) == 0);
  CHECK(world.PointsOf(by_second.card) == 0);
  CHECK(world.PointsOf(by_address.card) == 0);
  CHECK(world.PointsOf(somebody.card) == 50);
}

TEST_CASE("ReferMember: both get their bonus once, paid by the policy's payer",
          "[service][member][inv-31]") {
  const BonusWorld world;
  const auto ada = world.Enrol();
  const auto bob = world.Enrol(PersonWorld::Ada("+49307654321"));
  const auto request = BonusWorld::AReferral(bob.name, ada.card);

  const auto referred = world.Ask(&Bonuses::ReferMember, request);
  const auto again = world.Ask(&Bonuses::ReferMember, request);

  INFO(referred.status().ToString());
  REQUIRE(referred.ok());
  CHECK(referred->referred_points() == 20);
  CHECK(referred->referrer_points() == 30);
  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == referred->SerializeAsString());
  CHECK(world.PointsOf(ada.card) == 50 + 30);
  CHECK(world.PointsOf(bob.card) == 50 + 20);
  CHECK(world.WhyNot(bob.name, ada.card) == "REFERRED_BEFORE");
  CHECK(world.Count("operator.audit_log where action = 'BonusService/ReferMember'") == 1);
  CHECK(world
            .Query("select count(*) from ledger.lots l join partner.partners p on "
                   "p.partner_id = l.issuer_id where p.slug = 'house' and issued in (20, 30)")[0]
            .Int(0) == 2);
}

TEST_CASE("ReferMember: the payer's credit is enough in whichever books the two accounts are",
          "[service][member][inv-26][inv-27]") {
  const BonusWorld world;
  const auto ada = world.Enrol();
  std::vector<std::string> friends;
  for (int i = 0; i < 7; ++i) {
    friends.push_back(world.Enrol(PersonWorld::Ada(absl::StrFormat("+4930765432%d", i))).name);
  }
  // Five euros, of which eight welcomes took four; a point is a cent.
  world.Query(
      "insert into partner.exposure_policies (partner_id, credit_limit, collateral, warn_ppm,"
      " no_issuance_ppm, redemption_only_ppm, reorder_below, reorder_points)"
      " select partner_id, 500, 0, 800000, 1000000, 1200000, 0, 0"
      "   from partner.partners where slug = 'house'");
  const auto house =
      world.Query("select partner_id from partner.partners where slug = 'house'")[0].Id<PartnerId>(
          0);
  REQUIRE(world.coalition.network()
              .pool()
              .Run([&](postgres::Transaction& tx) {
                partner::KeepCredit(tx, house, ProgrammeId(1));
                return absl::OkStatus();
              })
              .ok());

  CHECK(world.WhyNot(friends[0], ada.card) == "");
  CHECK(world.WhyNot(friends[1], ada.card) == "");
  for (int i = 2; i < 7; ++i) {
    const auto refused = world.Refer(friends[static_cast<size_t>(i)], ada.card);
    CHECK(ReasonOf(refused) == Reason::kExposureExceeded);
  }
  CHECK(world.PointsOf(ada.card) == 50 + 2 * 30);
}

TEST_CASE("ReferMember: oneself, circles and known people give nothing",
          "[service][member][inv-31]") {
  const BonusWorld world;
  const auto ada = world.Enrol();
  const auto bob = world.Enrol(PersonWorld::Ada("+49301000001"));
  const auto cleo = world.Enrol(PersonWorld::Ada("+49301000002"));
  REQUIRE(world.Refer(bob.name, ada.card).ok());
  REQUIRE(world.Refer(cleo.name, bob.card).ok());

  CHECK(world.WhyNot(ada.name, ada.card) == "SELF");
  CHECK(world.WhyNot(ada.name, bob.card) == "CIRCULAR");
  CHECK(world.WhyNot(ada.name, cleo.card) == "CIRCULAR");
  // A person who left and comes again is known.
  REQUIRE(world.Erase(cleo.name).ok());
  const auto cleo_again = world.Enrol(PersonWorld::Ada("+49301000002"));
  CHECK(world.WhyNot(cleo_again.name, ada.card) == "KNOWN_PERSON");
  // Who cannot be told from others may be anybody.
  const auto nobody = world.Enrol(v1::Member());
  CHECK(world.WhyNot(nobody.name, ada.card) == "KNOWN_PERSON");
  // An enrolment of a member finds the member, who was referred.
  CHECK(world.TryEnrol(PersonWorld::Ada("+49301000001"))->existed());
  CHECK(world.WhyNot(bob.name, cleo_again.card) == "REFERRED_BEFORE");
  const auto dora = world.Enrol(PersonWorld::Ada("+49301000003"));
  world.coalition.AdvanceDays(31);
  CHECK(world.WhyNot(dora.name, ada.card) == "TOO_LATE");
  CHECK(world.PointsOf(dora.card) == 50);
  // Merged accounts are one.
  const auto eve = world.Enrol(PersonWorld::Ada("+49301000004"));
  world.Merge(dora.name, eve.name);
  CHECK(world.WhyNot(eve.name, dora.card) == "SELF");
}

TEST_CASE("ReferMember: refusals in their order", "[service][member]") {
  const BonusWorld world;
  const auto ada = world.Enrol();
  const auto bob = world.Enrol(PersonWorld::Ada("+49307654321"));
  const auto refused = [&](const v1::ReferMemberRequest& request) {
    return ReasonOf(world.Ask(&Bonuses::ReferMember, request));
  };
  auto request = BonusWorld::AReferral("members/17", "");
  request.set_request_id("x");
  CHECK(refused(request) == Reason::kRequestIdMalformed);
  CHECK(refused(BonusWorld::AReferral("members/17", "")) == Reason::kRequestMalformed);
  CHECK(refused(BonusWorld::AReferral("members/17", "4000000000007")) ==
        Reason::kCardNumberMistyped);
  CHECK(refused(BonusWorld::AReferral("members/17", ada.card)) == Reason::kMemberNotFound);
  CHECK(refused(BonusWorld::AReferral(bob.name, "4000000000006")) == Reason::kCardNotFound);
  request = BonusWorld::AReferral(bob.name, ada.card);
  REQUIRE(world.Ask(&Bonuses::ReferMember, request).ok());
  const auto eve = world.Enrol(PersonWorld::Ada("+49301111111"));
  request.set_member(eve.name);
  CHECK(refused(request) == Reason::kRequestIdReused);
  world.Query("update partner.partners set state = 'SUSPENDED' where slug = 'house'");
  world.Query("update ledger.configuration set version = version + 1");
  CHECK(refused(BonusWorld::AReferral(eve.name, ada.card)) == Reason::kPartnerNotActive);
}

TEST_CASE("UpdateBonusPolicy: versions, and what cannot be", "[service][member]") {
  const BonusWorld world;
  const auto update = [&](const v1::BonusPolicy& policy) {
    v1::UpdateBonusPolicyRequest request;
    *request.mutable_policy() = policy;
    return ReasonOf(world.Ask(&Bonuses::UpdateBonusPolicy, request));
  };
  auto policy = BonusWorld::Policy();
  CHECK(update(policy) == Reason::kEtagMismatch);
  policy.set_version(1);
  policy.set_birthday_points(-1);
  CHECK(update(policy) == Reason::kRequestMalformed);
  policy.set_birthday_points(1);
  policy.set_referral_days(400);
  CHECK(update(policy) == Reason::kRequestMalformed);
  policy.set_referral_days(5);
  policy.set_payer("partners/nobody");
  CHECK(update(policy) == Reason::kPartnerNotFound);
  policy.set_payer("partners/books");
  CHECK(update(policy) == std::nullopt);
  const auto read = world.Ask(&Bonuses::GetBonusPolicy, v1::GetBonusPolicyRequest());
  CHECK(read->policy().version() == 2);
  CHECK(read->policy().payer() == "partners/books");
}

TEST_CASE("GrantBirthdayBonuses: once a year, whatever becomes of date, account and person",
          "[service][member][inv-30]") {
  const BonusWorld world;
  const auto ada = world.Enrol(world.BornIn(3));
  const auto bob = world.Enrol(world.BornIn(100, "+49307654321"));
  world.coalition.AdvanceDays(4);

  CHECK(world.GrantBirthdays().members() == 1);
  CHECK(world.GrantBirthdays().members() == 0);

  CHECK(world.PointsOf(ada.card) == 50 + 100);
  CHECK(world.PointsOf(bob.card) == 50);
  CHECK(world.Count("operator.audit_log where action = 'BonusService/GrantBirthdayBonuses'") >= 1);
  // Another date of birth gives no other bonus.
  v1::UpdateMemberRequest update;
  *update.mutable_member() = world.BornIn(40);
  update.mutable_member()->set_name(ada.name);
  update.mutable_update_mask()->add_paths("birth_date");
  REQUIRE(static_cast<const PersonWorld&>(world)
              .Ask(&v1::PersonService::Stub::UpdateMember, update)
              .ok());
  world.coalition.AdvanceDays(41);
  CHECK(world.GrantBirthdays().members() == 0);
  // Nor does another account of hers.
  REQUIRE(world.Erase(ada.name).ok());
  const auto again = world.Enrol(world.BornIn(2));
  world.coalition.AdvanceDays(3);
  CHECK(world.GrantBirthdays().members() == 0);
  CHECK(world.PointsOf(again.card) == 0);
  // What an account got counts for the one that it is merged into.
  const auto cleo = world.Enrol(world.BornIn(2, "+49301000002"));
  const auto twin = world.Enrol(world.BornIn(4, "+49301000003"));
  world.coalition.AdvanceDays(3);
  CHECK(world.GrantBirthdays().members() == 1);
  world.Merge(cleo.name, twin.name);
  world.coalition.AdvanceDays(2);
  CHECK(world.GrantBirthdays().members() == 0);
  // A year later it is given again.
  world.coalition.AdvanceDays(363);
  CHECK(world.GrantBirthdays().members() >= 1);
}

TEST_CASE("Notices: what has expired leaves the outbox, and the soonest expiry comes first",
          "[service][member]") {
  const BonusWorld world;
  world.Enrol();
  // The ids are not in the order of expiry, and the points of all are there.
  world.Query(
      "insert into member.notices (book, account_id, expires_at_us, prepared_at_us) "
      "select l.book, l.account_id, w.at, 0 from ledger.lots l, (values "
      "((select max(expires_at_us) from ledger.lots)), (1)) as w (at)");
  REQUIRE(world.Count("member.notices where sent_at_us is null") == 2);

  v1::ListNoticesRequest request;
  request.set_page_size(1);
  const auto page = world.Ask(&Notices::ListNotices, request);
  REQUIRE(page.ok());
  CHECK(page->notices_size() == 1);
  request.set_page_token(page->next_page_token());
  const auto next = world.Ask(&Notices::ListNotices, request);

  REQUIRE(next.ok());
  CHECK(next->notices_size() == 0);
  CHECK(next->next_page_token().empty());
}

TEST_CASE("Notices: say what expires to the point, once, and nothing of nothing",
          "[service][member][inv-69]") {
  const BonusWorld world;
  world.Query(
      "update partner.contracts set activation_days = 0, lot_life_days = 10 where partner_id = "
      "(select partner_id from partner.partners where slug = 'house') and kind = 'ISSUANCE'");
  world.Query("update ledger.configuration set version = version + 1");
  const auto ada = world.Enrol();
  const auto bob = world.Enrol(PersonWorld::Ada("+49307654321"));

  CHECK(world.Prepare(5) == 0);
  CHECK(world.Prepare(14) == 2);
  CHECK(world.Prepare(14) == 0);

  const auto first = world.Outbox();
  REQUIRE(first.size() == 2);
  CHECK(first[0].points() == 50);
  // Spending reduces the figure, and what is gone is no notice.
  v1::AdjustPointsRequest spend;
  spend.set_request_id(clients::NewRequestId());
  spend.set_member(ada.name);
  spend.set_points(-20);
  spend.set_reason(v1::ADJUSTMENT_REASON_CORRECTION);
  spend.set_payer("partners/house");
  REQUIRE(
      PersonWorld::Call<v1::MemberService>(world.Operator(), &Members::AdjustPoints, spend).ok());
  spend.set_request_id(clients::NewRequestId());
  spend.set_member(bob.name);
  spend.set_points(-50);
  REQUIRE(
      PersonWorld::Call<v1::MemberService>(world.Operator(), &Members::AdjustPoints, spend).ok());
  const auto second = world.Outbox();
  REQUIRE(second.size() == 1);
  CHECK(second[0].member() == ada.name);
  CHECK(second[0].points() == 30);
  // What then expires is what the notice said.
  v1::AcknowledgeNoticesRequest sent;
  sent.add_names(second[0].name());
  REQUIRE(world.Ask(&Notices::AcknowledgeNotices, sent).ok());
  REQUIRE(world.Ask(&Notices::AcknowledgeNotices, sent).ok());
  CHECK(world.Outbox().empty());
  CHECK(world.Prepare(14) == 0);
  world.coalition.AdvanceDays(12);
  CHECK(world.PointsOf(ada.card) == 0);
  sent.add_names("notices/999");
  CHECK(ReasonOf(world.Ask(&Notices::AcknowledgeNotices, sent)) == Reason::kNameNotFound);
  sent.clear_names();
  CHECK(ReasonOf(world.Ask(&Notices::AcknowledgeNotices, sent)) == Reason::kRequestMalformed);
  v1::PrepareNoticesRequest prepare;
  prepare.set_days(400);
  CHECK(ReasonOf(world.Ask(&Notices::PrepareNotices, prepare)) == Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::member
