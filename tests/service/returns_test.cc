// Returns: what they take back, restore and pay out, under each policy.
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"

#include "tests/service/returns_world.h"

namespace guilder::accrual {
namespace {

// 1 point per full 10.00 of what is not paid with points.
v1::RuleSet NetSet() {
  v1::RuleSet set;
  v1::EarnRule& base = AddRule(set, "base");
  base.mutable_base_rate()->set_points(1);
  base.mutable_base_rate()->set_per_minor_units(1'000);
  base.mutable_basis()->set_without_paid_with_points(true);
  return set;
}

// A (600.00) and B (400.00), paid with 200 points and 800.00.
v1::RecordPurchaseRequest PartlyPaidWithPoints(const ReturnsWorld& world) {
  v1::RecordPurchaseRequest request = world.APurchase(600);
  v1::PurchaseLine& b = *request.add_lines();
  b.set_quantity(1);
  b.set_sku("B");
  b.set_amount_minor_units(40'000);
  request.set_redemption(world.Hold(200));
  const auto tender = [&](v1::TenderKind kind, int64_t amount) {
    request.add_tenders()->set_kind(kind);
    request.mutable_tenders(request.tenders_size() - 1)->set_amount_minor_units(amount);
  };
  tender(v1::TENDER_KIND_MONEY, 80'000);
  tender(v1::TENDER_KIND_POINTS, 20'000);
  return request;
}

TEST_CASE("RecordReturn: of a purchase partly paid with points, each part gives back its share",
          "[service][accrual][inv-24][inv-36][inv-44][inv-45]") {
  const ReturnsWorld world(NetSet());
  world.Earn(2'000);
  const auto bought = world.Buy(PartlyPaidWithPoints(world));
  REQUIRE(bought.points() == 80);
  REQUIRE(bought.captured_points() == 200);

  const auto preview = world.Preview(bought.name(), "2", 1);
  const int64_t records = world.Count("select count(*) from ledger.journal");
  const auto b = world.Return(bought.name(), "2", 1);
  CHECK(records + 1 == world.Count("select count(*) from ledger.journal"));
  CHECK(b.points_reversed() == 32);
  CHECK(b.settlement().restored_points() == 80);
  CHECK(b.settlement().amount_minor_units() == 40'000);
  CHECK(b.settlement().refunds(0).amount_minor_units() == 32'000);
  CHECK(b.settlement().refunds(1).amount_minor_units() == 8'000);
  CHECK(b.settlement().pending_points() == 32);
  CHECK(preview.settlement().SerializeAsString() == b.settlement().SerializeAsString());
  CHECK(preview.points_reversed() == 32);

  const auto a = world.Return(bought.name(), "1", 1);
  CHECK(a.points_reversed() == 48);
  CHECK(a.settlement().restored_points() == 120);
  CHECK(a.settlement().refunds(0).amount_minor_units() == 48'000);
  CHECK(a.settlement().refunds(1).amount_minor_units() == 12'000);
  CHECK(world.Balance("available") == 200);
  CHECK(world.Balance("pending") == 0);
}

TEST_CASE("RecordReturn: what stays paid with points keeps to the contract's goods and share",
          "[service][accrual][inv-55]") {
  const ReturnsWorld world(NetSet());
  world.Earn(2'000);
  // A point pays 1.00; B may not be paid with points.
  world.coalition.database().Query(
      "update partner.contracts set rate_micros = 1000000, excluded_skus = '{B}' "
      "where kind = 'REDEMPTION'; update ledger.configuration set version = version + 1");
  const auto bought = world.Buy(PartlyPaidWithPoints(world));
  REQUIRE(bought.captured_points() == 200);

  // Of A, which alone may be paid with points, nothing stays.
  const auto a = world.Return(bought.name(), "1", 1);

  CHECK(a.settlement().restored_points() == 200);
  CHECK(a.settlement().amount_minor_units() == 60'000);
  CHECK(a.settlement().refunds(0).amount_minor_units() == 40'000);
  CHECK(a.settlement().refunds(1).amount_minor_units() == 20'000);
  const auto b = world.Return(bought.name(), "2", 1);
  CHECK(b.settlement().restored_points() == 0);
  CHECK(b.settlement().refunds(0).amount_minor_units() == 40'000);
  CHECK(b.settlement().refunds(1).amount_minor_units() == 0);
  CHECK(world.Balance("available") == 200);
}

TEST_CASE("RecordPurchase: the redemption is taken before the purchase's own points come",
          "[service][accrual][inv-62]") {
  const ReturnsWorld world(NetSet());
  world.Earn(2'000);
  const auto bought = world.Buy(PartlyPaidWithPoints(world));
  REQUIRE(bought.points() == 80);

  const auto lines = world.coalition.database().Query(
      "select min(line) filter (where credit_bucket = 2), min(line) filter (where debit_bucket = "
      "1) "
      "from ledger.entries where number = " +
      bought.name().substr(bought.name().find('-') + 1) +
      " and book = " + std::to_string(bought.journal_receipt().book()));

  CHECK(lines[0].Int(0) < lines[0].Int(1));
}

TEST_CASE("RecordReturn: a full return after the points became available leaves what was before",
          "[service][accrual][inv-35]") {
  v1::RuleSet set = ASet();
  AddCap(set, "ever", v1::CAP_SCOPE_MEMBER, v1::CAP_PERIOD_EVER, 1'000)
      .set_refilled_by_returns(true);
  AddCap(set, "budget", v1::CAP_SCOPE_CAMPAIGN, v1::CAP_PERIOD_EVER, 1'000)
      .set_refilled_by_returns(true);
  set.mutable_rules(0)->add_caps("ever");
  set.mutable_rules(0)->add_caps("budget");
  const ReturnsWorld world(set);
  const std::string bought = world.Earn(40);
  REQUIRE(world.Balance("available") == 40);
  REQUIRE(world.Count("select sum(points)::bigint from accrual.counters") == 80);

  world.Return(bought, "1", 1);

  CHECK(world.Balance("available + pending + debt") == 0);
  CHECK(world.Count("select sum(points)::bigint from accrual.counters") == 0);
  CHECK(world.Buy(world.APurchase(1'000)).points() == 1'000);
}

TEST_CASE("RecordReturn: caps that do not say so are given nothing back",
          "[service][accrual][inv-27]") {
  v1::RuleSet set = ASet();
  AddCap(set, "ever", v1::CAP_SCOPE_MEMBER, v1::CAP_PERIOD_EVER, 50);
  set.mutable_rules(0)->add_caps("ever");
  const ReturnsWorld world(set);
  const auto bought = world.Buy(world.APurchase(40));

  world.Return(bought.name(), "1", 1);

  CHECK(world.Buy(world.APurchase(40)).points() == 10);
}

// 100 points from 100.00 on, 20 from 50.00 on, one of them; and the base rate.
v1::RuleSet ThresholdSet(v1::BrokenThreshold policy) {
  v1::RuleSet set = ASet();
  for (const auto& [id, least, points] : {std::tuple("large", 10'000, 100), {"small", 5'000, 20}}) {
    v1::EarnRule& rule = AddRule(set, id);
    rule.set_priority(points);
    rule.set_group("basket");
    rule.mutable_fixed_bonus()->set_points(points);
    rule.mutable_conditions()->set_min_amount_minor_units(least);
  }
  set.mutable_policies()->set_broken_threshold(policy);
  return set;
}

v1::RecordPurchaseRequest TwoLines(const ReturnsWorld& world, int64_t first, int64_t second) {
  v1::RecordPurchaseRequest request = world.APurchase(first);
  v1::PurchaseLine& line = *request.add_lines();
  line.set_quantity(1);
  line.set_sku("bread");
  line.set_amount_minor_units(second * 100);
  return request;
}

TEST_CASE("RecordReturn: a bonus falls back to the threshold that the goods that stay reach",
          "[service][accrual][inv-40]") {
  const ReturnsWorld world(ThresholdSet(v1::BROKEN_THRESHOLD_TAKEN_BACK));
  const auto bought = world.Buy(TwoLines(world, 60, 40));
  REQUIRE(bought.points() == 200);

  // 60.00 stay: 60 points, and 20 instead of 100.
  const auto returned = world.Return(bought.name(), "2", 1);
  CHECK(returned.points_reversed() == 120);
  CHECK(world.Get(bought.name()).points_reversed() == 120);
  CHECK(world.Balance("pending") == 80);
  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 80);
}

TEST_CASE("RecordReturn: without that policy a bonus stays with the goods that stay",
          "[service][accrual][inv-40]") {
  const ReturnsWorld world(ThresholdSet(v1::BROKEN_THRESHOLD_UNSPECIFIED));
  const auto bought = world.Buy(TwoLines(world, 60, 40));

  CHECK(world.Return(bought.name(), "2", 1).points_reversed() == 80);
  CHECK(world.Balance("pending") == 120);
}

TEST_CASE("RecordReturn: a product's bonus goes with the product, and with no other",
          "[service][accrual][inv-39]") {
  v1::RuleSet set = ASet();
  v1::EarnRule& bonus = AddRule(set, "bread");
  bonus.mutable_selector()->add_skus("bread");
  bonus.mutable_product_bonus()->set_points(15);
  const ReturnsWorld world(set);
  const auto bought = world.Buy(TwoLines(world, 60, 40));
  REQUIRE(bought.points() == 115);

  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 60);
  CHECK(world.Return(bought.name(), "2", 1).points_reversed() == 55);
}

TEST_CASE("PreviewReturn: a partner that takes no returns any more is told so, as by RecordReturn",
          "[service][accrual]") {
  const ReturnsWorld world(ASet());
  const auto bought = world.Buy(world.APurchase(10));
  world.coalition.database().Query(absl::StrCat(
      "update partner.partners set state = 'TERMINATING', last_issue_us = n, ",
      "last_redemption_us = n, last_return_us = n, final_settlement_us = n from (select ",
      world.coalition.Now().value(), "::bigint as n) as now where slug = 'fresh'; ",
      "update ledger.configuration set version = version + 1"));
  const auto returned = world.AReturn(bought.name(), "1", 1);
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, returned).status()) ==
        Reason::kPartnerNotActive);
  v1::PreviewReturnRequest preview;
  preview.set_store(returned.store());
  preview.set_purchase(bought.name());
  *preview.mutable_lines() = returned.lines();
  CHECK(ReasonOf(world.AsPartner(&Stub::PreviewReturn, preview).status()) ==
        Reason::kPartnerNotActive);
}

v1::RuleSet SpentSet(v1::SpentPoints policy, v1::FunderKind payer = v1::FUNDER_KIND_UNSPECIFIED) {
  v1::RuleSet set = ASet();
  set.mutable_policies()->set_spent_points(policy);
  set.mutable_policies()->set_write_off_payer(payer);
  if (policy == v1::SPENT_POINTS_DEDUCTED) set.mutable_policies()->set_deduction_rate_micros(8'000);
  return set;
}

TEST_CASE("RecordReturn: spent points are owed, and the next points repay them",
          "[service][accrual][inv-41][inv-42][inv-43]") {
  const ReturnsWorld world(SpentSet(v1::SPENT_POINTS_OWED));
  const std::string bought = world.Earn(50);
  world.Spend(30);

  const auto preview = world.Preview(bought, "1", 1);
  const auto returned = world.Return(bought, "1", 1);
  CHECK(preview.points_owed() == 30);
  CHECK(returned.points_reversed() == 50);
  CHECK(returned.points_owed() == 30);
  CHECK(world.Balance("debt") == 30);
  world.Earn(40);
  CHECK(world.Balance("debt") == 0);
  CHECK(world.Balance("available") == 10);
}

TEST_CASE("RecordReturn: spent points are deducted from the money at a rate, and owed no more",
          "[service][accrual][inv-42]") {
  const ReturnsWorld world(SpentSet(v1::SPENT_POINTS_DEDUCTED));
  const std::string bought = world.Earn(50);
  world.Spend(30);

  const auto returned = world.Return(bought, "1", 1);
  CHECK(returned.points_reversed() == 50);
  CHECK(returned.points_owed() == 0);
  CHECK(returned.settlement().deducted_points() == 30);
  CHECK(returned.settlement().deduction_minor_units() == 24);
  CHECK(returned.settlement().payer() == "partners/fresh");
  CHECK(world.Balance("debt") == 0);
  CHECK(world.Balance("available") == 0);
  // Fresh stays billed for what was spent.
  CHECK(world.Count("select sum(points)::bigint from ledger.positions where movement in (4)") ==
        20);
}

TEST_CASE("RecordReturn: what is written off is billed to the payer that the rules name",
          "[service][accrual][inv-41][inv-42]") {
  for (const auto& [kind, payer, reversed] :
       {std::tuple(v1::FUNDER_KIND_STORE, "partners/fresh", 20),
        std::tuple(v1::FUNDER_KIND_OPERATOR, "partners/house", 50)}) {
    const ReturnsWorld world(SpentSet(v1::SPENT_POINTS_WRITTEN_OFF, kind));
    const std::string bought = world.Earn(50);
    world.Spend(30);

    const auto returned = world.Return(bought, "1", 1);
    INFO(payer);
    CHECK(returned.settlement().written_off_points() == 30);
    CHECK(returned.settlement().payer() == payer);
    CHECK(returned.points_owed() == 0);
    CHECK(world.Balance("debt") == 0);
    CHECK(world.Balance("available") == 0);
    CHECK(world.Count("select sum(points)::bigint from ledger.positions where movement in (4)") ==
          reversed);
    CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, world.AReturn(bought, "1", 1)).status()) ==
          Reason::kReturnExceedsSale);
  }
}

TEST_CASE("RecordReturn: a line without an id is the sale's lines of the sku, in their order",
          "[service][accrual]") {
  const ReturnsWorld world(ASet());
  auto purchase = world.APurchase(10);
  v1::PurchaseLine& more = *purchase.add_lines();
  more = purchase.lines(0);
  more.set_quantity(3);
  const auto bought = world.Buy(purchase);
  auto request = world.AReturn(bought.name(), "", 2);
  request.mutable_lines(0)->set_sku("milk");

  const auto returned = world.AsPartner(&Stub::RecordReturn, request);
  REQUIRE(returned.ok());
  CHECK(returned->line_points(0) == 10 + 3);
  CHECK(world.Get(bought.name()).returned_quantities(1) == 1);
  request.set_request_id(clients::NewRequestId());
  request.mutable_lines(0)->set_quantity(3);
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, request).status()) ==
        Reason::kReturnExceedsSale);
  request.mutable_lines(0)->set_sku("honey");
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, request).status()) ==
        Reason::kPurchaseLineNotFound);
}

TEST_CASE("Exchange: a return and a sale under one receipt number earn on the difference only",
          "[service][accrual][inv-48]") {
  const ReturnsWorld world(ASet());
  const auto bought = world.Buy(world.APurchase(30));

  auto sale = world.APurchase(50);
  sale.mutable_receipt()->set_order_id("exchange-1");
  auto back = world.AReturn(bought.name(), "1", 1);
  back.set_return_number("exchange-1");
  REQUIRE(world.AsPartner(&Stub::RecordReturn, back).ok());
  world.Buy(sale);

  CHECK(world.Balance("pending") == 50);
}

TEST_CASE("RecordReturn: any store of the partner takes goods back, another partner's does not",
          "[service][accrual][inv-46]") {
  const ReturnsWorld world(ASet());
  const auto bought = world.Buy(world.APurchase(30));
  world.coalition.database().Query(
      "with s as (insert into partner.stores (partner_id, code, display_name, time_zone) select "
      "partner_id, 's2', 'Store', 'Europe/Berlin' from partner.partners where slug = 'fresh' "
      "returning 1) update ledger.configuration set version = version + 1 returning 1");
  const auto request = world.AReturn(bought.name(), "1", 1);
  auto elsewhere = request;
  elsewhere.set_store("partners/books/stores/s1");
  clients::RetryPolicy once;
  once.max_attempts = 1;
  const clients::Client<v1::AccrualService> books(world.coalition.AsPartner("books"));
  CHECK(ReasonOf(books.Invoke(&Stub::RecordReturn, elsewhere, once).status()) ==
        Reason::kPurchaseNotFound);
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordReturn, elsewhere).status()) == Reason::kNotYours);

  auto other_store = request;
  other_store.set_store("partners/fresh/stores/s2");
  CHECK(world.AsPartner(&Stub::RecordReturn, other_store).ok());
}

TEST_CASE("RecordReturn: finds the account though the card was blocked since",
          "[service][accrual][inv-47]") {
  const ReturnsWorld world(ASet());
  const auto bought = world.Buy(world.APurchase(30));
  world.coalition.database().Query("update member.cards set state = 1 returning 1");

  CHECK(world.Return(bought.name(), "1", 1).points_reversed() == 30);
  CHECK(world.Balance("pending") == 0);
}

TEST_CASE("PreviewReturn: refuses as a return would, and parks nothing", "[service][accrual]") {
  const ReturnsWorld world(ASet());
  const auto bought = world.Buy(world.APurchase(30));
  v1::PreviewReturnRequest request;
  request.set_store("partners/fresh/stores/s1");
  request.set_purchase(bought.name());
  const auto reason = [&] {
    return ReasonOf(world.AsPartner(&Stub::PreviewReturn, request).status());
  };
  CHECK(reason() == Reason::kRequestMalformed);
  request.add_lines()->set_line_id("1");
  CHECK(reason() == Reason::kAmountOutOfRange);
  request.mutable_lines(0)->set_quantity(2);
  CHECK(reason() == Reason::kReturnExceedsSale);
  request.mutable_lines(0)->set_line_id("9");
  CHECK(reason() == Reason::kPurchaseLineNotFound);
  request.set_store("partners/fresh/stores/s9");
  CHECK(reason() == Reason::kStoreNotFound);
  request.set_store("partners/books/stores/s1");
  CHECK(reason() == Reason::kNotYours);
  request.set_store("partners/fresh/stores/s1");
  request.mutable_receipt()->set_store("partners/fresh/stores/s1");
  request.mutable_receipt()->set_order_id("unknown");
  CHECK(reason() == Reason::kPurchaseNotFound);
  CHECK(world.Parked().empty());
}

}  // namespace
}  // namespace guilder::accrual
