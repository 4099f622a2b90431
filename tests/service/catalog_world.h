// A coalition with the catalogue's service, a gift that `books` supplies, and a voucher that
// `fresh` and `books` take.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "guilder/redemption/v1/catalog_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"
#include "libs/ledger/store/verify.h"
#include "libs/security/member_token.h"
#include "services/redemption/rpc/catalog_service.h"
#include "tests/service/redemption_world.h"

namespace guilder::redemption {

using Catalog = v1::CatalogService::Stub;

struct CatalogWorld {
  explicit CatalogWorld(int books = 2) : coalition(books) {
    auto& net = coalition.network();
    net.Add(MakeCatalogService({net.runtime(), net.pool(), coalition.lanes(), net.secrets()}),
            kCatalogServiceName);
    net.Add(MakeRedemptionService(
                {net.runtime(), net.pool(), coalition.lanes(), coalition.cards(), net.secrets()}),
            kRedemptionServiceName);
    net.Start();
    card = coalition.AMember();
    account = coalition.AccountOf(card);
  }
  // The invariants, by SQL and by the product's own verification.
  ~CatalogWorld() {
    testing::CheckInvariants(coalition.database());
    const auto report =
        ledger::Verify(coalition.network().pool(), {}, [](const auto&) { return true; });
    CHECK(report.ok());
    if (!report.ok()) return;
    for (const ledger::VerifyCheck& check : report->checks) {
      INFO(check.name << ": " << check.first_failure);
      CHECK(check.ok);
    }
  }

  void GivePoints(const std::vector<AccountId>& to, int64_t points, int lives_days = 0) {
    std::vector<std::promise<absl::Status>> done(to.size());
    for (size_t i = 0; i < to.size(); ++i) {
      coalition.lanes().Submit(std::make_unique<Give>(to[i], points, lives_days, PartnerId()),
                               [&promise = done[i]](const absl::StatusOr<ledger::Answer>& answer) {
                                 promise.set_value(answer.status());
                               });
    }
    for (auto& promise : done) REQUIRE(promise.get_future().get().ok());
  }
  void GivePoints(AccountId to, int64_t points) { GivePoints(std::vector{to}, points); }
  void GivePoints(int64_t points, int lives_days = 0) {
    GivePoints(std::vector{account}, points, lives_days);
  }

  clients::Channel AsMember(AccountId who) const {
    return coalition.network().WithKey(security::MemberTokens(coalition.network().secrets())
                                           .Make(who, Timestamp(int64_t{4'000'000'000'000'000})));
  }
  clients::Channel AsMember() const { return AsMember(account); }
  clients::Channel AsPartner(const std::string& slug) const { return coalition.AsPartner(slug); }
  clients::Channel AsOperator() const { return coalition.network().AsOperator("anna"); }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(const clients::Channel& as,
                                grpc::Status (Catalog::*method)(grpc::ClientContext*,
                                                                const Request&, Response*),
                                const Request& request,
                                clients::Answered* answered = nullptr) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::CatalogService>(as).Invoke(method, request, once, answered);
  }

  static std::string NameOf(AccountId who) { return absl::StrCat("members/", who.value()); }

  static v1::CreateRewardRequest AGift(const std::string& id = "bouquet", int64_t stock = 10) {
    v1::CreateRewardRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_reward_id(id);
    request.set_stock(stock);
    v1::Reward& reward = *request.mutable_reward();
    reward.set_kind(v1::REWARD_KIND_GIFT);
    reward.set_display_name("Bouquet");
    reward.set_supplier_store("partners/books/stores/s1");
    reward.set_price_points(100);
    reward.set_stock_limited(stock > 0);
    return request;
  }
  static v1::CreateRewardRequest AVoucher(const std::string& id = "five-euros") {
    v1::CreateRewardRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_reward_id(id);
    v1::Reward& reward = *request.mutable_reward();
    reward.set_kind(v1::REWARD_KIND_VOUCHER);
    reward.set_display_name("5 euros");
    reward.set_price_points(700);
    reward.mutable_voucher()->mutable_face_value()->set_currency_code("EUR");
    reward.mutable_voucher()->mutable_face_value()->set_minor_units(500);
    reward.mutable_voucher()->add_partners("partners/books");
    reward.mutable_voucher()->add_partners("partners/fresh");
    reward.mutable_voucher()->set_validity_days(30);
    return request;
  }
  absl::StatusOr<v1::CreateRewardResponse> Create(const v1::CreateRewardRequest& request) const {
    auto created = Call(AsOperator(), &Catalog::CreateReward, request);
    UNSCOPED_INFO(created.status().ToString());
    return created;
  }
  absl::StatusOr<v1::UpdateRewardResponse> Update(const v1::UpdateRewardRequest& request) const {
    return Call(AsOperator(), &Catalog::UpdateReward, request);
  }
  v1::Reward Reward(const std::string& id = "bouquet") const {
    v1::GetRewardRequest request;
    request.set_name("rewards/" + id);
    const auto response = Call(AsOperator(), &Catalog::GetReward, request);
    REQUIRE(response.ok());
    return response->reward();
  }
  static v1::UpdateRewardRequest APrice(int64_t points) {
    v1::UpdateRewardRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_reward()->set_name("rewards/bouquet");
    request.mutable_reward()->set_price_points(points);
    request.mutable_update_mask()->add_paths("price_points");
    return request;
  }

  v1::OrderRewardRequest AnOrder(const std::string& id = "bouquet", int64_t quantity = 1) const {
    v1::OrderRewardRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_reward("rewards/" + id);
    request.set_member(NameOf(account));
    request.set_quantity(quantity);
    return request;
  }
  absl::StatusOr<v1::OrderRewardResponse> Order(const v1::OrderRewardRequest& request) const {
    return Call(AsMember(), &Catalog::OrderReward, request);
  }
  std::string Ordered(const std::string& id = "bouquet", int64_t quantity = 1) const {
    const auto answer = Order(AnOrder(id, quantity));
    INFO(answer.status().ToString());
    REQUIRE(answer.ok());
    return answer->order().name();
  }
  static v1::UpdateOrderStatusRequest AStep(const std::string& order, v1::OrderState state) {
    v1::UpdateOrderStatusRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(order);
    request.set_state(state);
    return request;
  }
  absl::StatusOr<v1::UpdateOrderStatusResponse> Step(const std::string& order,
                                                     v1::OrderState state) const {
    return Call(AsPartner("books"), &Catalog::UpdateOrderStatus, AStep(order, state));
  }
  static v1::CancelOrderRequest ACancellation(const std::string& order) {
    v1::CancelOrderRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(order);
    return request;
  }
  absl::StatusOr<v1::CancelOrderResponse> Cancel(const std::string& order) const {
    return Call(AsMember(), &Catalog::CancelOrder, ACancellation(order));
  }
  v1::Order Get(const std::string& order) const {
    v1::GetOrderRequest request;
    request.set_name(order);
    const auto response = Call(AsOperator(), &Catalog::GetOrder, request);
    REQUIRE(response.ok());
    return response->order();
  }

  v1::IssueVoucherRequest AnIssue(const std::string& id = "five-euros") const {
    v1::IssueVoucherRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_reward("rewards/" + id);
    request.set_member(NameOf(account));
    return request;
  }
  absl::StatusOr<v1::IssueVoucherResponse> Issue(const v1::IssueVoucherRequest& request) const {
    return Call(AsMember(), &Catalog::IssueVoucher, request);
  }
  v1::Voucher Issued(const std::string& id = "five-euros") const {
    const auto answer = Issue(AnIssue(id));
    INFO(answer.status().ToString());
    REQUIRE(answer.ok());
    return answer->voucher();
  }
  static v1::RedeemVoucherRequest AUse(const std::string& code, int64_t cents,
                                       const std::string& partner = "books") {
    v1::RedeemVoucherRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/" + partner + "/stores/s1");
    request.set_code(code);
    request.mutable_amount()->set_currency_code("EUR");
    request.mutable_amount()->set_minor_units(cents);
    return request;
  }
  absl::StatusOr<v1::RedeemVoucherResponse> Use(const std::string& code, int64_t cents,
                                                const std::string& partner = "books") const {
    return Call(AsPartner(partner), &Catalog::RedeemVoucher, AUse(code, cents, partner));
  }
  absl::StatusOr<v1::RefundVoucherResponse> Refund(const clients::Channel& as,
                                                   const std::string& voucher,
                                                   const std::string& use = "",
                                                   int64_t cents = 0) const {
    v1::RefundVoucherRequest request;
    request.set_request_id(clients::NewRequestId());
    if (use.empty()) {
      request.set_voucher(voucher);
    } else {
      request.set_voucher_use(use);
    }
    if (cents > 0) {
      request.mutable_amount()->set_currency_code("EUR");
      request.mutable_amount()->set_minor_units(cents);
    }
    return Call(as, &Catalog::RefundVoucher, request);
  }
  v1::Voucher GetVoucher(const std::string& name) const {
    v1::GetVoucherRequest request;
    request.set_name(name);
    const auto response = Call(AsMember(), &Catalog::GetVoucher, request);
    REQUIRE(response.ok());
    return response->voucher();
  }

  // {available, held}, as the account's row has them.
  std::vector<int64_t> Balances() const {
    const auto rows = coalition.database().Query(absl::StrCat(
        "select available, held from ledger.accounts where account_id = ", account.value()));
    return {rows[0].Int(0), rows[0].Int(1)};
  }
  // What a partner took in points, what it gave back subtracted.
  int64_t RedeemedAt(const std::string& slug) const {
    return coalition.database()
        .Query(
            "select coalesce(sum(c.balance), 0)::bigint from ledger.control_accounts c "
            "join partner.partners p using (partner_id) where c.kind = 2 and p.slug = '" +
            slug + "'")[0]
        .Int(0);
  }
  std::string Lots() const {
    const auto rows = coalition.database().Query(
        "select coalesce(string_agg(lot_id || ':' || remaining || ':' || held || ':' || redeemed, "
        "',' order by book, lot_id), '') from ledger.lots");
    return std::string(rows[0].Text(0));
  }
  int64_t Count(const std::string& table) const {
    return coalition.database().Query("select count(*) from " + table)[0].Int(0);
  }
  void Change(const std::string& sql) {
    coalition.database().Query(sql);
    coalition.database().Query("update ledger.configuration set version = version + 1");
  }

  mutable testing::Coalition coalition;
  std::string card;
  AccountId account;
};

}  // namespace guilder::redemption
