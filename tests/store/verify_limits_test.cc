// Tampering with what a limit is proved from, each found by `ledger verify`.
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/limits.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"

namespace guilder::ledger {
namespace {

constexpr char kCheck[] = "limits are in the pool, in allowances, or spent";

class Give final : public Command {
 public:
  Give(PartnerId issuer, ContractId contract, AccountId to, Points points)
      : contract_(contract), points_(points) {
    kind = RecordKind::kPurchase;
    partner = issuer;
    request_id = security::RandomUuid();
    account = to;
    book = BookOf(to);
    issues = Issues::kPartnersPoints;
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    const absl::Status earned = DecideEarn(
        posting, {partner, contract_, points_, posting.now() + Timestamp(kMicrosPerDay)});
    if (!earned.ok()) return earned;
    return std::string();
  }

 private:
  const ContractId contract_;
  const Points points_;
};

// A coalition whose partner `fresh` has used some of two blocks.
class World {
 public:
  World() {
    Query(
        "update partner.contracts set funding = 'PREPAID_BLOCK' where kind = 'ISSUANCE' and "
        "partner_id = (select partner_id from partner.partners where slug = 'fresh')");
    Query(
        "insert into partner.point_blocks (partner_id, number, points, bought_at_us, sold_by, "
        "request_id) select partner_id, n, 500, 0, 'anna', gen_random_uuid() "
        "from partner.partners, generate_series(1, 2) n where slug = 'fresh'");
    Query("update ledger.configuration set version = version + 1");
    const postgres::Rows contract = coalition_.database().Query(
        "select partner_id, contract_id from partner.contracts where funding = 'PREPAID_BLOCK'");
    const PartnerId fresh = contract[0].Id<PartnerId>(0);
    REQUIRE(coalition_.network()
                .pool()
                .Run([&](postgres::Transaction& tx) {
                  GrantLimit(tx, PointBlocksOf(fresh), Points(1'000));
                  return absl::OkStatus();
                })
                .ok());
    const AccountId account = coalition_.AccountOf(coalition_.AMember());
    std::promise<absl::Status> given;
    coalition_.lanes().Submit(
        std::make_unique<Give>(fresh, contract[0].Id<ContractId>(1), account, Points(300)),
        [&](const absl::StatusOr<Answer>& answer) { given.set_value(answer.status()); });
    REQUIRE(given.get_future().get().ok());
  }

  void Query(const std::string& sql) const { coalition_.database().Query(sql); }

  VerifyCheck Verified() {
    const auto report = Verify(coalition_.network().pool(), VerifyOptions(),
                               [](const VerifyProgress&) { return true; });
    REQUIRE(report.ok());
    for (const VerifyCheck& check : report->checks) {
      if (check.name == kCheck) return check;
    }
    FAIL("there is no such check");
    return {};
  }

 private:
  testing::Coalition coalition_;
};

TEST_CASE("Verify: a limit that is used is whole", "[store][ledger][inv-85]") {
  World world;
  const VerifyCheck check = world.Verified();
  CHECK(check.ok);
  CHECK(check.examined == 1);
}

TEST_CASE("Verify: tampering with what a limit says is found", "[store][ledger][inv-85]") {
  struct Case {
    std::string table;
    std::string sql;
    std::string says;
  };
  const Case cases[] = {
      {"ledger.limits", "update ledger.limits set granted = granted + 1", "granted 1001"},
      {"ledger.limits", "update ledger.limits set pool = pool + 1", "1 in the pool"},
      {"ledger.limits", "update ledger.limits set limit_id = limit_id + 16", "granted 0"},
      {"ledger.limits", "delete from ledger.limits", "granted 0"},
      {"ledger.allowances", "update ledger.allowances set remaining = remaining + 1",
       "702 in allow"},
      {"ledger.allowances", "update ledger.allowances set limit_id = limit_id + 16",
       "0 in allowances"},
      {"ledger.allowances", "update ledger.allowances set book = book + 100", "of no book"},
      {"partner.point_blocks", "update partner.point_blocks set points = 501 where number = 1",
       "open blocks are of 1001"},
      {"partner.point_blocks", "update partner.point_blocks set number = 3 where number = 2",
       "is missing"},
      {"partner.point_blocks",
       "update partner.point_blocks set partner_id = partner_id + 1 where number = 2",
       "is missing"},
      {"partner.contracts", "update partner.contracts set funding = 'POSTPAID'", "0 spent"},
  };
  World world;
  for (const Case& c : cases) {
    INFO(c.sql);
    world.Query(absl::StrCat("drop table if exists public.kept; create table public.kept as table ",
                             c.table, "; ", c.sql));

    const VerifyCheck check = world.Verified();

    CHECK_FALSE(check.ok);
    INFO(check.first_failure);
    CHECK(check.first_failure.find(c.says) != std::string::npos);
    if (c.table == "partner.contracts") {
      world.Query(
          "update partner.contracts c set funding = k.funding from public.kept k "
          "where k.contract_id = c.contract_id");
    } else {
      world.Query(absl::StrCat("delete from ", c.table, "; insert into ", c.table,
                               " select * from public.kept"));
    }
  }
  CHECK(world.Verified().ok);
}

}  // namespace
}  // namespace guilder::ledger
