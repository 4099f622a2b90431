// Rules whose points may be spent only somewhere: given as lots of their own, and taken back so.
#include <string>
#include <vector>

#include "tests/service/returns_world.h"

namespace guilder::accrual {
namespace {

// 1 point per full euro; as much again that only `books` and `house` take, and 7 for gifts.
v1::RuleSet ACampaign() {
  v1::RuleSet set = ASet();
  v1::EarnRule& twice = AddRule(set, "twice");
  twice.mutable_multiplier()->set_numerator(2);
  twice.mutable_multiplier()->set_denominator(1);
  twice.mutable_spent_only()->add_partners("partners/house");
  twice.mutable_spent_only()->add_partners("partners/books");
  v1::EarnRule& gifts = AddRule(set, "zeal");
  gifts.mutable_fixed_bonus()->set_points(7);
  gifts.mutable_spent_only()->set_gifts(true);
  return set;
}

// 10.00 a piece.
v1::RecordPurchaseRequest Pieces(const ReturnsWorld& world, int64_t pieces) {
  v1::RecordPurchaseRequest request = world.APurchase(10 * pieces);
  request.mutable_lines(0)->set_quantity(pieces);
  return request;
}

// What is left of each lot, in their order.
std::string Remaining(const ReturnsWorld& world) {
  return std::string(
      world.coalition.database()
          .Query("select string_agg(remaining::text, ' ' order by lot_id) from ledger.lots")[0]
          .Text(0));
}

template <typename Response>
std::vector<int64_t> PointsOfLots(const Response& response) {
  std::vector<int64_t> points;
  for (const v1::EarnedLot& lot : response.lots()) points.push_back(lot.points());
  return points;
}

TEST_CASE("RecordPurchase: points of a rule that says where they are spent are a lot of their own",
          "[service][accrual][inv-54]") {
  const ReturnsWorld world(ACampaign());
  const auto quote = world.Quote(Pieces(world, 3));
  CHECK(PointsOfLots(quote) == std::vector<int64_t>{30, 30, 7});

  const auto bought = world.Buy(Pieces(world, 3));

  CHECK(bought.points() == 67);
  REQUIRE(PointsOfLots(bought) == std::vector<int64_t>{30, 30, 7});
  CHECK_FALSE(bought.lots(0).has_spent_only());
  REQUIRE(bought.lots(1).spent_only().partners_size() == 2);
  CHECK(bought.lots(1).spent_only().partners(0) == "partners/books");
  CHECK(bought.lots(1).spent_only().partners(1) == "partners/house");
  CHECK(bought.lots(2).spent_only().gifts());
  const auto explained = world.Explain(bought.name());
  CHECK(explained.purchase().points() == 67);
  REQUIRE(explained.lots_size() == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(explained.lots(i).SerializeAsString() == bought.lots(i).SerializeAsString());
  }
  CHECK(explained.lot() == bought.lots(0).name());
  CHECK(Remaining(world) == "30 30 7");
  CHECK(world.Count("select count(*) from ledger.lots where restricted_to = -2 and "
                    "array_length(restricted_partners, 1) = 2") == 1);
}

TEST_CASE("RecordPurchase: without such a rule nothing is said of lots", "[service][accrual]") {
  const ReturnsWorld world(ASet());
  CHECK(world.Buy(world.APurchase(5)).lots().empty());
  CHECK(world.Quote(world.APurchase(5)).lots().empty());
}

TEST_CASE("RecordPurchase: a contract that names partners restricts its points, a rule instead",
          "[service][accrual][inv-54]") {
  const ReturnsWorld world(ACampaign());
  world.coalition.database().Query(
      "update partner.contracts set points_use = 3, points_use_partners = '{books,fresh}' "
      "where kind = 'ISSUANCE'; update ledger.configuration set version = version + 1");

  const auto bought = world.Buy(Pieces(world, 1));

  REQUIRE(PointsOfLots(bought) == std::vector<int64_t>{10, 10, 7});
  CHECK(bought.lots(0).spent_only().partners(1) == "partners/fresh");
  CHECK(bought.lots(1).spent_only().partners(1) == "partners/house");
}

TEST_CASE("ConfirmPurchases: all lots of a purchase become available, and are spent where they may",
          "[service][accrual][inv-54]") {
  const ReturnsWorld world(ACampaign());
  world.Earn(30);
  CHECK(world.Balance("available") == 67);
  CHECK(world.Balance("pending") == 0);
  CHECK(world.Quote(world.APurchase(1)).member().elsewhere_points() == 37);
  // `fresh` may take the first lot alone.
  world.Spend(30);
  CHECK(Remaining(world) == "0 30 7");
  redemption::v1::AuthorizeRedemptionRequest more;
  more.set_request_id(clients::NewRequestId());
  more.set_store("partners/fresh/stores/s1");
  more.set_card_number(world.card);
  more.set_points(1);
  const auto refused =
      clients::Client<redemption::v1::RedemptionService>(world.coalition.AsPartner("fresh"))
          .Invoke(&Redemptions::AuthorizeRedemption, more);
  CHECK(ReasonOf(refused.status()) == Reason::kInsufficientPoints);
}

TEST_CASE("RecordReturn: each lot gives back its own points, in any parts, exactly",
          "[service][accrual][inv-36][inv-37][inv-54]") {
  const ReturnsWorld world(ACampaign());
  const auto bought = world.Buy(Pieces(world, 3));

  const auto preview = world.Preview(bought.name(), "1", 1);
  const auto one = world.Return(bought.name(), "1", 1);
  CHECK(one.points_reversed() == 22);
  CHECK(preview.settlement().SerializeAsString() == one.settlement().SerializeAsString());
  CHECK(Remaining(world) == "20 20 5");
  const auto two = world.Return(bought.name(), "1", 2);
  CHECK(two.points_reversed() == 45);
  CHECK(Remaining(world) == "0 0 0");
  CHECK(world.Balance("debt") == 0);
}

TEST_CASE("RecordReturn: lots that have expired are taken back each for itself",
          "[service][accrual][inv-36][inv-54]") {
  const ReturnsWorld world(ACampaign());
  const auto bought = world.Buy(Pieces(world, 3));
  world.coalition.AdvanceDays(400);

  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 22);
  CHECK(world.Return(bought.name(), "1", 2).points_reversed() == 45);

  CHECK(world.Balance("debt") == 0);
  CHECK(world.Count("select count(*) from ledger.lots where expired = 0 and reversed = issued") ==
        3);
}

TEST_CASE("RecordReturn: what was spent of one lot is owed, and the others are taken back",
          "[service][accrual][inv-35][inv-54]") {
  const ReturnsWorld world(ACampaign());
  const std::string bought = world.Earn(30);
  world.Spend(30);

  const auto returned = world.Return(bought, "1", 1);

  CHECK(returned.points_reversed() == 67);
  CHECK(returned.points_owed() == 30);
  CHECK(Remaining(world) == "0 0 0");
  CHECK(world.Balance("debt") == 30);
}

TEST_CASE("RecordReturn: what was spent is deducted from the money, the other lots are taken back",
          "[service][accrual][inv-35][inv-54]") {
  v1::RuleSet set = ACampaign();
  set.mutable_policies()->set_spent_points(v1::SPENT_POINTS_DEDUCTED);
  set.mutable_policies()->set_deduction_rate_micros(10'000);
  const ReturnsWorld world(set);
  const std::string bought = world.Earn(30);
  world.Spend(30);

  const auto returned = world.Return(bought, "1", 1);

  CHECK(returned.points_reversed() == 67);
  CHECK(returned.points_owed() == 0);
  CHECK(returned.settlement().deducted_points() == 30);
  CHECK(Remaining(world) == "0 0 0");
  CHECK(world.Balance("debt") == 0);
}

TEST_CASE("RecordReturn: a bonus that goes whole with its threshold goes from its own lot",
          "[service][accrual][inv-36][inv-54]") {
  v1::RuleSet set = ACampaign();
  set.mutable_rules(2)->mutable_conditions()->set_min_amount_minor_units(3'000);
  set.mutable_policies()->set_broken_threshold(v1::BROKEN_THRESHOLD_TAKEN_BACK);
  const ReturnsWorld world(set);
  const auto bought = world.Buy(Pieces(world, 3));
  REQUIRE(bought.points() == 67);

  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 27);
  CHECK(Remaining(world) == "20 20 0");
  CHECK(world.Return(bought.name(), "1", 2).points_reversed() == 40);
  CHECK(Remaining(world) == "0 0 0");
}

TEST_CASE("ConfirmPurchases: a purchase of several lots is cancelled whole, once",
          "[service][accrual][inv-54]") {
  const ReturnsWorld world(ACampaign());
  const auto bought = world.Buy(Pieces(world, 3));
  const clients::Client<v1::AccrualService> client(world.coalition.AsPartner("fresh"));
  for (const bool first : {true, false}) {
    grpc::ClientContext context;
    client.channel().Prepare(context, absl::Now() + absl::Seconds(10));
    auto stream = client.stub().ConfirmPurchases(&context);
    v1::ConfirmPurchasesRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_purchase(bought.name());
    request.set_outcome(v1::PURCHASE_OUTCOME_CANCELLED);
    stream->Write(request);
    stream->WritesDone();
    v1::ConfirmPurchasesResponse response;
    REQUIRE(stream->Read(&response));
    REQUIRE(stream->Finish().ok());
    CHECK(response.has_error() != first);
  }
  CHECK(Remaining(world) == "0 0 0");
  CHECK(world.Balance("pending") == 0);
}

TEST_CASE("ProposeRuleSet: where points are spent is said in one way, of partners that exist",
          "[service][accrual]") {
  const ReturnsWorld world(ASet());
  const auto reason = [&](const auto& change) {
    v1::ProposeRuleSetRequest request;
    *request.mutable_rule_set() = ACampaign();
    change(*request.mutable_rule_set()->mutable_rules(1)->mutable_spent_only());
    *request.mutable_rule_set()->mutable_effective_from() = rpc::ToProto(world.coalition.Now());
    return ReasonOf(world.AsOperator("anna", &Rules::ProposeRuleSet, request).status());
  };
  using Only = guilder::type::v1::PointsRestriction;
  CHECK(reason([](Only& only) { only.set_gifts(true); }) == Reason::kRequestMalformed);
  CHECK(reason([](Only& only) { only.Clear(); }) == Reason::kRequestMalformed);
  CHECK(reason([](Only& only) { only.add_partners("partners/house"); }) ==
        Reason::kRequestMalformed);
  CHECK(reason([](Only& only) { only.add_partners("partners/nobody"); }) ==
        Reason::kRequestMalformed);
  CHECK(reason([](Only& only) { only.add_partners(std::string("partners/a\0b", 12)); }) ==
        Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::accrual
