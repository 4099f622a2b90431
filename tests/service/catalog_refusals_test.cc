// What the catalogue refuses, in the order that its RPCs document, and what else hostile callers
// send.
#include <string>

#include "tests/service/catalog_world.h"

namespace guilder::redemption {
namespace {

std::string Field(const absl::Status& status) {
  const auto details = DetailsOf(status);
  const auto field = details.find("field");
  return field == details.end() ? "" : field->second;
}

TEST_CASE("CreateReward: refusals in their order", "[service][redemption]") {
  CatalogWorld world;
  auto request = CatalogWorld::AGift();
  v1::Reward& reward = *request.mutable_reward();
  request.set_request_id("1");
  request.set_reward_id("Not An Id");
  reward.set_display_name("");
  reward.set_price_points(0);
  reward.mutable_price_money()->set_currency_code("USD");
  reward.set_supplier_store("partners/books/stores/s9");
  const auto refused = [&] { return ReasonOf(world.Create(request)); };

  CHECK(refused() == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_reward_id(std::string(41, 'a'));
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_reward_id("bouquet");
  CHECK(refused() == Reason::kCurrencyNotSupported);
  reward.mutable_price_money()->set_currency_code("EUR");
  CHECK(Field(world.Create(request).status()) == "display_name");
  reward.set_display_name("Bouquet");
  CHECK(refused() == Reason::kAmountOutOfRange);
  reward.set_price_points(100);
  request.set_stock(1'000'000'001);
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.set_stock(-1);
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.set_stock(5);
  CHECK(refused() == Reason::kStoreNotFound);
  reward.set_supplier_store("books/s1");
  CHECK(Field(world.Create(request).status()) == "supplier_store");
  reward.set_supplier_store("partners/books/stores/s1");
  reward.set_kind(static_cast<v1::RewardKind>(9));
  CHECK(Field(world.Create(request).status()) == "kind");
  reward.set_kind(v1::REWARD_KIND_GIFT);
  REQUIRE(world.Create(request).ok());
  CHECK(world.Create(request).ok());
  request.set_stock(6);
  CHECK(refused() == Reason::kRequestIdReused);
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kAlreadyExists);
  CHECK(world.Reward().remaining_stock() == 5);
  auto voucher = CatalogWorld::AVoucher();
  voucher.mutable_reward()->mutable_voucher()->add_partners("partners/nobody");
  CHECK(ReasonOf(world.Create(voucher)) == Reason::kPartnerNotFound);
}

TEST_CASE("UpdateReward: refusals in their order; a repeat changes nothing",
          "[service][redemption][inv-11]") {
  CatalogWorld world;
  world.GivePoints(300);
  REQUIRE(world.Create(CatalogWorld::AGift("bouquet", 3)).ok());
  v1::UpdateRewardRequest request;
  request.set_request_id("1");
  request.mutable_reward()->set_name("rewards/none");
  request.mutable_reward()->set_etag("7");
  const auto refused = [&] { return ReasonOf(world.Update(request)); };

  CHECK(refused() == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_stock_change(2);
  CHECK(refused() == Reason::kRewardNotFound);
  request.mutable_reward()->set_name("rewards/bouquet");
  CHECK(refused() == Reason::kEtagMismatch);
  request.mutable_reward()->set_etag("1");
  request.mutable_update_mask()->add_paths("kind");
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_update_mask()->set_paths(0, "price_points");
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.mutable_reward()->set_price_points(50);
  REQUIRE(world.Update(request).ok());
  REQUIRE(world.Update(request).ok());
  CHECK(world.Reward().remaining_stock() == 5);
  CHECK(world.Reward().price_version() == 2);
  CHECK(world.Reward().etag() == "2");
  request.set_stock_change(3);
  CHECK(refused() == Reason::kRequestIdReused);

  // What books hold of the stock is taken away, too, but never what is sold.
  world.Ordered("bouquet", 2);
  v1::UpdateRewardRequest less;
  less.set_request_id(clients::NewRequestId());
  less.mutable_reward()->set_name("rewards/bouquet");
  less.set_stock_change(-4);
  CHECK(ReasonOf(world.Update(less)) == Reason::kOutOfStock);
  less.set_stock_change(-3);
  REQUIRE(world.Update(less).ok());
  CHECK(world.Reward().remaining_stock() == 0);
  CHECK(ReasonOf(world.Order(world.AnOrder())) == Reason::kOutOfStock);
}

TEST_CASE("OrderReward: refusals in their order", "[service][redemption][inv-58]") {
  CatalogWorld world;
  world.GivePoints(99);
  auto gift = CatalogWorld::AGift("bouquet", 1);
  gift.mutable_reward()->add_regions("DE-BE");
  gift.mutable_reward()->set_per_member_limit(5);
  REQUIRE(world.Create(gift).ok());
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  auto request = world.AnOrder("none", 101);
  request.set_request_id("");
  request.set_reference(std::string(65, 'x'));
  request.set_region(std::string("DE\0BE", 5));
  const auto refused = [&] { return ReasonOf(world.Order(request)); };

  CHECK(refused() == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_region("");
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_reference("");
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.set_quantity(-1);
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.set_quantity(6);
  request.set_member("members/007");
  CHECK(refused() == Reason::kMemberNotFound);
  request.set_member(CatalogWorld::NameOf(world.account));
  CHECK(refused() == Reason::kRewardNotFound);
  request.set_reward("rewards/five-euros");
  const std::string locked = absl::StrCat(
      "insert into redemption.members (book, account_id, failed_attempts, locked_at_us) values (",
      ledger::BookOf(world.account).value(), ", ", world.account.value(), ", 5, 1)");
  world.Change(locked);
  CHECK(refused() == Reason::kSpendingLocked);
  CHECK(ReasonOf(world.Issue(world.AnIssue())) == Reason::kSpendingLocked);
  world.Change("update redemption.members set locked_at_us = null, failed_attempts = 0");
  CHECK(refused() == Reason::kRewardNotAvailable);
  request.set_reward("rewards/bouquet");
  CHECK(refused() == Reason::kRewardNotAvailable);
  request.set_region("DE-BE");
  request.set_price_version(2);
  CHECK(refused() == Reason::kPriceChanged);
  request.set_price_version(1);
  world.Change("update partner.partners set state = 'SUSPENDED' where slug = 'books'");
  world.Change("update partner.contracts set state = 'PROPOSED' where kind = 'REDEMPTION'");
  world.Change("update ledger.accounts set status = 1");
  CHECK(refused() == Reason::kPartnerNotActive);
  world.Change("update partner.partners set state = 'ACTIVE'");
  CHECK(refused() == Reason::kNoContract);
  world.Change("update partner.contracts set state = 'APPROVED'");
  CHECK(refused() == Reason::kMemberLimitReached);
  request.set_quantity(1);
  CHECK(refused() == Reason::kAccountClosed);
  world.Change("update ledger.accounts set status = 0");
  const auto short_of_points = world.Order(request);
  CHECK(ReasonOf(short_of_points) == Reason::kInsufficientPoints);
  CHECK(DetailsOf(short_of_points.status()).at("available_points") == "99");
  world.GivePoints(101);
  REQUIRE(world.Order(request).ok());
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kOutOfStock);
  // A request that was accepted is not decided anew.
  CHECK(world.Reward().remaining_stock() == 0);
}

TEST_CASE("CancelOrder, UpdateOrderStatus and GetOrder: names that are none, and repeats",
          "[service][redemption][inv-12]") {
  CatalogWorld world;
  world.GivePoints(300);
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());
  const std::string name = world.Ordered();
  for (const std::string& no_name :
       {std::string(), std::string("orders/"), std::string("orders/1"), std::string("orders/1-0"),
        std::string("orders/01-1"), std::string("orders/99999999-1"),
        std::string("orders/2-999999"), "redemptions/" + name.substr(7),
        std::string(100'000, 'x')}) {
    CHECK(ReasonOf(world.Cancel(no_name)) == Reason::kOrderNotFound);
    CHECK(ReasonOf(world.Step(no_name, v1::ORDER_STATE_CONFIRMED)) == Reason::kOrderNotFound);
  }
  auto step = CatalogWorld::AStep(name, v1::ORDER_STATE_CONFIRMED);
  REQUIRE(world.Call(world.AsPartner("books"), &Catalog::UpdateOrderStatus, step).ok());
  clients::Answered answered;
  REQUIRE(world.Call(world.AsPartner("books"), &Catalog::UpdateOrderStatus, step, &answered).ok());
  CHECK(answered.replayed);
  step.set_state(v1::ORDER_STATE_SHIPPED);
  CHECK(ReasonOf(world.Call(world.AsPartner("books"), &Catalog::UpdateOrderStatus, step)) ==
        Reason::kRequestIdReused);
  auto cancel = CatalogWorld::ACancellation(name);
  cancel.set_request_id("not a uuid");
  CHECK(ReasonOf(world.Call(world.AsPartner("books"), &Catalog::CancelOrder, cancel)) ==
        Reason::kRequestIdMalformed);
  step.set_request_id("");
  CHECK(ReasonOf(world.Call(world.AsPartner("books"), &Catalog::UpdateOrderStatus, step)) ==
        Reason::kRequestIdMalformed);
  CHECK(world.RedeemedAt("books") == 100);
}

TEST_CASE("RedeemVoucher: refusals in their order", "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(700);
  REQUIRE(world.Create(CatalogWorld::AVoucher()).ok());
  const std::string code = world.Issued().code();
  auto request = CatalogWorld::AUse("no code", 0);
  request.set_request_id("");
  request.set_store("books");
  request.mutable_amount()->set_currency_code("USD");
  const auto refused = [&] {
    return ReasonOf(world.Call(world.AsPartner("books"), &Catalog::RedeemVoucher, request));
  };

  CHECK(refused() == Reason::kRequestIdMalformed);
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_store("partners/fresh/stores/s1");
  request.set_reference(std::string(300, 'x'));
  CHECK(refused() == Reason::kRequestMalformed);
  request.set_reference("");
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.mutable_amount()->set_minor_units(501);
  CHECK(refused() == Reason::kCurrencyNotSupported);
  request.mutable_amount()->set_currency_code("EUR");
  CHECK(refused() == Reason::kVoucherCodeMistyped);
  request.set_code(std::string(1'000'000, '0'));
  CHECK(refused() == Reason::kVoucherCodeMistyped);
  request.set_code("0000-0000-0000-0000-0000");
  CHECK(refused() == Reason::kVoucherNotFound);
  request.set_code(code);
  CHECK(refused() == Reason::kNotYours);
  request.set_store("partners/books/stores/s9");
  CHECK(refused() == Reason::kStoreNotFound);
  request.set_store("partners/books/stores/s1");
  world.Change("update partner.partners set state = 'SUSPENDED' where slug = 'books'");
  world.Change("update partner.contracts set state = 'PROPOSED' where kind = 'REDEMPTION'");
  CHECK(refused() == Reason::kPartnerNotActive);
  world.Change("update partner.partners set state = 'ACTIVE'");
  CHECK(refused() == Reason::kNoContract);
  world.Change("update partner.contracts set state = 'APPROVED'");
  CHECK(refused() == Reason::kVoucherExceeded);
  request.mutable_amount()->set_minor_units(500);
  REQUIRE_FALSE(refused());
  request.set_request_id(clients::NewRequestId());
  CHECK(refused() == Reason::kVoucherClosed);
}

TEST_CASE("IssueVoucher, RefundVoucher and GetVoucher: malformed requests, and limits",
          "[service][redemption]") {
  CatalogWorld world;
  world.GivePoints(2'000);
  auto two = CatalogWorld::AVoucher();
  two.set_stock(1);
  two.mutable_reward()->set_stock_limited(true);
  REQUIRE(world.Create(two).ok());
  REQUIRE(world.Create(CatalogWorld::AGift()).ok());
  CHECK(ReasonOf(world.Issue(world.AnIssue("bouquet"))) == Reason::kRewardNotAvailable);
  CHECK(ReasonOf(world.Issue(world.AnIssue("none"))) == Reason::kRewardNotFound);
  auto issue = world.AnIssue();
  issue.set_price_version(-1);
  CHECK(ReasonOf(world.Issue(issue)) == Reason::kRequestMalformed);
  issue = world.AnIssue();
  issue.set_request_id("x");
  CHECK(ReasonOf(world.Issue(issue)) == Reason::kRequestIdMalformed);
  const v1::Voucher voucher = world.Issued();
  CHECK(ReasonOf(world.Issue(world.AnIssue())) == Reason::kOutOfStock);

  v1::RefundVoucherRequest refund;
  refund.set_request_id(clients::NewRequestId());
  const auto refused = [&] {
    return ReasonOf(world.Call(world.AsMember(), &Catalog::RefundVoucher, refund));
  };
  CHECK(refused() == Reason::kRequestMalformed);
  refund.set_voucher(voucher.name());
  refund.mutable_amount()->set_minor_units(1);
  CHECK(refused() == Reason::kRequestMalformed);
  refund.set_voucher_use("voucherUses/1-1");
  CHECK(refused() == Reason::kCurrencyNotSupported);
  refund.mutable_amount()->set_currency_code("EUR");
  refund.mutable_amount()->set_minor_units(-1);
  CHECK(refused() == Reason::kAmountOutOfRange);
  refund.clear_amount();
  CHECK(refused() == Reason::kVoucherNotFound);
  refund.set_voucher("vouchers/x");
  CHECK(refused() == Reason::kVoucherNotFound);
  refund.set_request_id("x");
  CHECK(refused() == Reason::kRequestIdMalformed);
  CHECK(ReasonOf(world.Call(world.AsMember(), &Catalog::GetVoucher, v1::GetVoucherRequest())) ==
        Reason::kRequestMalformed);
}

TEST_CASE("Catalogue lists: page tokens and sizes of others are refused", "[service][redemption]") {
  CatalogWorld world;
  v1::ListRewardsRequest rewards;
  rewards.set_page_token("forged");
  CHECK(ReasonOf(world.Call(world.AsMember(), &Catalog::ListRewards, rewards)) ==
        Reason::kPageTokenInvalid);
  rewards.clear_page_token();
  rewards.set_page_size(-1);
  CHECK(ReasonOf(world.Call(world.AsMember(), &Catalog::ListRewards, rewards)) ==
        Reason::kRequestMalformed);
  v1::ListOrdersRequest orders;
  orders.set_state(static_cast<v1::OrderState>(77));
  CHECK(ReasonOf(world.Call(world.AsMember(), &Catalog::ListOrders, orders)) ==
        Reason::kRequestMalformed);

  // Withdrawn rewards are not there for members; pages are by id.
  for (const char* id : {"c", "a", "b"}) REQUIRE(world.Create(CatalogWorld::AGift(id)).ok());
  v1::UpdateRewardRequest withdraw;
  withdraw.set_request_id(clients::NewRequestId());
  withdraw.mutable_reward()->set_name("rewards/b");
  withdraw.mutable_reward()->set_state(v1::REWARD_STATE_WITHDRAWN);
  withdraw.mutable_update_mask()->add_paths("state");
  REQUIRE(world.Update(withdraw).ok());
  rewards.set_page_size(1);
  const auto first = world.Call(world.AsMember(), &Catalog::ListRewards, rewards);
  REQUIRE(first.ok());
  CHECK(first->rewards(0).name() == "rewards/a");
  rewards.set_page_token(first->next_page_token());
  const auto second = world.Call(world.AsMember(), &Catalog::ListRewards, rewards);
  REQUIRE(second.ok());
  CHECK(second->rewards(0).name() == "rewards/c");
  CHECK(second->next_page_token().empty());
  // A member's token is of no use to others, who see another list.
  CHECK(ReasonOf(world.Call(world.AsOperator(), &Catalog::ListRewards, rewards)) ==
        Reason::kPageTokenInvalid);
  v1::GetRewardRequest get;
  get.set_name("rewards/b");
  CHECK(ReasonOf(world.Call(world.AsMember(), &Catalog::GetReward, get)) ==
        Reason::kRewardNotFound);
  CHECK(world.Call(world.AsPartner("books"), &Catalog::GetReward, get).ok());
}

}  // namespace
}  // namespace guilder::redemption
