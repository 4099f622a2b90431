#include <future>

#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"
#include "tests/service/points_world.h"

namespace guilder::member {
namespace {

using World = PointsWorld;

std::string LimitOf(const absl::Status& status) {
  const auto details = DetailsOf(status);
  const auto limit = details.find("limit");
  return limit == details.end() ? "" : limit->second;
}

TEST_CASE("TransferPoints: points move, and a fee is the programme's income",
          "[service][member][inv-76]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  v1::PointsPolicy policy = world.Policy();
  policy.mutable_transfer()->set_fee_points(5);
  policy.mutable_transfer()->set_fee_ppm(10'000);
  REQUIRE(world.SetPolicy(policy).ok());

  const auto moved = world.Transfer(anna, bert, 250);

  REQUIRE(moved.ok());
  CHECK(moved->points() == 250);
  CHECK(moved->fee_points() == 7);
  CHECK(moved->available_points() == 743);
  CHECK(moved->target() == bert.name);
  CHECK(moved->has_journal_receipt());
  CHECK(world.Balance(anna).available_points() == 743);
  CHECK(world.Balance(bert).available_points() == 1'250);
  CHECK(world.Count("select sum(balance)::bigint from ledger.control_accounts where kind = 3") ==
        7);
}

TEST_CASE("TransferPoints: where points may be spent goes with them, and through a merge",
          "[service][member][inv-54][inv-76]") {
  const World world;
  world.Change(
      "update partner.contracts set points_use = 3, points_use_partners = '{books,fresh}' "
      "where kind = 'ISSUANCE'");
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto restricted = [&] {
    return world.Count(
        "select coalesce(sum(remaining), 0)::bigint from ledger.lots where restricted_to = -2 "
        "and array_length(restricted_partners, 1) = 2");
  };
  REQUIRE(restricted() == 2'000);

  REQUIRE(world.Transfer(anna, bert, 250).ok());
  CHECK(restricted() == 2'000);
  REQUIRE(world.Merge(anna, bert).ok());
  CHECK(restricted() == 2'000);
  CHECK(world.Balance(bert).available_points() == 2'000);
}

TEST_CASE("TransferPoints: the policy's limits, by name", "[service][member][inv-76]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto carl = world.Enrol();
  v1::PointsPolicy policy = world.Policy();
  policy.mutable_transfer()->set_minimum_points(20);
  policy.mutable_transfer()->set_step_points(10);
  policy.mutable_transfer()->set_yearly_out_points(300);
  policy.mutable_transfer()->set_yearly_in_points(400);
  policy.mutable_transfer()->set_account_age_days(3);
  REQUIRE(world.SetPolicy(policy).ok());

  CHECK(LimitOf(world.Transfer(anna, bert, 100).status()) == "account_age_days");
  world.coalition.AdvanceDays(3);
  CHECK(LimitOf(world.Transfer(anna, bert, 10).status()) == "minimum_points");
  CHECK(LimitOf(world.Transfer(anna, bert, 25).status()) == "step_points");
  REQUIRE(world.Transfer(anna, bert, 300).ok());
  CHECK(LimitOf(world.Transfer(anna, bert, 20).status()) == "yearly_out_points");
  CHECK(LimitOf(world.Transfer(carl, bert, 110).status()) == "yearly_in_points");
  REQUIRE(world.Transfer(carl, bert, 100).ok());
  // Another year, by the programme's calendar.
  world.coalition.AdvanceDays(25);
  CHECK(world.Transfer(bert, anna, 2'000).status().code() == absl::StatusCode::kFailedPrecondition);

  policy = world.Policy();
  policy.mutable_transfer()->set_allowed(false);
  REQUIRE(world.SetPolicy(policy).ok());
  CHECK(LimitOf(world.Transfer(carl, anna, 100).status()) == "transfers_allowed");
}

TEST_CASE("TransferPoints: a year's limit holds for transfers at once",
          "[service][member][inv-76]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  v1::PointsPolicy policy = world.Policy();
  policy.mutable_transfer()->set_yearly_out_points(300);
  REQUIRE(world.SetPolicy(policy).ok());

  std::vector<std::future<bool>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(
        std::async(std::launch::async, [&] { return world.Transfer(anna, bert, 100).ok(); }));
  }
  int moved = 0;
  for (auto& answer : answers) moved += answer.get();

  CHECK(moved == 3);
  CHECK(world.Balance(bert).available_points() == 1'300);
}

TEST_CASE("TransferPoints: hostile and mistaken requests are refused",
          "[service][member][inv-76]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto reason = [&](auto change) {
    v1::TransferPointsRequest request = World::ATransfer(anna, bert, 100);
    change(request);
    return ReasonOf(world.Transfer(request));
  };

  CHECK(reason([](auto& r) { r.set_request_id("x"); }) == Reason::kRequestIdMalformed);
  CHECK(reason([](auto& r) { r.set_source("members/007"); }) == Reason::kMemberNotFound);
  CHECK(reason([](auto& r) { r.set_source("members/6553600001"); }) == Reason::kMemberNotFound);
  CHECK(reason([](auto& r) { r.set_target("members/-1"); }) == Reason::kMemberNotFound);
  CHECK(reason([](auto& r) { r.clear_target(); }) == Reason::kRequestMalformed);
  CHECK(reason([&](auto& r) { r.set_target(anna.name); }) == Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_target_card_number("123456789012"); }) ==
        Reason::kCardNumberMistyped);
  CHECK(reason([](auto& r) { r.set_points(0); }) == Reason::kAmountOutOfRange);
  CHECK(reason([](auto& r) { r.set_points(-100); }) == Reason::kAmountOutOfRange);
  CHECK(reason([](auto& r) { r.set_points(1'001); }) == Reason::kInsufficientPoints);
  CHECK(reason([](auto& r) { r.set_points(INT64_MAX); }) == Reason::kLimitExceeded);
  CHECK(world.Count("select count(*) from member.transfers") == 0);

  v1::BlockCardRequest block;
  block.set_name("cards/" + anna.card);
  REQUIRE(world.Ask(&World::Members::BlockCard, block).ok());
  CHECK(ReasonOf(world.Transfer(anna, bert, 100)) == Reason::kCardBlocked);
}

TEST_CASE("TransferPoints: who may not spend after wrong PINs gives nothing away, and may be given",
          "[service][member][inv-58]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  world.Change(
      "insert into redemption.members (book, account_id, failed_attempts, locked_at_us) "
      "select book, account_id, 5, 1 from member.cards where card_number = " +
      anna.card);

  CHECK(ReasonOf(world.Transfer(anna, bert, 100)) == Reason::kSpendingLocked);
  CHECK(ReasonOf(world.Merge(anna, bert)) == Reason::kSpendingLocked);
  CHECK(world.Transfer(bert, anna, 100).ok());
  CHECK(world.Merge(bert, anna).ok());
}

TEST_CASE("TransferPoints: a member gives its own points, to a card", "[service][member]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  v1::IssueMemberTokenRequest token;
  token.set_member(anna.name);
  const auto issued = world.Ask(&World::Members::IssueMemberToken, token);
  REQUIRE(issued.ok());
  const clients::Channel app = world.coalition.network().WithKey(issued->token());
  const auto ask = [&](const v1::TransferPointsRequest& request) {
    return World::Call<v1::MemberService>(app, &World::Members::TransferPoints, request);
  };

  v1::TransferPointsRequest by_card = World::ATransfer(anna, bert, 100);
  by_card.set_target_card_number(bert.card);
  const auto given = ask(by_card);

  REQUIRE(given.ok());
  CHECK(given->target().empty());
  CHECK(ReasonOf(ask(World::ATransfer(anna, bert, 100))) == Reason::kPermissionDenied);
  CHECK(ReasonOf(ask(World::ATransfer(bert, anna, 100))) == Reason::kMemberNotFound);
}

TEST_CASE("ReverseTransfer: soon, while nothing was used, and once", "[service][member][inv-76]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto moved = world.Transfer(anna, bert, 400);
  REQUIRE(moved.ok());

  const auto back = world.Reverse(moved->name());

  REQUIRE(back.ok());
  CHECK(back->points() == 400);
  CHECK(world.Balance(anna).available_points() == 1'000);
  CHECK(world.Balance(bert).available_points() == 1'000);
  CHECK(ReasonOf(world.Reverse(moved->name())) == Reason::kWrongState);

  const auto spent = world.Transfer(anna, bert, 400);
  REQUIRE(spent.ok());
  REQUIRE(world.Hold(bert, 1'100).ok());
  CHECK(ReasonOf(world.Reverse(spent->name())) == Reason::kWrongState);

  const auto old = world.Transfer(anna, bert, 100);
  REQUIRE(old.ok());
  world.coalition.AdvanceDays(1);
  CHECK(LimitOf(world.Reverse(old->name()).status()) == "reversal_minutes");
  CHECK(ReasonOf(world.Reverse("transfers/1-999999")) == Reason::kNameNotFound);
  CHECK(ReasonOf(world.Reverse("transfers/99999999999-1")) == Reason::kNameNotFound);
}

TEST_CASE("ReverseTransfer: not when the account of one of them was merged meanwhile",
          "[service][member][inv-71][inv-76]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto by_anna = world.Transfer(anna, bert, 400);
  const auto by_bert = world.Transfer(bert, anna, 300);
  REQUIRE((by_anna.ok() && by_bert.ok()));

  REQUIRE(world.Merge(bert, world.Enrol()).ok());

  CHECK(ReasonOf(world.Reverse(by_anna->name())) == Reason::kAccountClosed);
  CHECK(ReasonOf(world.Reverse(by_bert->name())) == Reason::kAccountClosed);
}

TEST_CASE("MergeMembers: points, cards and names go on, and open holds are captured",
          "[service][member][inv-71]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto hold = world.Hold(anna, 300);
  REQUIRE(hold.ok());
  const v1::MergeMembersRequest request = World::AMerge(anna, bert);

  const auto merged = world.Ask(&World::Members::MergeMembers, request);
  const auto again = world.Ask(&World::Members::MergeMembers, request);

  REQUIRE(merged.ok());
  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == merged->SerializeAsString());
  CHECK(merged->member() == bert.name);
  CHECK(merged->available_points() == 700);
  CHECK(merged->held_points() == 300);
  CHECK(merged->both_were_welcomed());
  CHECK(world.Balance(bert).available_points() == 1'700);
  // The old name and the old card stand for who goes on.
  CHECK(world.Balance(anna).member() == bert.name);
  CHECK(world.Capture(*hold, 100).ok());
  CHECK(world.Balance(bert).available_points() == 1'900);
  REQUIRE(world.Hold(anna, 1'900).ok());
  v1::GetMemberRequest get;
  get.set_name(anna.name);
  const auto member = world.Ask(&World::Members::GetMember, get);
  REQUIRE(member.ok());
  CHECK(member->member().name() == bert.name);
  CHECK(member->member().cards_size() == 2);
}

TEST_CASE("MergeMembers: what a hold held that ran out goes to who goes on, by the sweep",
          "[service][member][inv-71]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  REQUIRE(world.Hold(anna, 300).ok());
  REQUIRE(world.Merge(anna, bert).ok());
  world.coalition.AdvanceDays(10);
  CHECK(world.Balance(bert).available_points() == 1'700);

  v1::SweepExpiryRequest request;
  do {
    const auto page = world.Ask(&World::Staff::SweepExpiry, request);
    REQUIRE(page.ok());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());

  CHECK(world.Balance(bert).available_points() == 2'000);
  CHECK(world.Count("select count(*) from ledger.holds where state in (0, 4)") == 0);
}

TEST_CASE("MergeMembers: a card that is given at the same moment goes along",
          "[service][member][inv-71]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  std::future<bool> merged;
  const absl::Status given = world.coalition.network().pool().Run([&](postgres::Transaction& tx) {
    tx.Script("select from member.members for share");
    tx.Script(
        "insert into member.cards (card_number, book, account_id, state, issued_at_us, request_id) "
        "select card_number + 10, book, account_id, 0, 1, gen_random_uuid() from member.cards "
        "where "
        "card_number = " +
        anna.card);
    merged = std::async(std::launch::async, [&] { return world.Merge(anna, bert).ok(); });
    const auto waits = [&] {
      return world.Count(
                 "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and "
                 "datname = current_database()") > 0;
    };
    while (!waits() && merged.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    }
    return absl::OkStatus();
  });

  REQUIRE(given.ok());
  CHECK(merged.get());
  CHECK(world.Count("select count(distinct account_id) from member.cards") == 1);
}

TEST_CASE("MergeMembers: a tier goes on where there is none, and segments that are not over do",
          "[service][member][inv-71]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto carl = world.Enrol();
  const auto tier = [&](const World::Person& of, const std::string& name) {
    world.Change("insert into member.tiers select book, account_id, 1, '" + name +
                 "', 1, 1, 'anna', '' from member.members where account_id = " + of.name.substr(8));
  };
  tier(anna, "gold");
  tier(carl, "silver");
  for (const char* until : {"2", "9223372036854775807"}) {
    world.Change(std::string("insert into member.segments select book, account_id, ") +
                 std::to_string(std::string(until).size()) + ", 'club', 1, " + until +
                 ", 'anna' from member.members where account_id = " + anna.name.substr(8));
  }

  const auto merged = world.Merge(anna, bert);
  INFO(merged.status().ToString());
  REQUIRE(merged.ok());
  const std::string of_bert = " where account_id = " + bert.name.substr(8);
  CHECK(world.Count("select count(*) from member.tiers" + of_bert +
                    " and tier = 'gold' and reason = 'merged' and from_us > 1") == 1);
  CHECK(world.Count("select count(*) from member.segments" + of_bert + " and from_us > 1") == 1);

  // Who has a tier keeps it: names of tiers have no order.
  REQUIRE(world.Merge(bert, carl).ok());
  const std::string of_carl = " where account_id = " + carl.name.substr(8);
  CHECK(world.Count("select count(*) from member.tiers" + of_carl) == 1);
  CHECK(world.Count("select count(*) from member.segments" + of_carl) == 1);
}

TEST_CASE("MergeMembers: who is blocked takes points nowhere", "[service][member][inv-74]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  v1::BlockCardRequest block;
  block.set_name("cards/" + anna.card);
  block.set_reason("fraud");
  REQUIRE(world.Ask(&World::Members::BlockCard, block).ok());

  CHECK(ReasonOf(world.Merge(anna, bert)) == Reason::kCardBlocked);
  CHECK(ReasonOf(world.Transfer(anna, bert, 100)) == Reason::kCardBlocked);

  CHECK(world.Balance(anna).available_points() == 1'000);
  CHECK(world.Merge(bert, anna).ok());
}

TEST_CASE("MergeMembers: both ways at once, one wins; a chain goes to its end",
          "[service][member][inv-72]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto carl = world.Enrol();

  auto forth = std::async(std::launch::async, [&] { return world.Merge(anna, bert); });
  const auto back = world.Merge(bert, anna);
  const auto there = forth.get();

  REQUIRE(there.ok() != back.ok());
  CHECK(ReasonOf(there.ok() ? back : there) == Reason::kAccountClosed);
  const auto& survivor = there.ok() ? bert : anna;
  REQUIRE(world.Merge(survivor, carl).ok());
  CHECK(world.Balance(anna).member() == carl.name);
  CHECK(world.Balance(bert).available_points() == 3'000);
  CHECK(ReasonOf(world.Merge(anna, carl)) == Reason::kAccountClosed);
}

TEST_CASE("MergeMembers: hostile and mistaken requests are refused", "[service][member]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto reason = [&](auto change) {
    v1::MergeMembersRequest request = World::AMerge(anna, bert);
    change(request);
    return ReasonOf(world.Ask(&World::Members::MergeMembers, request));
  };

  CHECK(reason([](auto& r) { r.clear_request_id(); }) == Reason::kRequestIdMalformed);
  CHECK(reason([](auto& r) { r.set_source("members/99"); }) == Reason::kMemberNotFound);
  CHECK(reason([](auto& r) { r.set_target(""); }) == Reason::kMemberNotFound);
  CHECK(reason([&](auto& r) { r.set_target(anna.name); }) == Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_note(std::string(5'000, 'x')); }) == Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_note(std::string("a\0b", 3)); }) == Reason::kRequestMalformed);
  CHECK(world.Count("select count(*) from ledger.forwards") == 0);
}

TEST_CASE("UpdatePointsPolicy: a version at a time, within bounds", "[service][member]") {
  const World world;
  v1::PointsPolicy policy = world.Policy();
  CHECK(policy.version() == 0);

  const auto first = world.SetPolicy(policy);
  const auto late = world.SetPolicy(policy);

  REQUIRE(first.ok());
  CHECK(first->policy().version() == 1);
  CHECK(ReasonOf(late) == Reason::kEtagMismatch);
  policy = world.Policy();
  policy.mutable_transfer()->set_fee_ppm(1'000'001);
  CHECK(ReasonOf(world.SetPolicy(policy)) == Reason::kRequestMalformed);
  policy.mutable_transfer()->set_fee_ppm(0);
  policy.mutable_transfer()->set_step_points(0);
  CHECK(ReasonOf(world.SetPolicy(policy)) == Reason::kRequestMalformed);
}

TEST_CASE("GetStatement: by a merged account's name it is that of the account that goes on",
          "[service][member][inv-72]") {
  const PointsWorld world;
  const auto source = world.Enrol();
  const auto target = world.Enrol();
  REQUIRE(world.Merge(source, target).ok());
  const auto statement = [&](const std::string& name) {
    v1::GetStatementRequest request;
    request.set_member(name);
    const auto read = world.Ask(&PointsWorld::Members::GetStatement, request);
    REQUIRE(read.ok());
    return *read;
  };

  const auto by_source = statement(source.name);

  CHECK(by_source.member().name() == target.name);
  CHECK(by_source.balance().available_points() == 2'000);
  CHECK(by_source.items_size() == statement(target.name).items_size());
}

}  // namespace
}  // namespace guilder::member
