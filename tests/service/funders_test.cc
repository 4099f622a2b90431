// Rules that others than the seller pay for: each funder's share is a lot of its own.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/ledger/core/limit.h"
#include "libs/ledger/store/limits.h"
#include "libs/postgres/pool.h"
#include "tests/service/returns_world.h"

namespace guilder::accrual {
namespace {

// 1 point per full euro, which `fresh` pays; as much again, of which `books` pays two thirds and
// the operator-partner `house` the rest.
v1::RuleSet ACampaign() {
  v1::RuleSet set = ASet();
  v1::EarnRule& twice = AddRule(set, "twice");
  twice.mutable_multiplier()->set_numerator(2);
  twice.mutable_multiplier()->set_denominator(1);
  v1::FunderShare& share = *twice.mutable_funding()->add_shares();
  share.mutable_funder()->set_kind(v1::FUNDER_KIND_BRAND);
  share.mutable_funder()->set_brand("partners/books");
  share.set_share_ppm(666'666);
  twice.mutable_funding()->mutable_remainder()->set_kind(v1::FUNDER_KIND_OPERATOR);
  return set;
}

// 10.00 a piece.
v1::RecordPurchaseRequest Pieces(const ReturnsWorld& world, int64_t pieces) {
  v1::RecordPurchaseRequest request = world.APurchase(10 * pieces);
  request.mutable_lines(0)->set_quantity(pieces);
  return request;
}

// "fresh 30, books 19, house 11".
template <typename Response>
std::string Lots(const Response& response) {
  std::string text;
  for (const v1::EarnedLot& lot : response.lots()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", lot.issuer().substr(9), " ", lot.points());
  }
  return text;
}

// "fresh books": whose contracts are told.
template <typename Response>
std::string Contracts(const Response& response) {
  std::string text;
  for (const v1::EarnedLot& lot : response.lots()) {
    if (lot.contract().empty()) continue;
    CHECK(lot.contract().starts_with(lot.issuer() + "/contracts/"));
    absl::StrAppend(&text, text.empty() ? "" : " ", lot.issuer().substr(9));
  }
  return text;
}

v1::ExplainPurchaseResponse ExplainToOperator(const ReturnsWorld& world, const std::string& name) {
  v1::ExplainPurchaseRequest request;
  request.set_name(name);
  const auto explained =
      clients::Client<v1::AccrualService>(world.coalition.network().AsOperator("anna"))
          .Invoke(&Stub::ExplainPurchase, request);
  if (!explained.ok()) FAIL(explained.status().ToString());
  return *explained;
}

// What is left of each lot, in their order.
std::string Remaining(const ReturnsWorld& world) {
  return std::string(
      world.coalition.database()
          .Query("select string_agg(remaining::text, ' ' order by lot_id) from ledger.lots")[0]
          .Text(0));
}

constexpr char kIssued[] = "1";
constexpr char kReversed[] = "3, 4";

// What a partner is billed for, by movement.
int64_t Position(const ReturnsWorld& world, const std::string& slug, const char* movements) {
  return world.Count(
      absl::StrCat("select coalesce(sum(p.points), 0)::bigint from ledger.positions p "
                   "join partner.contracts c using (contract_id) "
                   "join partner.partners using (partner_id) where slug = '",
                   slug, "' and c.kind = 'ISSUANCE' and movement in (", movements, ")"));
}

void Change(const ReturnsWorld& world, const std::string& slug, const std::string& change) {
  world.coalition.database().Query(absl::StrCat(
      "update partner.contracts set ", change, " where kind = 'ISSUANCE' and partner_id = ",
      "(select partner_id from partner.partners where slug = '", slug, "')"));
  world.coalition.database().Query("update ledger.configuration set version = version + 1");
}

// Before it has issued anything: it pays ahead, for so many points.
void PayAhead(const ReturnsWorld& world, const std::string& slug, int64_t points) {
  Change(world, slug, "funding = 'PREPAID_BLOCK', when_exhausted = 'REFUSE'");
  if (points == 0) return;
  world.coalition.database().Query(absl::StrCat(
      "insert into partner.point_blocks (partner_id, number, points, bought_at_us, sold_by, "
      "request_id) select partner_id, 1, ",
      points, ", 0, 'anna', gen_random_uuid() from partner.partners where slug = '", slug, "'"));
  const PartnerId partner =
      world.coalition.database()
          .Query("select partner_id from partner.partners where slug = '" + slug + "'")[0]
          .Id<PartnerId>(0);
  const absl::Status granted = world.coalition.network().pool().Run([&](postgres::Transaction& tx) {
    ledger::GrantLimit(tx, ledger::PointBlocksOf(partner), Points(points));
    return absl::OkStatus();
  });
  REQUIRE(granted.ok());
}

void Suspend(const ReturnsWorld& world, const std::string& slug) {
  world.coalition.database().Query(
      "update partner.partners set state = 'SUSPENDED' where slug = '" + slug + "'");
  world.coalition.database().Query("update ledger.configuration set version = version + 1");
}

v1::ConfirmPurchasesResponse Cancel(const ReturnsWorld& world, const std::string& purchase) {
  const clients::Client<v1::AccrualService> client(world.coalition.AsPartner("fresh"));
  grpc::ClientContext context;
  client.channel().Prepare(context, absl::Now() + absl::Seconds(10));
  auto stream = client.stub().ConfirmPurchases(&context);
  v1::ConfirmPurchasesRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_purchase(purchase);
  request.set_outcome(v1::PURCHASE_OUTCOME_CANCELLED);
  stream->Write(request);
  stream->WritesDone();
  v1::ConfirmPurchasesResponse response;
  REQUIRE(stream->Read(&response));
  REQUIRE(stream->Finish().ok());
  return response;
}

TEST_CASE("RecordPurchase: each funder issues a lot of its share, by its own contract",
          "[service][accrual][inv-96]") {
  const ReturnsWorld world(ACampaign());
  Change(world, "books", "activation_days = 3, lot_life_days = 30");
  const auto quote = world.Quote(Pieces(world, 3));
  CHECK(Lots(quote) == "fresh 30, books 19, house 11");
  REQUIRE(quote.rules(1).funded_size() == 2);
  CHECK(quote.rules(1).funded(0).lot().empty());

  const auto bought = world.Buy(Pieces(world, 3));

  CHECK(bought.points() == 60);
  REQUIRE(Lots(bought) == "fresh 30, books 19, house 11");
  CHECK(Contracts(quote) == "fresh");
  CHECK(Contracts(bought) == "fresh");
  // All are available when the last are; the first expire with books'.
  CHECK(bought.lots(1).activates_at().seconds() ==
        bought.lots(0).activates_at().seconds() - 11 * 86'400);
  CHECK(bought.activates_at().seconds() == bought.lots(0).activates_at().seconds());
  CHECK(bought.expires_at().seconds() == bought.lots(1).expires_at().seconds());
  CHECK(bought.expires_at().seconds() < bought.lots(0).expires_at().seconds());
  CHECK(Position(world, "fresh", kIssued) == 30);
  CHECK(Position(world, "books", kIssued) == 19);
  CHECK(Position(world, "house", kIssued) == 11);

  const auto explained = world.Explain(bought.name());
  CHECK(Lots(explained) == Lots(bought));
  CHECK(Contracts(explained) == "fresh");
  CHECK(Contracts(ExplainToOperator(world, bought.name())) == "fresh books house");
  REQUIRE(explained.rules(1).funded_size() == 2);
  CHECK(explained.rules(1).funded(0).partner() == "partners/books");
  CHECK(explained.rules(1).funded(0).points() == 19);
  CHECK(explained.rules(1).funded(0).lot() == bought.lots(1).name());
  CHECK(explained.rules(1).funded(0).instead_of().empty());
  CHECK(explained.rules(1).funded(1).lot() == bought.lots(2).name());
  CHECK(explained.rules(0).funded(0).lot() == bought.lots(0).name());
  // Where nobody else pays, nothing is said of lots.
  auto bare = ACampaign();
  bare.mutable_rules()->DeleteSubrange(1, 1);
  world.PutInForce(bare);
  CHECK(world.Buy(Pieces(world, 1)).lots().empty());
}

TEST_CASE("RecordReturn: each funder gets back its share, in any parts, and of all of it all",
          "[service][accrual][inv-36][inv-37][inv-96]") {
  const ReturnsWorld world(ACampaign());
  const auto bought = world.Buy(Pieces(world, 3));

  // Of 30, 19 and 11 for three pieces.
  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 10 + 6 + 3);
  CHECK(Remaining(world) == "20 13 8");
  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 10 + 6 + 4);
  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 10 + 7 + 4);

  CHECK(Remaining(world) == "0 0 0");
  CHECK(Position(world, "fresh", kReversed) == 30);
  CHECK(Position(world, "books", kReversed) == 19);
  CHECK(Position(world, "house", kReversed) == 11);
}

TEST_CASE("RecordReturn: a bonus that goes whole with its threshold goes whole from its funders",
          "[service][accrual][inv-36][inv-96]") {
  v1::RuleSet set = ACampaign();
  set.mutable_rules(1)->mutable_conditions()->set_min_amount_minor_units(3'000);
  set.mutable_policies()->set_broken_threshold(v1::BROKEN_THRESHOLD_TAKEN_BACK);
  const ReturnsWorld world(set);
  const auto bought = world.Buy(Pieces(world, 3));
  REQUIRE(bought.points() == 60);

  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 40);
  CHECK(Remaining(world) == "20 0 0");
  CHECK(world.Return(bought.name(), "1", 2).points_reversed() == 20);
  CHECK(Remaining(world) == "0 0 0");
}

// "house 19 partners/books NO_CONTRACT": who pays the campaign's i-th share, how much, instead of
// whom, and why.
template <typename Response>
std::string Funded(const Response& response, int i) {
  const v1::FundedPoints& funded = response.rules(1).funded(i);
  return absl::StrCat(funded.partner().substr(9), " ", funded.points(), " ", funded.instead_of(),
                      " ", funded.reason());
}
std::string Funded(const ReturnsWorld& world, const std::string& purchase, int i) {
  return Funded(ExplainToOperator(world, purchase), i);
}

TEST_CASE("RecordPurchase: where a funder cannot issue its share is the remainder's payer's",
          "[service][accrual][inv-96]") {
  const ReturnsWorld world(ACampaign());
  PayAhead(world, "books", 0);
  const auto exhausted = world.Buy(Pieces(world, 3));
  CHECK(Lots(exhausted) == "fresh 30, house 30");
  CHECK(Funded(world, exhausted.name(), 0) == "house 19 partners/books POINT_BLOCK_EXHAUSTED");
  CHECK(Funded(world, exhausted.name(), 1) == "house 11  ");
  Suspend(world, "books");
  const auto suspended = world.Buy(Pieces(world, 3));
  CHECK(Lots(suspended) == "fresh 30, house 30");
  CHECK(Funded(world, suspended.name(), 0) == "house 19 partners/books PARTNER_NOT_ACTIVE");
  // The seller is told who pays, and not how another partner stands.
  CHECK(Funded(world.Explain(suspended.name()), 0) == "house 19 partners/books ");
  CHECK(Funded(world.Quote(Pieces(world, 3)), 0) == "house 19 partners/books ");
  CHECK(world.Return(suspended.name(), "1", 3).points_reversed() == 60);
}

TEST_CASE("RecordPurchase: where the remainder's payer cannot issue either the seller pays",
          "[service][accrual][inv-96]") {
  const ReturnsWorld world(ACampaign());
  PayAhead(world, "fresh", 100);
  PayAhead(world, "house", 0);
  Suspend(world, "books");

  const auto bought = world.Buy(Pieces(world, 3));

  CHECK(bought.points() == 60);
  CHECK(Lots(bought) == "fresh 60");
  CHECK(Funded(world, bought.name(), 0) == "fresh 19 partners/books PARTNER_NOT_ACTIVE");
  CHECK(Funded(world, bought.name(), 1) == "fresh 11 partners/house POINT_BLOCK_EXHAUSTED");
  // What the seller cannot pay, either, is its contract's to refuse.
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordPurchase, Pieces(world, 3)).status()) ==
        Reason::kPointBlockExhausted);
  CHECK(world.Return(bought.name(), "1", 3).points_reversed() == 60);
  CHECK(Lots(world.Buy(Pieces(world, 3))) == "fresh 60");
}

TEST_CASE("RecordPurchase: a funder's limit bounds its shares, and returns refill it",
          "[service][accrual][inv-96]") {
  const ReturnsWorld world(ACampaign());
  PayAhead(world, "books", 40);
  const auto first = world.Buy(Pieces(world, 3));
  CHECK(Lots(first) == "fresh 30, books 19, house 11");
  CHECK(Lots(world.Buy(Pieces(world, 3))) == "fresh 30, books 19, house 11");
  CHECK(Lots(world.Buy(Pieces(world, 3))) == "fresh 30, house 30");
  world.Return(first.name(), "1", 3);
  CHECK(Lots(world.Buy(Pieces(world, 3))) == "fresh 30, books 19, house 11");
  CHECK(Position(world, "books", kIssued) == 3 * 19);
}

// Goal: tills that buy at once spend a funder's limit to the last whole share, and no member waits
// or gets less for it.
// Method: eight members at eight tills; threads only count answers.
TEST_CASE("RecordPurchase: however many buy at once, a funder pays what its limit covers",
          "[service][accrual][inv-96]") {
  constexpr int kTills = 8;
  constexpr int kPurchases = 4;
  const ReturnsWorld world(ACampaign());
  PayAhead(world, "books", 10 * 19 + 18);
  std::vector<v1::RecordPurchaseRequest> requests;
  for (int till = 0; till < kTills; ++till) {
    const std::string card = world.coalition.AMember();
    for (int i = 0; i < kPurchases; ++i) {
      requests.push_back(Pieces(world, 3));
      requests.back().set_card_number(card);
    }
  }
  std::atomic<int> right = 0;
  std::vector<std::thread> tills;
  for (int till = 0; till < kTills; ++till) {
    tills.emplace_back([&, till] {
      for (int i = 0; i < kPurchases; ++i) {
        const auto bought = world.AsPartner(&Stub::RecordPurchase, requests[till * kPurchases + i]);
        if (bought.ok() && bought->points() == 60) ++right;
      }
    });
  }
  for (std::thread& till : tills) till.join();

  CHECK(right == kTills * kPurchases);
  CHECK(Position(world, "books", kIssued) == 10 * 19);
  CHECK(Position(world, "fresh", kIssued) == kTills * kPurchases * 30);
  CHECK(Position(world, "house", kIssued) == kTills * kPurchases * 30 - 10 * 19);
}

TEST_CASE("RecordReturn: what was spent of a funder's points and deducted is the seller's to pay",
          "[service][accrual][inv-42][inv-96]") {
  v1::RuleSet set = ACampaign();
  set.mutable_policies()->set_spent_points(v1::SPENT_POINTS_DEDUCTED);
  set.mutable_policies()->set_deduction_rate_micros(10'000);
  const ReturnsWorld world(set);
  const std::string bought = world.Earn(30);
  world.Spend(60);
  const auto preview = world.Preview(bought, "1", 1);

  const auto returned = world.Return(bought, "1", 1);

  CHECK(returned.points_owed() == 0);
  CHECK(returned.settlement().deducted_points() == 60);
  CHECK(returned.settlement().deduction_minor_units() == 60);
  CHECK(preview.settlement().SerializeAsString() == returned.settlement().SerializeAsString());
  CHECK(world.Balance("debt") == 0);
  // The seller has kept the money: it stays billed for its own points, and is for the others'.
  CHECK(Position(world, "fresh", kIssued) - Position(world, "fresh", kReversed) == 60);
  CHECK(Position(world, "books", kIssued) - Position(world, "books", kReversed) == 0);
  CHECK(Position(world, "house", kIssued) - Position(world, "house", kReversed) == 0);
}

TEST_CASE("RecordReturn: what the seller cannot issue for a funder is owed",
          "[service][accrual][inv-42][inv-96]") {
  v1::RuleSet set = ACampaign();
  set.mutable_policies()->set_spent_points(v1::SPENT_POINTS_WRITTEN_OFF);
  set.mutable_policies()->set_write_off_payer(v1::FUNDER_KIND_STORE);
  const ReturnsWorld world(set);
  PayAhead(world, "fresh", 30);
  const std::string bought = world.Earn(30);
  world.Spend(60);

  const auto returned = world.Return(bought, "1", 1);

  CHECK(returned.settlement().written_off_points() == 30);
  CHECK(returned.points_owed() == 30);
  CHECK(world.Balance("debt") == 30);
}

TEST_CASE("ConfirmPurchases: a cancellation takes back what a funder gave at once",
          "[service][accrual][inv-96]") {
  const ReturnsWorld world(ACampaign());
  Change(world, "books", "activation_days = 0");
  const auto bought = world.Buy(Pieces(world, 3));
  REQUIRE(world.Balance("available") == 19);

  const auto cancelled = Cancel(world, bought.name());

  CHECK(cancelled.confirmation().points() == 60);
  CHECK(world.Balance("available + pending") == 0);
  CHECK(Cancel(world, bought.name()).error().message() != "");
}

TEST_CASE("ConfirmPurchases: a cancellation does not take again what was deducted from the money",
          "[service][accrual][inv-42][inv-96]") {
  v1::RuleSet set = ACampaign();
  set.mutable_policies()->set_spent_points(v1::SPENT_POINTS_DEDUCTED);
  set.mutable_policies()->set_deduction_rate_micros(10'000);
  const ReturnsWorld world(set);
  Change(world, "fresh", "activation_days = 0");
  const auto bought = world.Buy(Pieces(world, 3));
  REQUIRE(world.Balance("available") == 30);
  world.Spend(30);
  const auto returned = world.Return(bought.name(), "1", 1);
  REQUIRE(returned.settlement().deducted_points() == 10);
  REQUIRE(world.Balance("debt") == 0);

  const auto cancelled = Cancel(world, bought.name());

  // Of 30, 19 and 11, less what the return took or was paid for: 10, 6 and 3.
  CHECK(cancelled.confirmation().points() == 20 + 13 + 8);
  CHECK(world.Balance("debt") == 20);
  CHECK(world.Balance("available + pending") == 0);
  CHECK(Position(world, "fresh", kReversed) == 20);
}

TEST_CASE("ApproveRuleSet: every funder has to issue points at the set's date",
          "[service][accrual][inv-96]") {
  const ReturnsWorld world(ASet());
  const auto approve = [&world](const v1::RuleSet& set) {
    v1::ApproveRuleSetRequest request;
    request.set_name(world.Propose(set));
    return ReasonOf(world.AsOperator("bert", &Rules::ApproveRuleSet, request).status());
  };
  Suspend(world, "books");
  CHECK(approve(ACampaign()) == Reason::kPartnerNotActive);
  world.coalition.database().Query(
      "update partner.partners set state = 'ACTIVE' where slug = 'books'");
  const std::string from = absl::StrCat(world.coalition.Now().value());
  Change(world, "books", "effective_from_us = " + from);
  CHECK(approve(ACampaign()) == Reason::kNoContract);
  Change(world, "books", "effective_from_us = 0");
  CHECK(approve(ACampaign()) == std::nullopt);
}

TEST_CASE("ListFundedPoints: a funder sees from whose stores came what it is billed for",
          "[service][accrual][inv-96]") {
  const ReturnsWorld world(ACampaign());
  const auto first = world.Buy(Pieces(world, 3));
  world.Buy(Pieces(world, 2));
  world.Return(first.name(), "1", 1);
  v1::ListFundedPointsRequest request;
  request.set_parent("partners/books");
  *request.mutable_from() = rpc::ToProto(world.coalition.Now() - Timestamp(kDay));
  const clients::Client<v1::AccrualService> books(world.coalition.AsPartner("books"));

  const auto funded = books.Invoke(&Stub::ListFundedPoints, request);

  REQUIRE(funded.ok());
  REQUIRE(funded->stores_size() == 1);
  CHECK(funded->stores(0).store() == "partners/fresh/stores/s1");
  CHECK(funded->stores(0).purchases() == 2);
  CHECK(funded->stores(0).issued_points() == Position(world, "books", kIssued));
  CHECK(funded->stores(0).issued_points() == 19 + 13);
  CHECK(funded->stores(0).reversed_points() == Position(world, "books", kReversed));
  request.set_parent("partners/fresh");
  CHECK(world.AsPartner(&Stub::ListFundedPoints, request)->stores().empty());
  CHECK(ReasonOf(books.Invoke(&Stub::ListFundedPoints, request).status()) == Reason::kNotYours);
  request.set_parent("partners/nobody");
  CHECK(ReasonOf(books.Invoke(&Stub::ListFundedPoints, request).status()) ==
        Reason::kPartnerNotFound);
  request.set_parent("partners/fresh");
  request.clear_from();
  CHECK(ReasonOf(world.AsPartner(&Stub::ListFundedPoints, request).status()) ==
        Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::accrual
