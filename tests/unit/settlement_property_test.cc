// Goal: every amount of a settlement follows from contracts and points by the stated formulas.
// Method: random programmes are settled here, several times each; contracts, points and results are
// written to a file, and a script that shares nothing with this code works all of it out again in
// exact rationals (check_settlements.py).
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "services/settlement/domain/money.h"
#include "services/settlement/domain/settlement.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

using ledger::Movement;
using netting::ContractKind;
using netting::Funding;
using netting::Terms;

constexpr int kProgrammes = 1'200;

class RandomProgramme {
 public:
  RandomProgramme(std::mt19937_64& random, std::ostream& out) : random_(random), out_(out) {
    facts_.currency_exponent = static_cast<int>(Below(4));
    out_ << "P\t" << facts_.currency_exponent << "\n";
    const int partners = 1 + static_cast<int>(Below(4));
    for (int partner = 1; partner <= partners; ++partner) {
      for (int version = 1 + static_cast<int>(Below(2)); version > 0; --version) {
        AddContract(PartnerId(partner), ContractKind::kIssuance);
      }
      if (Below(4) != 0) AddContract(PartnerId(partner), ContractKind::kRedemption);
      minimum_[PartnerId(partner)] = MinorUnits(Below(3) == 0 ? Below(5'000) : 0);
    }
  }

  // Points move, and are settled.
  void Settle() {
    out_ << "S\n";
    for (Terms& terms : facts_.terms) {
      terms.windows += Below(3);
      out_ << "W\t" << terms.contract.value() << "\t" << terms.windows << "\n";
      if (terms.kind == ContractKind::kIssuance && Below(4) == 0) {
        terms.outstanding_due = true;
        out_ << "D\t" << terms.contract.value() << "\n";
      }
      Move(terms);
    }
    facts_.partners.clear();
    for (const auto& [partner, minimum] : minimum_) {
      const MinorUnits deposit(-balances_[{"PREPAID_DEPOSIT", partner}]);
      facts_.partners.push_back({partner, carried_[partner], minimum, deposit});
      out_ << "Q\t" << partner.value() << "\t" << minimum.value() << "\n";
    }
    facts_.moved.clear();
    for (const auto& [key, points] : moved_) {
      facts_.moved.push_back({key.first, key.second, Points(), points});
    }
    facts_.lots.clear();
    for (const auto& [contract, lots] : lots_) facts_.lots.push_back(lots);
    const auto computation = Compute(facts_);
    INFO(computation.status().ToString());
    REQUIRE(computation.ok());
    Write(*computation);
    Remember(*computation);
  }

 private:
  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % bound); }

  void AddContract(PartnerId partner, ContractKind kind) {
    Terms terms;
    terms.contract = ContractId(static_cast<int32_t>(facts_.terms.size()) + 1);
    terms.partner = partner;
    terms.kind = kind;
    terms.rate_micros = Below(40'000);
    if (Below(2) == 0) terms.tax = {"S19", 190'000};
    if (Below(2) == 0) terms.fee_ppm = Below(100'000);
    if (Below(3) == 0) terms.fee_micros_per_point = Below(2'000);
    if (Below(3) == 0) terms.fee_per_window = MinorUnits(Below(1'000));
    if (Below(2) == 0) terms.fee_tax = {"S7", 1 + Below(250'000)};
    if (kind == ContractKind::kIssuance) {
      terms.billed_at =
          Below(2) == 0 ? netting::BilledAt::kPosting : netting::BilledAt::kActivation;
      terms.funding = static_cast<Funding>(Below(4));
      if (terms.funding == Funding::kHybrid) terms.reserve_ppm = Below(1'000'001);
      const bool by_redemption =
          terms.funding == Funding::kHybrid || terms.funding == Funding::kAtRedemption;
      if (!by_redemption && Below(2) == 0) terms.breakage_ppm = Below(1'000'001);
    }
    facts_.terms.push_back(terms);
    out_ << "T\t" << terms.contract.value() << "\t" << partner.value() << "\t"
         << (kind == ContractKind::kIssuance ? "ISSUANCE" : "REDEMPTION") << "\t"
         << terms.rate_micros << "\t"
         << (terms.billed_at == netting::BilledAt::kPosting ? "POSTING" : "ACTIVATION") << "\t"
         << static_cast<int>(terms.funding) << "\t" << terms.reserve_ppm << "\t"
         << terms.breakage_ppm << "\t" << terms.fee_ppm << "\t" << terms.fee_micros_per_point
         << "\t" << terms.fee_per_window.value() << "\t" << terms.tax.code << "\t" << terms.tax.ppm
         << "\t" << terms.fee_tax.code << "\t" << terms.fee_tax.ppm << "\n";
  }

  void Count(const Terms& terms, Movement movement, int64_t points) {
    moved_[{terms.contract, movement}] += Points(points);
    out_ << "M\t" << terms.contract.value() << "\t" << ledger::MovementName(movement) << "\t"
         << points << "\n";
  }

  // Earning, returns before and after activation, spending, refunds and expiry; a lot's points are
  // reversed also after they were spent.
  void Move(const Terms& terms) {
    if (Below(5) == 0) return;
    if (terms.kind == ContractKind::kRedemption) {
      const int64_t redeemed = Below(20'000);
      Count(terms, Movement::kRedeemed, redeemed);
      Count(terms, Movement::kRefunded, Below(redeemed + 1));
      return;
    }
    if (terms.funding == Funding::kPrepaid) {
      const int64_t bought = 1 + Below(100'000);
      facts_.point_blocks.push_back({terms.contract, Points(bought)});
      out_ << "K\t" << terms.contract.value() << "\t" << bought << "\n";
    }
    const int64_t issued = Below(50'000);
    const int64_t cancelled = Below(issued / 4 + 1);
    Count(terms, Movement::kIssued, issued);
    Count(terms, Movement::kReversedPending, cancelled);
    Count(terms, Movement::kActivated, issued - cancelled);
    Count(terms, Movement::kReversed, Below((issued - cancelled) / 3 + 1));
    LotTotals& lots = lots_[terms.contract];
    lots.contract = terms.contract;
    const int64_t spent = Below(issued + 1) - issued / 8;
    const int64_t expired = Below(issued / 5 + 1);
    lots.redeemed += Points(spent);
    lots.expired += Points(expired);
    out_ << "L\t" << terms.contract.value() << "\t" << spent << "\t" << expired << "\n";
  }

  void Write(const Computation& computation) {
    for (const Line& line : computation.lines) {
      const netting::Line& bill = line.bill;
      out_ << "R\t" << bill.partner.value() << "\t" << bill.contract.value() << "\t"
           << LegName(bill.leg) << "\t" << bill.points.value() << "\t"
           << bill.cumulative_points.value() << "\t" << bill.amount.value() << "\t" << bill.tax_code
           << "\t" << bill.tax.value() << "\n";
    }
    for (const Net& net : computation.nets) {
      out_ << "N\t" << net.partner.value() << "\t" << net.issuance.value() << "\t"
           << net.reimbursement.value() << "\t" << net.fee.value() << "\t" << net.reserve.value()
           << "\t" << net.breakage.value() << "\t" << net.point_blocks.value() << "\t"
           << net.tax.value() << "\t" << net.net.value() << "\t" << net.carried_in.value() << "\t"
           << net.carried_out.value() << "\n";
    }
    for (const netting::Obligation& obligation : computation.obligations) {
      const bool is_paid = obligation.direction == netting::Direction::kPartnerIsPaid;
      out_ << "O\t" << obligation.partner.value() << "\t"
           << (is_paid ? obligation.amount : -obligation.amount).value() << "\n";
    }
    for (const netting::MoneyEntry& entry : computation.entries) {
      CHECK(entry.amount > MinorUnits());
      balances_[{AccountName(entry.debit), entry.debit.partner}] += entry.amount.value();
      balances_[{AccountName(entry.credit), entry.credit.partner}] -= entry.amount.value();
    }
    for (const auto& [account, balance] : balances_) {
      out_ << "B\t" << account.first << "\t" << account.second.value() << "\t" << balance << "\n";
    }
    out_ << "E\n";
  }

  void Remember(const Computation& computation) {
    for (const Line& line : computation.lines) {
      const netting::Line& bill = line.bill;
      facts_.billed_before.push_back({bill.contract, bill.leg, bill.points, bill.amount, bill.tax});
    }
    for (const Net& net : computation.nets) carried_[net.partner] = net.carried_out;
    for (const netting::MoneyEntry& entry : computation.entries) {
      if (entry.cause == netting::EntryCause::kConsumption && entry.contract) {
        const bool is_taken = entry.debit.kind == netting::AccountKind::kPrepaidDeposit;
        facts_.released_before.push_back(
            {entry.contract, {}, {}, is_taken ? entry.amount : -entry.amount});
      }
      if (entry.cause != netting::EntryCause::kRelease) continue;
      const bool is_released = entry.debit.kind == netting::AccountKind::kPointsLiability;
      const MinorUnits amount = is_released ? entry.amount : -entry.amount;
      const auto kind = is_released ? entry.credit.kind : entry.debit.kind;
      netting::Released& released = facts_.released_before.emplace_back();
      released.contract = entry.contract;
      (kind == netting::AccountKind::kBreakage ? released.breakage : released.revenue) = amount;
    }
  }

  std::mt19937_64& random_;
  std::ostream& out_;
  Facts facts_;
  std::map<std::pair<ContractId, Movement>, Points> moved_;
  std::map<ContractId, LotTotals> lots_;
  std::map<PartnerId, MinorUnits> minimum_;
  std::map<PartnerId, MinorUnits> carried_;
  std::map<std::pair<std::string, PartnerId>, int64_t> balances_;
};

TEST_CASE("Settlement: exact rationals agree on every amount of 1,200 random programmes",
          "[unit][settlement][inv-35][inv-82][inv-83][inv-84]") {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / absl::StrCat("settlements_", seed, ".tsv");
  {
    std::ofstream out(path);
    for (int i = 0; i < kProgrammes; ++i) {
      RandomProgramme programme(random, out);
      for (int settlement = 0; settlement < 4; ++settlement) programme.Settle();
    }
  }
  const char* const source = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(source != nullptr);

  const int exit_code = std::system(
      absl::StrCat("python3 ", source, "/tests/unit/check_settlements.py ", path.string()).c_str());

  CHECK(exit_code == 0);
  std::filesystem::remove(path);
}

TEST_CASE("Settlement: however points are split over settlements, the same is billed",
          "[unit][settlement][inv-84]") {
  Facts facts;
  Terms terms;
  terms.contract = ContractId(1);
  terms.partner = PartnerId(1);
  terms.rate_micros = 3'333;
  terms.tax = {"S19", 190'000};
  facts.terms = {terms};
  for (int64_t points = 7; points <= 7'000; points += 7) {
    facts.moved = {{ContractId(1), Movement::kIssued, Points(7), Points(points)}};
    const auto computation = Compute(facts);
    REQUIRE(computation.ok());
    for (const Line& line : computation->lines) {
      facts.billed_before.push_back(
          {line.bill.contract, line.bill.leg, line.bill.points, line.bill.amount, line.bill.tax});
    }
  }
  MinorUnits amount;
  MinorUnits tax;
  for (const netting::Billed& billed : facts.billed_before) {
    amount += billed.amount;
    tax += billed.tax;
  }
  CHECK(amount == MinorUnits(2'333));  // 7,000 × 0.3333 = 2,333.1
  CHECK(tax == MinorUnits(443));       // 2,333 × 0.19 = 443.27
  // All of it is returned, so all of it is credited.
  facts.moved.push_back({ContractId(1), Movement::kReversed, Points(7'000), Points(7'000)});
  const auto credit = Compute(facts);
  REQUIRE(credit.ok());
  REQUIRE(credit->lines.size() == 1);
  CHECK(credit->lines[0].bill.amount == -amount);
  CHECK(credit->lines[0].bill.tax == -tax);
}

}  // namespace
}  // namespace guilder::settlement
