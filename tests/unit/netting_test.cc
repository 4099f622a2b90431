#include "libs/netting/netting.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "libs/base/reason.h"
#include "tests/support/catch2.h"

namespace guilder::netting {
namespace {

constexpr PartnerId kGrocer{1};
constexpr PartnerId kFlorist{2};
constexpr ContractId kGrocerIssues{11};
constexpr ContractId kFloristIssues{21};
constexpr ContractId kFloristRedeems{22};

Terms Issuance(ContractId contract, PartnerId partner, int64_t rate_micros) {
  Terms terms;
  terms.contract = contract;
  terms.partner = partner;
  terms.rate_micros = rate_micros;
  terms.tax = {"DE19", 190'000};
  return terms;
}

Terms Redemption(ContractId contract, PartnerId partner, int64_t rate_micros, int64_t fee_ppm) {
  Terms terms;
  terms.contract = contract;
  terms.partner = partner;
  terms.kind = ContractKind::kRedemption;
  terms.rate_micros = rate_micros;
  terms.fee_ppm = fee_ppm;
  terms.tax = {"DE00", 0};
  terms.fee_tax = {"DE19", 190'000};
  return terms;
}

Movements Issued(ContractId contract, int64_t points) {
  Movements moved;
  moved.contract = contract;
  moved.issued = Points(points);
  return moved;
}

Movements Redeemed(ContractId contract, int64_t points, int64_t refunded = 0) {
  Movements moved;
  moved.contract = contract;
  moved.redeemed = Points(points);
  moved.refunded = Points(refunded);
  return moved;
}

Settlement Computed(const Input& input) {
  absl::StatusOr<Settlement> settlement = Settle(input);
  INFO(settlement.status().ToString());
  REQUIRE(settlement.ok());
  return *std::move(settlement);
}

std::optional<Reason> RefusalOf(const Input& input) {
  return ReasonOf(Settle(input).status());
}

void BillBefore(const Settlement& settlement, std::vector<Billed>& before) {
  for (const Line& line : settlement.lines) {
    before.push_back({line.contract, line.leg, line.points, line.amount, line.tax});
  }
}

std::map<MoneyAccount, int64_t> Balances(const Settlement& settlement) {
  std::map<MoneyAccount, int64_t> balances;
  for (const MoneyEntry& entry : settlement.entries) {
    balances[entry.debit] += entry.amount.value();
    balances[entry.credit] -= entry.amount.value();
  }
  return balances;
}

// The grocer issues 12,345 points at 0.01 EUR; the florist issues 1,000 and redeems 9,000 of them.
Input TwoPartners() {
  Input input;
  input.terms = {Issuance(kGrocerIssues, kGrocer, 10'000),
                 Issuance(kFloristIssues, kFlorist, 10'000),
                 Redemption(kFloristRedeems, kFlorist, 8'000, 25'000)};
  input.movements = {Issued(kGrocerIssues, 12'345), Issued(kFloristIssues, 1'000),
                     Redeemed(kFloristRedeems, 9'100, 100)};
  return input;
}

// Some contracts of a few partners, all with awkward rates.
Input RandomTerms(std::mt19937_64& random) {
  Input input;
  input.currency_exponent = static_cast<int>(random() % 4);
  for (int partner = 1; partner <= 4; ++partner) {
    Terms issuance =
        Issuance(ContractId(partner * 10), PartnerId(partner), 1 + int64_t(random() % 30'000));
    issuance.billed_at = random() % 2 == 0 ? BilledAt::kPosting : BilledAt::kActivation;
    Terms redemption = Redemption(ContractId(partner * 10 + 1), PartnerId(partner),
                                  1 + int64_t(random() % 30'000), int64_t(random() % 100'000));
    redemption.fee_micros_per_point = int64_t(random() % 1'000);
    redemption.tax = {"R", int64_t(random() % 200'000)};
    input.terms.push_back(issuance);
    input.terms.push_back(redemption);
  }
  return input;
}

Movements RandomMovements(std::mt19937_64& random, ContractId contract) {
  const auto points = [&] { return Points(int64_t(random() % 1'000)); };
  return {contract, points(), points(), points(), points(), points(), points()};
}

MoneyAccount Deposit() {
  return {AccountKind::kPrepaidDeposit, kGrocer, {}};
}

TEST_CASE("Settle: points are paid for when a block is bought, and not again when they are issued",
          "[unit][netting][inv-85]") {
  Input input = TwoPartners();
  const Settlement postpaid = Computed(input);
  input.terms[0].funding = Funding::kPrepaid;
  input.point_blocks = {{kGrocerIssues, Points(20'000)}};

  const Settlement settlement = Computed(input);

  REQUIRE(settlement.lines.size() == postpaid.lines.size() + 1);
  CHECK(settlement.lines[0] == Line{kGrocer, kGrocerIssues, MoneyLeg::kIssuance, Points(12'345),
                                    Points(12'345), MinorUnits(), "DE19", MinorUnits()});
  CHECK(settlement.lines[1] == Line{kGrocer, kGrocerIssues, MoneyLeg::kPointBlock, Points(20'000),
                                    Points(20'000), MinorUnits(20'000), "DE19", MinorUnits(3'800),
                                    MinorUnits(20'000), MinorUnits(3'800)});
  CHECK(settlement.partners[0].net == MinorUnits(-23'800));
  CHECK(settlement.partners[1] == postpaid.partners[1]);
  // What it has not issued stays its deposit; what it has issued is owed to members as any other.
  CHECK(Balances(settlement)[Deposit()] == -(20'000 - 12'345));
  const MoneyAccount liability{AccountKind::kPointsLiability, {}, {}};
  CHECK(Balances(settlement)[liability] == Balances(postpaid)[liability]);
}

TEST_CASE(
    "Settle: a block costs what it was sold for, whatever the rate is when its points are issued",
    "[unit][netting][inv-85]") {
  const ContractId later(99);
  Input input;
  input.terms = {Issuance(kGrocerIssues, kGrocer, 10'000), Issuance(later, kGrocer, 12'000)};
  for (Terms& terms : input.terms) terms.funding = Funding::kPrepaid;
  input.point_blocks = {{kGrocerIssues, Points(1'000)}, {later, Points(500)}};
  // 900 points at the earlier rate, 300 at the later one: 100 of those are of the first block.
  input.movements = {Issued(kGrocerIssues, 900), Issued(later, 300)};

  const Settlement settlement = Computed(input);

  auto balances = Balances(settlement);
  CHECK(balances[Deposit()] == -(300 * 12 / 10));
  CHECK(balances[{AccountKind::kPointsLiability, {}, {}}] == -(900 + 300 * 12 / 10));
  // Members are owed more for those 100 points than was paid for them.
  CHECK(balances[{AccountKind::kIssuanceRevenue, {}, {}}] == 100 * 12 / 10 - 100);
}

TEST_CASE("Settle: what is unused of a block that ended is credited, or kept as revenue",
          "[unit][netting][inv-86]") {
  Input input = TwoPartners();
  input.terms[0].funding = Funding::kPrepaid;
  input.movements[0] = Issued(kGrocerIssues, 150);
  // Of 100 points 100 were used; of 80, 50 were and 30 were kept; of another 500, 20 are left,
  // because 480 were credited.
  input.point_blocks = {{kGrocerIssues, Points(100)},
                        {kGrocerIssues, Points(80), Points(30)},
                        {kGrocerIssues, Points(20)}};
  input.billed_before = {
      {kGrocerIssues, MoneyLeg::kPointBlock, Points(680), MinorUnits(680), MinorUnits(129)}};
  input.partners = {{kGrocer, MinorUnits(), MinorUnits(), MinorUnits(680)}};

  const Settlement settlement = Computed(input);

  REQUIRE(settlement.lines.size() >= 2);
  CHECK(settlement.lines[1] == Line{kGrocer, kGrocerIssues, MoneyLeg::kPointBlock, Points(-480),
                                    Points(200), MinorUnits(-480), "DE19", MinorUnits(-91),
                                    MinorUnits(200), MinorUnits(38)});
  auto balances = Balances(settlement);
  // 680 before: 480 go back, 150 cover what was issued, 30 are revenue; 20 are still to be used.
  CHECK(balances[Deposit()] == 480 + 150 + 30);
  CHECK(balances[{AccountKind::kIssuanceRevenue, {}, {}}] <= -30);
}

TEST_CASE("Settle: a block under a contract that is not paid in advance is malformed",
          "[unit][netting]") {
  Input input = TwoPartners();
  input.point_blocks = {{kGrocerIssues, Points(1)}};

  CHECK(RefusalOf(input) == Reason::kRequestMalformed);
}

TEST_CASE("Settle: an issuer that leaves pays for what is outstanding, once, and for nothing later",
          "[unit][netting][inv-88]") {
  Input input;
  input.terms = {Issuance(kGrocerIssues, kGrocer, 10'000)};
  input.terms[0].funding = Funding::kHybrid;
  input.terms[0].reserve_ppm = 500'000;
  Movements moved = Issued(kGrocerIssues, 1'000);
  moved.lots_redeemed = Points(300);
  moved.lots_expired = Points(100);
  input.movements = {moved};
  const Settlement before = Computed(input);
  CHECK(before.partners[0].issuance == MinorUnits(300));
  CHECK(before.partners[0].reserve == MinorUnits(300));
  BillBefore(before, input.billed_before);
  for (const MoneyEntry& entry : before.entries) {
    if (entry.cause != EntryCause::kRelease) continue;
    input.released_before.push_back({entry.contract, entry.amount, {}});
  }

  input.terms[0].outstanding_due = true;
  const Settlement last = Computed(input);

  // 600 points are out. The reserve that was kept for them is part of their price.
  CHECK(last.partners[0].issuance == MinorUnits(600));
  CHECK(last.partners[0].issuance_tax == MinorUnits(114));
  CHECK(last.partners[0].reserve == MinorUnits(-300));
  CHECK(Balances(last).at({AccountKind::kPointsLiability, {}, {}}) == -600);
  BillBefore(last, input.billed_before);

  // Of these 200 are spent, and 400 expire: the programme's gain.
  input.movements[0].lots_redeemed = Points(500);
  input.movements[0].lots_expired = Points(500);
  const Settlement after = Computed(input);
  CHECK(after.lines.empty());
  CHECK(after.obligations.empty());
  const auto balances = Balances(after);
  CHECK(balances.at({AccountKind::kIssuanceRevenue, {}, {}}) == -200);
  CHECK(balances.at({AccountKind::kBreakage, {}, {}}) == -400);
  CHECK(balances.at({AccountKind::kPointsLiability, {}, {}}) == 600);
}

TEST_CASE("Netting: the worked example of the README holds", "[unit][netting]") {
  const Settlement settlement = Computed(TwoPartners());

  REQUIRE(settlement.lines.size() == 4);
  CHECK(settlement.lines[0] == Line{kGrocer, kGrocerIssues, MoneyLeg::kIssuance, Points(12'345),
                                    Points(12'345), MinorUnits(12'345), "DE19", MinorUnits(2'346),
                                    MinorUnits(12'345), MinorUnits(2'346)});
  CHECK(settlement.lines[2] == Line{kFlorist, kFloristRedeems, MoneyLeg::kReimbursement,
                                    Points(9'000), Points(9'000), MinorUnits(7'200), "DE00",
                                    MinorUnits(0), MinorUnits(7'200), MinorUnits(0)});
  CHECK(settlement.lines[3] == Line{kFlorist, kFloristRedeems, MoneyLeg::kFee, Points(9'000),
                                    Points(9'000), MinorUnits(180), "DE19", MinorUnits(34),
                                    MinorUnits(180), MinorUnits(34)});

  REQUIRE(settlement.partners.size() == 2);
  CHECK(settlement.partners[0].net == MinorUnits(-14'691));
  CHECK(settlement.partners[1].net == MinorUnits(7'200 - 1'000 - 190 - 180 - 34));
  CHECK(settlement.partners[1].tax() == MinorUnits(224));
  CHECK(settlement.operator_net == MinorUnits(-14'691 + 5'796));
  CHECK(settlement.obligations ==
        std::vector<Obligation>{{kGrocer, Direction::kPartnerPays, MinorUnits(14'691)},
                                {kFlorist, Direction::kPartnerIsPaid, MinorUnits(5'796)}});
}

TEST_CASE("Netting: after the entries only the obligations stay open", "[unit][netting][inv-83]") {
  std::mt19937_64 random(83);
  for (int round = 0; round < 200; ++round) {
    Input input = RandomTerms(random);
    for (const Terms& terms : input.terms) {
      input.movements.push_back(RandomMovements(random, terms.contract));
    }
    const Settlement settlement = Computed(input);

    std::map<MoneyAccount, int64_t> balances = Balances(settlement);
    int64_t sum = 0;
    for (const auto& [account, balance] : balances) sum += balance;
    CHECK(sum == 0);
    int64_t nets = 0;
    for (const PartnerTotal& total : settlement.partners) {
      const int64_t net = total.net.value();
      nets += net;
      CHECK(balances[{AccountKind::kPartnerPayable, total.partner, {}}] ==
            -std::max<int64_t>(net, 0));
      CHECK(balances[{AccountKind::kPartnerReceivable, total.partner, {}}] ==
            std::max<int64_t>(-net, 0));
    }
    CHECK(settlement.operator_net == MinorUnits(nets));
    for (const MoneyEntry& entry : settlement.entries) CHECK(entry.amount > MinorUnits(0));
  }
}

TEST_CASE("Netting: the order of the input's rows changes nothing", "[unit][netting][inv-83]") {
  std::mt19937_64 random(1983);
  Input input = RandomTerms(random);
  for (int i = 0; i < 60; ++i) {
    const ContractId contract = input.terms[random() % input.terms.size()].contract;
    input.movements.push_back(RandomMovements(random, contract));
  }
  BillBefore(Computed(input), input.billed_before);
  input.movements.push_back(RandomMovements(random, input.terms[0].contract));
  const Settlement expected = Computed(input);

  for (int round = 0; round < 50; ++round) {
    std::shuffle(input.terms.begin(), input.terms.end(), random);
    std::shuffle(input.movements.begin(), input.movements.end(), random);
    std::shuffle(input.billed_before.begin(), input.billed_before.end(), random);
    const Settlement settlement = Computed(input);
    CHECK(settlement.lines == expected.lines);
    CHECK(settlement.partners == expected.partners);
    CHECK(settlement.obligations == expected.obligations);
    CHECK(settlement.entries == expected.entries);
  }
}

TEST_CASE("Netting: any split over settlements bills the same totals", "[unit][netting][inv-84]") {
  std::mt19937_64 random(84);
  using Key = std::pair<ContractId, MoneyLeg>;
  using Billing = std::pair<int64_t, int64_t>;
  for (int round = 0; round < 100; ++round) {
    Input whole = RandomTerms(random);
    Input split = whole;
    std::map<Key, Billing> in_parts;
    for (int part = 0; part < 7; ++part) {
      for (int i = 0; i < 10; ++i) {
        const ContractId contract = whole.terms[random() % whole.terms.size()].contract;
        whole.movements.push_back(RandomMovements(random, contract));
        split.movements.push_back(whole.movements.back());
      }
      const Settlement settlement = Computed(split);
      BillBefore(settlement, split.billed_before);
      for (const Line& line : settlement.lines) {
        in_parts[{line.contract, line.leg}].first += line.amount.value();
        in_parts[{line.contract, line.leg}].second += line.tax.value();
      }
    }
    std::map<Key, Billing> at_once;
    for (const Line& line : Computed(whole).lines) {
      at_once[{line.contract, line.leg}] = {line.amount.value(), line.tax.value()};
    }
    for (const auto& [key, billing] : in_parts) CHECK(at_once[key] == billing);
    CHECK(Computed(split).lines.empty());
  }
}

TEST_CASE("Netting: a full reversal leaves nothing billed", "[unit][netting][inv-84]") {
  Input input;
  input.terms = {Issuance(kGrocerIssues, kGrocer, 3'333),
                 Redemption(kFloristRedeems, kFlorist, 7'777, 31'000)};
  input.movements = {Issued(kGrocerIssues, 7), Redeemed(kFloristRedeems, 13)};
  const Settlement first = Computed(input);
  BillBefore(first, input.billed_before);
  Movements reversed;
  reversed.contract = kGrocerIssues;
  reversed.reversed_pending = Points(3);
  reversed.reversed = Points(4);
  input.movements.push_back(reversed);
  input.movements.push_back(Redeemed(kFloristRedeems, 0, 13));

  const Settlement second = Computed(input);

  REQUIRE(second.lines.size() == first.lines.size());
  for (size_t i = 0; i < first.lines.size(); ++i) {
    CHECK(second.lines[i].cumulative_points == Points(0));
    CHECK(second.lines[i].amount == -first.lines[i].amount);
    CHECK(second.lines[i].tax == -first.lines[i].tax);
  }
  CHECK(second.operator_net == -first.operator_net);
}

TEST_CASE("Netting: points billed at activation wait for it", "[unit][netting]") {
  Input input;
  input.terms = {Issuance(kGrocerIssues, kGrocer, 10'000)};
  input.terms[0].billed_at = BilledAt::kActivation;
  Movements moved = Issued(kGrocerIssues, 1'000);
  moved.reversed_pending = Points(200);
  input.movements = {moved};
  CHECK(Computed(input).lines.empty());

  Movements later;
  later.contract = kGrocerIssues;
  later.activated = Points(800);
  later.reversed = Points(50);
  input.movements.push_back(later);
  const Settlement settlement = Computed(input);

  REQUIRE(settlement.lines.size() == 1);
  CHECK(settlement.lines[0].points == Points(750));
  CHECK(settlement.lines[0].amount == MinorUnits(750));
}

TEST_CASE("Netting: halves round away from zero, in both directions", "[unit][netting]") {
  CHECK(*PriceOfPoints(Points(1), 5'000, 2) == MinorUnits(1));
  CHECK(*PriceOfPoints(Points(-1), 5'000, 2) == MinorUnits(-1));
  CHECK(*PriceOfPoints(Points(1), 4'999, 2) == MinorUnits(0));
  CHECK(*PriceOfPoints(Points(3), 500'000, 0) == MinorUnits(2));
  CHECK(*PriceOfPoints(Points(7), 1, 6) == MinorUnits(7));
  CHECK(*ShareOfAmount(MinorUnits(50), 190'000) == MinorUnits(10));
  CHECK(*ShareOfAmount(MinorUnits(-50), 190'000) == MinorUnits(-10));
}

TEST_CASE("Netting: what does not fit 64 bits is refused, not wrapped", "[unit][netting]") {
  CHECK(ReasonOf(PriceOfPoints(Points(INT64_MAX), 10'001, 2).status()) ==
        Reason::kAmountOutOfRange);
  CHECK(*PriceOfPoints(Points(INT64_MAX), 10'000, 2) == MinorUnits(INT64_MAX));

  Input input;
  input.terms = {Issuance(kGrocerIssues, kGrocer, 1)};
  input.movements = {Issued(kGrocerIssues, INT64_MAX), Issued(kGrocerIssues, INT64_MAX)};
  CHECK(RefusalOf(input) == Reason::kAmountOutOfRange);
  // What overflows only on the way is not refused.
  Movements reversed;
  reversed.contract = kGrocerIssues;
  reversed.reversed = Points(INT64_MAX);
  input.movements.push_back(reversed);
  CHECK(Settle(input).ok());
}

TEST_CASE("Netting: malformed input is refused with its reason", "[unit][netting]") {
  Input unknown = TwoPartners();
  unknown.movements.push_back(Issued(ContractId(99), 1));
  CHECK(RefusalOf(unknown) == Reason::kContractNotFound);

  Input twice = TwoPartners();
  twice.terms.push_back(twice.terms[0]);
  CHECK(RefusalOf(twice) == Reason::kRequestMalformed);

  Input negative = TwoPartners();
  negative.terms[0].rate_micros = -1;
  CHECK(RefusalOf(negative) == Reason::kRequestMalformed);

  Input codeless = TwoPartners();
  codeless.terms[0].tax.code.clear();
  CHECK(RefusalOf(codeless) == Reason::kRequestMalformed);

  Input wrong_leg = TwoPartners();
  wrong_leg.billed_before.push_back({kGrocerIssues, MoneyLeg::kReimbursement, {}, {}, {}});
  CHECK(RefusalOf(wrong_leg) == Reason::kRequestMalformed);

  Input exponent = TwoPartners();
  exponent.currency_exponent = 7;
  CHECK(RefusalOf(exponent) == Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::netting
