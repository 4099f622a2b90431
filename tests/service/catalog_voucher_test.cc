#include "libs/base/text.h"
#include "tests/service/catalog_world.h"

namespace guilder::redemption {
namespace {

TEST_CASE("Vouchers: used in parts, what is left is face less used; each partner is owed its share",
          "[service][redemption][inv-59]") {
  CatalogWorld world;
  world.GivePoints(1'000);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const v1::Voucher voucher = world.Issued();
  CHECK(voucher.code().size() == 24);
  CHECK(voucher.remaining_value().minor_units() == 500);
  CHECK(world.Balances() == std::vector<int64_t>{300, 700});

  const auto first = world.Use(voucher.code(), 199);
  REQUIRE(first.ok());
  // floor(700 × 199 ÷ 500), at 0.008 EUR a point.
  CHECK(first->points() == 278);
  CHECK(first->value().minor_units() == 222);
  CHECK(first->remaining_value().minor_units() == 301);
  CHECK(world.RedeemedAt("books") == 278);
  const auto too_much = world.Use(voucher.code(), 302, "fresh");
  CHECK(ReasonOf(too_much) == Reason::kVoucherExceeded);
  CHECK(DetailsOf(too_much.status()).at("remaining_minor_units") == "301");
  REQUIRE(world.Use(voucher.code(), 1, "fresh").ok());
  const v1::Voucher after = world.GetVoucher(voucher.name());
  CHECK(after.used_value().minor_units() == 200);
  CHECK(after.remaining_value().minor_units() == 300);
  CHECK(after.code() == voucher.code());
  REQUIRE(world.Use(voucher.code(), 300, "fresh").ok());

  CHECK(world.GetVoucher(voucher.name()).state() == v1::VOUCHER_STATE_USED);
  CHECK(world.RedeemedAt("books") + world.RedeemedAt("fresh") == 700);
  CHECK(world.Balances() == std::vector<int64_t>{300, 0});
  CHECK(ReasonOf(world.Use(voucher.code(), 1)) == Reason::kVoucherClosed);
}

TEST_CASE("Vouchers: simultaneous uses never take more than the face value",
          "[service][redemption][inv-59]") {
  CatalogWorld world;
  world.GivePoints(700);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const std::string code = world.Issued().code();
  std::vector<std::future<bool>> running;
  for (int i = 0; i < 20; ++i) {
    const std::string partner = i % 2 == 0 ? "books" : "fresh";
    running.push_back(std::async(std::launch::async, [&world, &code, partner] {
      return world.Use(code, 60, partner).ok();
    }));
  }
  int taken = 0;
  for (auto& one : running) taken += one.get();
  CHECK(taken == 8);
  CHECK(world.RedeemedAt("books") + world.RedeemedAt("fresh") == 672);
}

TEST_CASE("Vouchers: of a single-use one the first use takes all", "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(700);
  auto reward = CatalogWorld::AVoucher();
  reward.mutable_reward()->mutable_voucher()->set_single_use(true);
  REQUIRE(world.Create(reward).ok());
  const v1::Voucher voucher = world.Issued();

  const auto used = world.Use(voucher.code(), 120);

  REQUIRE(used.ok());
  CHECK(used->points() == 700);
  CHECK(used->remaining_value().minor_units() == 0);
  CHECK(ReasonOf(world.Use(voucher.code(), 1)) == Reason::kVoucherClosed);
  CHECK(world.GetVoucher(voucher.name()).state() == v1::VOUCHER_STATE_USED);
}

TEST_CASE("Vouchers: a repeat gets the first answer, and the same code",
          "[service][redemption][inv-11]") {
  CatalogWorld world;
  world.GivePoints(700);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const auto issue = world.AnIssue();
  const auto issued = world.Issue(issue);
  REQUIRE(issued.ok());
  clients::Answered answered;
  const auto again = world.Call(world.AsMember(), &Catalog::IssueVoucher, issue, &answered);
  REQUIRE(again.ok());
  CHECK(answered.replayed);
  CHECK(again->SerializeAsString() == issued->SerializeAsString());

  const auto use = CatalogWorld::AUse(issued->voucher().code(), 100);
  const auto used = world.Call(world.AsPartner("books"), &Catalog::RedeemVoucher, use);
  const auto repeated = world.Call(world.AsPartner("books"), &Catalog::RedeemVoucher, use);
  REQUIRE(used.ok());
  REQUIRE(repeated.ok());
  CHECK(used->SerializeAsString() == repeated->SerializeAsString());
  auto other = use;
  other.mutable_amount()->set_minor_units(101);
  CHECK(ReasonOf(world.Call(world.AsPartner("books"), &Catalog::RedeemVoucher, other)) ==
        Reason::kRequestIdReused);
  CHECK(world.GetVoucher(issued->voucher().name()).used_value().minor_units() == 100);
}

TEST_CASE("RefundVoucher: what was bought with points comes back as points, to the same lots",
          "[service][redemption][inv-60]") {
  CatalogWorld world;
  world.GivePoints(400, 10);
  world.GivePoints(400);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const std::string before = world.Lots();
  const v1::Voucher voucher = world.Issued();
  const auto used = world.Use(voucher.code(), 250);
  REQUIRE(used.ok());

  const auto rest = world.Refund(world.AsMember(), voucher.name());
  REQUIRE(rest.ok());
  CHECK(rest->refunded_points() == 350);
  CHECK(rest->amount().minor_units() == 250);
  CHECK(world.GetVoucher(voucher.name()).state() == v1::VOUCHER_STATE_REFUNDED);
  CHECK(world.GetVoucher(voucher.name()).remaining_value().minor_units() == 0);
  CHECK(ReasonOf(world.Use(voucher.code(), 1)) == Reason::kVoucherClosed);
  CHECK(ReasonOf(world.Refund(world.AsMember(), voucher.name())) == Reason::kVoucherClosed);

  // The goods of the use come back, in two parts.
  const auto part = world.Refund(world.AsPartner("books"), "", used->name(), 100);
  REQUIRE(part.ok());
  CHECK(part->refunded_points() == 140);
  CHECK(ReasonOf(world.Refund(world.AsPartner("books"), "", used->name(), 151)) ==
        Reason::kVoucherExceeded);
  const auto all = world.Refund(world.AsPartner("books"), "", used->name());
  REQUIRE(all.ok());
  CHECK(all->refunded_points() == 210);
  CHECK(ReasonOf(world.Refund(world.AsPartner("books"), "", used->name())) ==
        Reason::kVoucherClosed);

  CHECK(world.Balances() == std::vector<int64_t>{800, 0});
  CHECK(world.Lots() == before);
  CHECK(world.RedeemedAt("books") == 0);
}

TEST_CASE("RefundVoucher: one that was not used goes back to the stock, one that was stays had",
          "[service][redemption][inv-60]") {
  CatalogWorld world;
  world.GivePoints(1'500);
  auto limited = CatalogWorld::AVoucher();
  limited.mutable_reward()->set_stock_limited(true);
  limited.set_stock(1);
  REQUIRE(world.Create(limited).ok());
  const auto left = [&] { return world.Reward("five-euros").remaining_stock(); };

  const v1::Voucher unused = world.Issued();
  CHECK(left() == 0);
  CHECK(ReasonOf(world.Issue(world.AnIssue())) == Reason::kOutOfStock);
  REQUIRE(world.Refund(world.AsMember(), unused.name()).ok());
  CHECK(left() == 1);

  const v1::Voucher used = world.Issued();
  REQUIRE(world.Use(used.code(), 100).ok());
  REQUIRE(world.Refund(world.AsMember(), used.name()).ok());
  CHECK(left() == 0);
}

TEST_CASE("Vouchers: when one expires, what is left goes back to the lots, and expires with them",
          "[service][redemption][inv-51][inv-59]") {
  CatalogWorld world;
  world.GivePoints(300, 10);
  world.GivePoints(400);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const v1::Voucher voucher = world.Issued();
  REQUIRE(world.Use(voucher.code(), 100).ok());

  world.coalition.AdvanceDays(29);
  REQUIRE(world.Use(voucher.code(), 100).ok());
  world.coalition.AdvanceDays(2);

  CHECK(world.GetVoucher(voucher.name()).state() == v1::VOUCHER_STATE_EXPIRED);
  CHECK(ReasonOf(world.Use(voucher.code(), 1)) == Reason::kVoucherClosed);
  CHECK(ReasonOf(world.Refund(world.AsMember(), voucher.name())) == Reason::kVoucherClosed);
  // 280 of the 300 were used; the 20 left had expired long ago, the 400 are there again.
  world.GivePoints(1);
  CHECK(world.Balances() == std::vector<int64_t>{401, 0});
}

TEST_CASE("Vouchers: a mistyped code is told from an unknown one, and guessing ends",
          "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(700);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const std::string code = world.Issued().code();
  std::string mistyped = code;
  mistyped[0] = mistyped[0] == '7' ? '8' : '7';
  const std::string unknown = "0000-0000-0000-0000-0000";
  const auto refused = [&](const std::string& presented, const std::string& partner = "books") {
    return ReasonOf(world.Use(presented, 1, partner));
  };

  // Slips are not counted.
  for (int i = 0; i < 120; ++i) REQUIRE(refused(mistyped) == Reason::kVoucherCodeMistyped);
  for (int i = 0; i < 100; ++i) REQUIRE(refused(unknown) == Reason::kVoucherNotFound);
  CHECK(refused(unknown) == Reason::kRateLimited);
  CHECK(refused(code) == Reason::kRateLimited);
  v1::GetVoucherRequest get;
  get.set_code(code);
  CHECK(ReasonOf(world.Call(world.AsPartner("books"), &Catalog::GetVoucher, get)) ==
        Reason::kRateLimited);
  // Others go on.
  CHECK_FALSE(refused(code, "fresh"));
}

TEST_CASE("Vouchers: the database has no code that could be used", "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(700);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const std::string code = world.Issued().code();
  REQUIRE(world.Use(code, 1).ok());
  std::string bare;
  for (const char c : code) {
    if (c != '-') bare += c;
  }
  const auto tables = world.coalition.database().Query(
      "select format('%I.%I', table_schema, table_name) from information_schema.tables "
      "where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', "
      "'information_schema')");
  int searched = 0;
  for (const postgres::Row& row : tables) {
    const std::string table(row.Text(0));
    for (const std::string& form : {code, bare}) {
      INFO(table);
      // Bytes are shown in hexadecimal, so both what is text and what is bytes is found.
      CHECK(world.Count(table + " t where strpos(t::text, '" + form +
                        "') > 0 or strpos(t::text, '" + ToHex(form) + "') > 0") == 0);
      ++searched;
    }
  }
  CHECK(searched > 40);
}

TEST_CASE("Vouchers: seen and refunded by whose they are, taken where they are named",
          "[service][redemption][inv-89]") {
  CatalogWorld world;
  world.GivePoints(1'400);
  auto only_fresh = CatalogWorld::AVoucher("fresh-only");
  only_fresh.mutable_reward()->mutable_voucher()->clear_partners();
  only_fresh.mutable_reward()->mutable_voucher()->add_partners("partners/fresh");
  REQUIRE(world.Create(only_fresh).ok());
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const v1::Voucher fresh = world.Issued("fresh-only");
  const v1::Voucher both = world.Issued();
  const AccountId other = world.coalition.AccountOf(world.coalition.AMember());
  const auto used = world.Use(both.code(), 100);
  REQUIRE(used.ok());

  CHECK(ReasonOf(world.Use(fresh.code(), 1, "books")) == Reason::kVoucherNotAccepted);
  const auto seen = [&](const clients::Channel& as, const v1::Voucher& voucher, bool by_code) {
    v1::GetVoucherRequest get;
    if (by_code) {
      get.set_code(voucher.code());
    } else {
      get.set_name(voucher.name());
    }
    return world.Call(as, &Catalog::GetVoucher, get);
  };
  CHECK(ReasonOf(seen(world.AsPartner("books"), fresh, true)) == Reason::kVoucherNotFound);
  CHECK(ReasonOf(seen(world.AsPartner("fresh"), both, false)) == Reason::kVoucherNotFound);
  CHECK(ReasonOf(seen(world.AsMember(other), both, false)) == Reason::kVoucherNotFound);
  const auto at_till = seen(world.AsPartner("books"), both, true);
  REQUIRE(at_till.ok());
  CHECK(at_till->voucher().member().empty());
  CHECK(at_till->voucher().points() == 0);
  CHECK(at_till->voucher().remaining_value().minor_units() == 400);
  CHECK(seen(world.AsPartner("books"), both, false).ok());
  const auto supported = seen(world.AsOperator(), both, false);
  REQUIRE(supported.ok());
  CHECK(supported->voucher().code().empty());

  const auto listed = [&](const clients::Channel& as) {
    const auto list = world.Call(as, &Catalog::ListVouchers, v1::ListVouchersRequest());
    return list.ok() ? list->vouchers_size() : -1;
  };
  CHECK(listed(world.AsMember()) == 2);
  CHECK(listed(world.AsMember(other)) == 0);
  CHECK(listed(world.AsPartner("books")) == 1);
  CHECK(listed(world.AsPartner("fresh")) == 0);
  CHECK(listed(world.AsOperator()) == 2);

  CHECK(ReasonOf(world.Refund(world.AsMember(other), both.name())) == Reason::kVoucherNotFound);
  CHECK(ReasonOf(world.Refund(world.AsPartner("books"), both.name())) == Reason::kVoucherNotFound);
  CHECK(ReasonOf(world.Refund(world.AsPartner("fresh"), "", used->name())) ==
        Reason::kVoucherNotFound);
  CHECK(ReasonOf(world.Refund(world.AsMember(), "", used->name())) == Reason::kVoucherNotFound);
  CHECK(world.Refund(world.AsOperator(), "", used->name()).ok());
}

}  // namespace
}  // namespace guilder::redemption
