// Cards: their numbers, and what becomes of them.

#include <chrono>
#include <future>
#include <set>
#include <vector>

#include "tests/service/card_world.h"

namespace guilder::member {
namespace {

TEST_CASE("CardService: a batch has as many numbers as were asked for, each valid and once",
          "[service][member]") {
  const CardWorld world;
  const auto range = world.Ask(&Cards::CreateCardRange, CardWorld::ARange("4400"));
  REQUIRE(range.ok());
  const auto request = CardWorld::ABatch(range->range().name(), 10);

  const auto batch = world.Ask(&Cards::CreateCardBatch, request);
  const auto again = world.Ask(&Cards::CreateCardBatch, request);

  REQUIRE(batch.ok());
  CHECK(batch->batch().store() == "partners/fresh/stores/s1");
  REQUIRE(again.ok());
  CHECK(again->batch().name() == batch->batch().name());
  const auto numbers = world.Numbers(batch->batch().name());
  CHECK(std::set<std::string>(numbers.begin(), numbers.end()).size() == 10);
  for (const std::string& number : numbers) {
    CHECK(number.size() == 13);
    CHECK(number.substr(0, 4) == "4400");
    CHECK(world.Show(number).waiting());
  }
  const auto ranges = world.Ask(&Cards::ListCardRanges, v1::ListCardRangesRequest());
  CHECK(ranges->ranges(0).numbers_left() == 99'999'999 - 10);
  const auto batches = world.Ask(&Cards::ListCardBatches, v1::ListCardBatchesRequest());
  REQUIRE(batches->batches_size() == 1);
  CHECK(batches->batches(0).activated() == 0);
}

TEST_CASE("CardService: ranges and batches that cannot be are refused", "[service][member]") {
  const CardWorld world;
  const auto range_refused = [&](const v1::CreateCardRangeRequest& request) {
    return ReasonOf(world.Ask(&Cards::CreateCardRange, request));
  };
  const auto batch_refused = [&](const v1::CreateCardBatchRequest& request) {
    return ReasonOf(world.Ask(&Cards::CreateCardBatch, request));
  };
  CHECK(range_refused(CardWorld::ARange("04")) == Reason::kRequestMalformed);
  CHECK(range_refused(CardWorld::ARange("44x")) == Reason::kRequestMalformed);
  auto request = CardWorld::ARange("4400");
  request.set_request_id("1");
  CHECK(range_refused(request) == Reason::kRequestIdMalformed);
  request = CardWorld::ARange("4400");
  request.mutable_range()->set_partner("partners/nobody");
  CHECK(range_refused(request) == Reason::kPartnerNotFound);
  request = CardWorld::ARange("97");
  request.mutable_range()->set_digits(16);
  CHECK(range_refused(request) == Reason::kAlreadyExists);
  request = CardWorld::ARange("4400123456");
  const auto range = world.Ask(&Cards::CreateCardRange, request);
  REQUIRE_FALSE(range.ok());
  request.mutable_range()->set_digits(14);
  const auto small = world.Ask(&Cards::CreateCardRange, request);
  REQUIRE(small.ok());
  request.mutable_range()->set_digits(15);
  CHECK(range_refused(request) == Reason::kRequestIdReused);
  CHECK(range_refused(CardWorld::ARange("4400")) == std::nullopt);
  CHECK(range_refused(CardWorld::ARange("440")) == Reason::kAlreadyExists);

  auto batch = CardWorld::ABatch(small->range().name(), 0);
  CHECK(batch_refused(batch) == Reason::kRequestMalformed);
  batch = CardWorld::ABatch("cardRanges/99", 1);
  CHECK(batch_refused(batch) == Reason::kNameNotFound);
  batch = CardWorld::ABatch(small->range().name(), 1);
  batch.mutable_batch()->set_store("partners/fresh/stores/none");
  CHECK(batch_refused(batch) == Reason::kStoreNotFound);
  batch.mutable_batch()->set_store("partners/books/stores/s1");
  CHECK(batch_refused(batch) == Reason::kWrongState);
  CHECK(batch_refused(CardWorld::ABatch(small->range().name(), 1'000)) == Reason::kWrongState);
  batch = CardWorld::ABatch(small->range().name(), 1);
  CHECK(batch_refused(batch) == std::nullopt);
  batch.mutable_batch()->set_count(2);
  CHECK(batch_refused(batch) == Reason::kRequestIdReused);
}

TEST_CASE("Cards: one that nobody has enrolled with collects points for who does",
          "[service][member][inv-34]") {
  const CardWorld world;
  const std::string card = world.Print(2).front();

  REQUIRE(world.Buy(card).ok());
  REQUIRE(world.Buy(card).ok());

  CHECK(world.Show(card).unclaimed());
  const int64_t collected = world.PointsOn(card);
  REQUIRE(collected > 0);
  const auto request = world.AnEnrolment(card);
  const auto enrolled = world.EnrolWith(request);
  INFO(enrolled.status().ToString());
  REQUIRE(enrolled.ok());
  CHECK(enrolled->card_number() == card);
  CHECK(world.PointsOn(card) == collected + 50);
  CHECK_FALSE(world.Show(card).unclaimed());
  CHECK(CardWorld::EventsOf(world.Show(card)) == std::vector<std::string>{"ACTIVATED", "ENROLLED"});
  CHECK(world.FindByPhone("+49301234567")->cards(0).number() == card);
  // A repeat gets the same answer.
  const auto again = world.EnrolWith(request);
  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == enrolled->SerializeAsString());
}

TEST_CASE("Cards: points on a card that nobody enrols with in time are breakage of their issuer",
          "[service][member][inv-34]") {
  const CardWorld world;
  const auto cards = world.Print(3, /*claim_days=*/30);
  for (const std::string& card : cards) REQUIRE(world.Buy(card).ok());
  const int64_t collected = world.PointsOn(cards[0]);
  REQUIRE(world.EnrolWith(world.AnEnrolment(cards[1])).ok());
  world.coalition.AdvanceDays(32);

  // Who enrols late finds nothing, whether or not a job came by.
  REQUIRE(world.EnrolWith(world.AnEnrolment(cards[2], PersonWorld::Ada("+49307654321"))).ok());
  const auto lapsed = world.Ask(&Cards::LapseUnclaimedCards, v1::LapseUnclaimedCardsRequest());

  INFO(lapsed.status().ToString());
  REQUIRE(lapsed.ok());
  CHECK(lapsed->accounts() == 1);
  CHECK(lapsed->points() == collected);
  CHECK(world.PointsOn(cards[0]) == 0);
  CHECK(world.PointsOn(cards[1]) == collected + 50);
  CHECK(world.PointsOn(cards[2]) == 50);
  CHECK(world
            .Query("select sum(expired)::bigint from ledger.lots l join partner.partners p on "
                   "p.partner_id = l.issuer_id where p.slug = 'fresh'")[0]
            .Int(0) == 2 * collected);
  CHECK(world.Ask(&Cards::LapseUnclaimedCards, v1::LapseUnclaimedCardsRequest())->accounts() == 0);
}

TEST_CASE("EnrolMember: a handed-out card that cannot be is refused", "[service][member]") {
  const CardWorld world;
  const auto cards = world.Print(3);
  const auto refused = [&](const std::string& card) {
    return ReasonOf(world.EnrolWith(world.AnEnrolment(card)));
  };
  std::string mistyped = cards[0];
  mistyped.back() = mistyped.back() == '0' ? '1' : '0';

  CHECK(refused(mistyped) == Reason::kCardNumberMistyped);
  CHECK(refused("4000000000006") == Reason::kCardNotFound);
  REQUIRE(world.Block(cards[0]).ok());
  CHECK(refused(cards[0]) == Reason::kCardBlocked);
  CHECK(ReasonOf(world.Buy(cards[0])) == Reason::kCardBlocked);
  const auto enrolled = world.EnrolWith(world.AnEnrolment(cards[1]));
  REQUIRE(enrolled.ok());
  CHECK(ReasonOf(world.EnrolWith(world.AnEnrolment(cards[1], PersonWorld::Ada("+49301111111")))) ==
        Reason::kAlreadyExists);
  // Who has the phone number is the member, and keeps the cards that are there.
  const auto existing = world.EnrolWith(world.AnEnrolment(cards[2]));
  REQUIRE(existing.ok());
  CHECK(existing->existed());
  CHECK(world.Show(cards[2]).waiting());
}

TEST_CASE("ActivateCard: hands a card out, to nobody yet or as a member's further one",
          "[service][member][inv-61]") {
  const CardWorld world;
  const auto cards = world.Print(3);
  const auto ada = world.Enrol();

  REQUIRE(world.Activate(cards[0]).ok());
  REQUIRE(world.Activate(cards[0]).ok());
  REQUIRE(world.Activate(cards[1], ada.name).ok());
  REQUIRE(world.Activate(cards[1], ada.name).ok());

  CHECK(world.Show(cards[0]).unclaimed());
  CHECK(world.Show(cards[1]).member() == ada.name);
  CHECK(world.PointsOn(cards[1]) == 50);
  CHECK(ReasonOf(world.Activate(cards[0], ada.name)) == Reason::kAlreadyExists);
  CHECK(ReasonOf(world.Activate(cards[2], "members/17")) == Reason::kMemberNotFound);
  CHECK(ReasonOf(world.Activate("4000000000006")) == Reason::kCardNotFound);
  CHECK(ReasonOf(world.Activate("4400123456789")) == Reason::kCardNumberMistyped);
  REQUIRE(world.Block(cards[2]).ok());
  CHECK(ReasonOf(world.Activate(cards[2])) == Reason::kCardBlocked);
  v1::ActivateCardRequest request;
  request.set_name("cards/" + cards[1]);
  request.set_member(ada.name);
  CHECK(ReasonOf(PersonWorld::Call<v1::CardService>(world.Partner(), &Cards::ActivateCard,
                                                    request)) == Reason::kPermissionDenied);
  // Of two cards of one account, the one that is blocked stops alone.
  REQUIRE(world.Block(cards[1]).ok());
  CHECK(ReasonOf(world.Buy(cards[1])) == Reason::kCardBlocked);
  CHECK(world.Buy(ada.card).ok());
}

TEST_CASE("ReplaceCard: the account stays, the card stops, and both remember",
          "[service][member]") {
  const CardWorld world;
  const auto cards = world.Print(2);
  const auto ada = world.Enrol();
  const auto request = CardWorld::AReplacement(ada.card);

  const auto replaced = world.Ask(&Cards::ReplaceCard, request);
  const auto again = world.Ask(&Cards::ReplaceCard, request);

  REQUIRE(replaced.ok());
  const std::string fresh = replaced->card().number();
  REQUIRE(again.ok());
  CHECK(again->card().number() == fresh);
  CHECK(world.PointsOn(fresh) == 50);
  CHECK(ReasonOf(world.Buy(ada.card)) == Reason::kCardBlocked);
  CHECK(world.Buy(fresh).ok());
  const auto old = world.Show(ada.card);
  CHECK(CardWorld::EventsOf(old) == std::vector<std::string>{"ISSUED", "REPLACED"});
  CHECK(old.events(1).reason() == "lost");
  CHECK(old.events(1).actor() == "operators/anna");
  CHECK(old.events(1).other_card() == "cards/" + fresh);
  CHECK(CardWorld::EventsOf(world.Show(fresh)) == std::vector<std::string>{"ISSUED", "REPLACES"});

  const auto refused = [&](const v1::ReplaceCardRequest& asked) {
    return ReasonOf(world.Ask(&Cards::ReplaceCard, asked));
  };
  CHECK(refused(CardWorld::AReplacement(ada.card)) == Reason::kWrongState);
  CHECK(refused(CardWorld::AReplacement("4000000000006")) == Reason::kCardNotFound);
  CHECK(refused(CardWorld::AReplacement(fresh, "4000000000006")) == Reason::kCardNotFound);
  auto other = request;
  other.set_new_card_number(cards[0]);
  CHECK(refused(other) == Reason::kRequestIdReused);
  CHECK(refused(CardWorld::AReplacement(fresh, ada.card)) == Reason::kCardNotFound);
  REQUIRE(world.Ask(&Cards::ReplaceCard, CardWorld::AReplacement(fresh, cards[0])).ok());
  CHECK(world.Show(cards[0]).member() == ada.name);
  CHECK(refused(CardWorld::AReplacement(cards[0], cards[0])) == Reason::kAlreadyExists);
}

TEST_CASE("ReplaceCard: of an erased member, or of nobody by a card of no batch, is refused",
          "[service][member][inv-34]") {
  const CardWorld world;
  const auto cards = world.Print(3);
  const auto ada = world.Enrol();
  REQUIRE(world.Erase(ada.name).ok());
  const auto refused = [&](const v1::ReplaceCardRequest& asked) {
    return ReasonOf(world.Ask(&Cards::ReplaceCard, asked));
  };

  CHECK(refused(CardWorld::AReplacement(ada.card)) == Reason::kMemberErased);
  CHECK(refused(CardWorld::AReplacement(ada.card, cards[0])) == Reason::kMemberErased);
  CHECK(world.Show(cards[0]).waiting());
  CHECK(world.Count("member.card_events where reason <> ''") == 0);

  REQUIRE(world.Buy(cards[1]).ok());
  const int64_t collected = world.PointsOn(cards[1]);
  CHECK(refused(CardWorld::AReplacement(cards[1])) == Reason::kWrongState);
  REQUIRE(refused(CardWorld::AReplacement(cards[1], cards[2])) == std::nullopt);
  REQUIRE(world.EnrolWith(world.AnEnrolment(cards[2], PersonWorld::Ada("+49307654321"))).ok());
  CHECK(world.PointsOn(cards[2]) == collected + 50);
}

TEST_CASE("BlockCard: of a card that waits, once", "[service][member]") {
  const CardWorld world;
  const std::string card = world.Print(1).front();

  REQUIRE(world.Block(card).ok());
  REQUIRE(world.Block(card).ok());

  CHECK(CardWorld::EventsOf(world.Show(card)) == std::vector<std::string>{"BLOCKED"});
}

// Shows a card with the account of another one, and commits once `act` waits for that. Gives what
// came of `act`.
template <typename Act>
auto ShownDuring(const CardWorld& world, const std::string& card, const std::string& owner,
                 const Act& act) {
  std::future<std::optional<Reason>> done;
  const absl::Status shown =
      world.coalition.network().pool().Run([&](postgres::Transaction& transaction) {
        transaction.Script("update member.stock_cards set state = 1 where card_number = " + card);
        transaction.Script(
            "insert into member.cards (card_number, book, account_id, state, issued_at_us, "
            "request_id) select " +
            card + ", book, account_id, 0, 1, gen_random_uuid() from member.cards where " +
            "card_number = " + owner);
        done = std::async(std::launch::async, act);
        const auto waits = [&] {
          return !world
                      .Query(
                          "select from pg_stat_activity where wait_event_type = 'Lock' and "
                          "datname = current_database()")
                      .empty();
        };
        while (!waits() && done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        }
        return absl::OkStatus();
      });
  REQUIRE(shown.ok());
  return done.get();
}

TEST_CASE("Cards: one that is shown meanwhile is given to nobody else, and can be blocked",
          "[service][member]") {
  const CardWorld world;
  const auto cards = world.Print(3);
  const auto ada = world.Enrol();
  const auto bob = world.Enrol(PersonWorld::Ada("+49307654321"));

  const auto given = ShownDuring(world, cards[0], bob.card,
                                 [&] { return ReasonOf(world.Activate(cards[0], ada.name)); });
  const auto replaced = ShownDuring(world, cards[1], bob.card, [&] {
    return ReasonOf(world.Ask(&Cards::ReplaceCard, CardWorld::AReplacement(ada.card, cards[1])));
  });
  const auto blocked =
      ShownDuring(world, cards[2], bob.card, [&] { return ReasonOf(world.Block(cards[2])); });

  CHECK(given == Reason::kAlreadyExists);
  CHECK(replaced == Reason::kAlreadyExists);
  CHECK(blocked == std::nullopt);
  CHECK(ReasonOf(world.Buy(cards[2])) == Reason::kCardBlocked);
}

TEST_CASE("MergeMembers: a card that nobody has enrolled with goes to a member, with its points",
          "[service][member][inv-34]") {
  const CardWorld world;
  const std::string card = world.Print(1).front();
  REQUIRE(world.Buy(card).ok());
  const auto ada = world.Enrol();
  const std::string found = world.Show(card).member();
  const int64_t collected = world.PointsOn(card);
  const auto merge = [&](const std::string& source, const std::string& target) {
    v1::MergeMembersRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_source(source);
    request.set_target(target);
    return PersonWorld::Call<v1::MemberService>(world.Operator(), &Members::MergeMembers, request);
  };

  CHECK(ReasonOf(merge(ada.name, found)) == Reason::kMemberNotFound);
  REQUIRE(merge(found, ada.name).ok());

  CHECK(world.PointsOn(card) == collected + 50);
  CHECK(world.Show(card).member() == ada.name);
  CHECK_FALSE(world.Show(card).unclaimed());
}

TEST_CASE("MergeMembers: says that both were welcomed, also of who enrolled with a shown card",
          "[service][member]") {
  const CardWorld world;
  const std::string card = world.Print(1).front();
  REQUIRE(world.Buy(card).ok());
  REQUIRE(world.EnrolWith(world.AnEnrolment(card)).ok());
  const auto bob = world.Enrol(PersonWorld::Ada("+49307654321"));
  v1::MergeMembersRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_source(world.Show(card).member());
  request.set_target(bob.name);

  const auto merged =
      PersonWorld::Call<v1::MemberService>(world.Operator(), &Members::MergeMembers, request);

  INFO(merged.status().ToString());
  REQUIRE(merged.ok());
  CHECK(merged->both_were_welcomed());
}

TEST_CASE("EraseMember: what was noted about the member's cards is erased", "[service][member]") {
  const CardWorld world;
  const auto ada = world.Enrol();
  REQUIRE(world.Block(ada.card).ok());

  REQUIRE(world.Erase(ada.name).ok());

  CHECK(world.Count("member.card_events where reason <> ''") == 0);
  CHECK(world.Show(ada.card).events_size() == 2);
}

}  // namespace
}  // namespace guilder::member
