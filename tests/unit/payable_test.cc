#include "libs/ledger/core/payable.h"

#include <random>

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

const Currency kEuro = ParseCurrency("EUR").value();

Configuration AConfiguration() {
  Programme programme;
  programme.currency = kEuro;
  return {1, programme, Calendar::Make(Cycle::kDaily, "UTC", {}).value(), {}, PartnerId()};
}

// A point pays 0.01 EUR.
Contract AContract() {
  Contract contract;
  contract.currency = kEuro;
  contract.rate_micros = 10'000;
  return contract;
}

std::vector<BasketLine> ABasket() {
  return {{"a", "food", MinorUnits(60'000)}, {"b", "tobacco", MinorUnits(40'000)}};
}

}  // namespace

TEST_CASE("PayableValue: excluded goods are left out, the share is of all goods",
          "[unit][ledger][inv-55]") {
  RedemptionTerms terms;
  CHECK(PayableValue(terms, ABasket()) == MinorUnits(100'000));
  terms.excluded_categories = {"tobacco"};
  CHECK(PayableValue(terms, ABasket()) == MinorUnits(60'000));
  terms.maximum_share_per_mille = 500;
  CHECK(PayableValue(terms, ABasket()) == MinorUnits(50'000));
  terms.excluded_skus = {"a"};
  CHECK(PayableValue(terms, ABasket()) == MinorUnits(0));
}

TEST_CASE("MostPayable: steps, the minimum and what the member has", "[unit][ledger][inv-55]") {
  const Configuration configuration = AConfiguration();
  Contract contract = AContract();
  const auto most = [&](int64_t value, int64_t available) {
    return MostPayable(configuration, contract, MinorUnits(value), Points(available)).value();
  };
  CHECK(most(1'234, 5'000) == 1'234);
  CHECK(most(1'234, 700) == 700);
  contract.redemption.step = Points(100);
  CHECK(most(1'234, 5'000) == 1'200);
  CHECK(most(1'234, 799) == 700);
  contract.redemption.minimum = Points(500);
  CHECK(most(499, 5'000) == 0);
  CHECK(most(500, 5'000) == 500);
  contract.rate_micros = 0;
  CHECK(most(1'234, 5'000) == 0);
  CHECK(most(0, 5'000) == 0);
}

TEST_CASE("MostPayable: is accepted, and one step more is not", "[unit][ledger][inv-55]") {
  const Configuration configuration = AConfiguration();
  const auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto up_to = [&](int64_t most) {
    return std::uniform_int_distribution<int64_t>(0, most)(random);
  };
  for (int i = 0; i < 2'000; ++i) {
    Contract contract = AContract();
    contract.rate_micros = 1 + up_to(50'000);
    contract.redemption.step = Points(up_to(3) * 50);
    contract.redemption.minimum = Points(up_to(3) * 100);
    contract.redemption.maximum_share_per_mille = static_cast<int>(up_to(1'000));
    const std::vector<BasketLine> basket = {{"a", "", MinorUnits(1 + up_to(100'000))}};
    const MinorUnits value = PayableValue(contract.redemption, basket);
    const Points most = MostPayable(configuration, contract, value, kMaxPointsPerCommand);

    CHECK(configuration.Price(most, contract.rate_micros, contract.currency) <= value);
    if (most > Points(0)) {
      CHECK(CheckPayable(configuration, contract, basket, most).ok());
    }
    const Points more = std::max({most + Points(1), most + contract.redemption.step,
                                  contract.redemption.minimum + Points(1)});
    CHECK(ReasonOf(CheckPayable(configuration, contract, basket, more)) ==
          Reason::kRedemptionNotPayable);
  }
}

}  // namespace guilder::ledger
