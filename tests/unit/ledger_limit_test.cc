#include <random>

#include "libs/ledger/core/limit.h"
#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

const std::vector<BookId> kFourBooks = {BookId(1), BookId(2), BookId(3), BookId(4)};

std::vector<int64_t> Shares(const std::map<BookId, Points>& allowances) {
  std::vector<int64_t> shares;
  for (const auto& [book, points] : allowances) shares.push_back(points.value());
  return shares;
}

Entry Movement(Bucket debit, Bucket credit) {
  return {{AccountId(1), debit, {}}, {AccountId(2), credit, {}}, Points(7), ContractId(1)};
}

TEST_CASE("Limit: issuing spends an allowance, taking back refills it, and nothing else touches it",
          "[unit][ledger][inv-85]") {
  CHECK(AllowanceChange(Movement(Bucket::kIssued, Bucket::kPending)) == Points(-7));
  for (const Bucket from :
       {Bucket::kPending, Bucket::kAvailable, Bucket::kExpired, Bucket::kDebt}) {
    CHECK(AllowanceChange(Movement(from, Bucket::kIssued)) == Points(7));
  }
  CHECK(AllowanceChange(Movement(Bucket::kPending, Bucket::kAvailable)) == Points(0));
  CHECK(AllowanceChange(Movement(Bucket::kHeld, Bucket::kRedeemed)) == Points(0));
  CHECK(AllowanceChange(Movement(Bucket::kAvailable, Bucket::kExpired)) == Points(0));
}

TEST_CASE("Limit: its id tells whose it is", "[unit][ledger]") {
  CHECK(PartnerOf(PointBlocksOf(PartnerId(12))) == PartnerId(12));
  CHECK(PointBlocksOf(PartnerId(1)) != PointBlocksOf(PartnerId(2)));
}

TEST_CASE("DivideAllowance: needs come first, in their order, and the rest goes to all alike",
          "[unit][ledger][inv-27]") {
  struct Case {
    const char* what;
    int64_t total;
    std::vector<AllowanceNeed> needs;
    std::vector<int64_t> shares;
  };
  const Case cases[] = {
      {"nothing is needed", 42, {}, {11, 11, 10, 10}},
      {"one book needs some", 42, {{BookId(3), Points(30)}}, {3, 3, 33, 3}},
      {"a book needs twice", 10, {{BookId(2), Points(4)}, {BookId(2), Points(6)}}, {0, 10, 0, 0}},
      {"the first that fits gets it",
       10,
       {{BookId(1), Points(8)}, {BookId(2), Points(8)}},
       {9, 1, 0, 0}},
      {"what is too much gets nothing",
       10,
       {{BookId(1), Points(11)}, {BookId(2), Points(9)}},
       {1, 9, 0, 0}},
      {"there is nothing", 0, {{BookId(1), Points(1)}}, {0, 0, 0, 0}},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(Shares(DivideAllowance(Points(c.total), kFourBooks, c.needs)) == c.shares);
  }
}

TEST_CASE("DivideAllowance: whatever is needed, nothing is lost and nothing is below zero",
          "[unit][ledger][inv-27][inv-85]") {
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    const Points total(random() % 1'000);
    std::vector<AllowanceNeed> needs;
    for (size_t j = random() % 8; j > 0; --j) {
      needs.push_back({kFourBooks[random() % 4], Points(1 + random() % 400)});
    }

    const auto allowances = DivideAllowance(total, kFourBooks, needs);

    Points sum;
    for (const auto& [book, points] : allowances) {
      CHECK(points >= Points(0));
      sum += points;
    }
    CHECK(sum == total);
    if (!needs.empty() && needs[0].points <= total) {
      CHECK(allowances.at(needs[0].book) >= needs[0].points);
    }
  }
}

}  // namespace
}  // namespace guilder::ledger
