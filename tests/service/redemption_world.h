// A coalition with the redemption service, and a member with a card.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guilder/redemption/v1/redemption_service.grpc.pb.h"
#include "guilder/redemption/v1/spending_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/verify.h"
#include "libs/security/keys.h"
#include "services/redemption/rpc/redemption_service.h"
#include "services/redemption/rpc/spending_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::redemption {

using Stub = v1::RedemptionService::Stub;
using AuthorizeAnswer = absl::StatusOr<v1::AuthorizeRedemptionResponse>;

// Points of `fresh`, as a purchase gives them.
class Give final : public ledger::Command {
 public:
  Give(AccountId to, int64_t points, int lives_days, ledger::Restriction restricted_to)
      : points_(points), lives_days_(lives_days), restricted_to_(std::move(restricted_to)) {
    kind = ledger::RecordKind::kPurchase;
    partner = PartnerId(1);
    request_id = security::RandomUuid();
    account = to;
    book = ledger::BookOf(to);
  }
  absl::StatusOr<std::string> Decide(const ledger::DecisionContext& context,
                                     ledger::Posting& posting) override {
    const ledger::Partner* const fresh = context.configuration.FindPartner("fresh");
    ledger::EarnTerms terms;
    terms.issuer = fresh->id;
    terms.contract = fresh->issuance.front().id;
    terms.points = Points(points_);
    terms.activates_at = posting.now();
    terms.restricted_to = restricted_to_;
    if (lives_days_ > 0) terms.expires_at = posting.now() + Timestamp(lives_days_ * kMicrosPerDay);
    const absl::Status earned = ledger::DecideEarn(posting, terms);
    if (!earned.ok()) return earned;
    return std::string();
  }

 private:
  const int64_t points_;
  const int lives_days_;
  const ledger::Restriction restricted_to_;
};

// Partner `books` redeems. The invariants are checked at the end.
struct World {
  World() {
    coalition.network().Add(
        MakeRedemptionService({coalition.network().runtime(), coalition.network().pool(),
                               coalition.lanes(), coalition.cards(),
                               coalition.network().secrets()}),
        kRedemptionServiceName);
    coalition.network().Add(
        MakeSpendingService({coalition.network().runtime(), coalition.network().pool(),
                             coalition.lanes(), coalition.network().secrets()}),
        kSpendingServiceName);
    coalition.network().Start();
    card = coalition.AMember();
  }
  ~World() { testing::CheckInvariants(coalition.database()); }

  void GivePoints(int64_t points, int lives_days = 0,
                  const ledger::Restriction& restricted_to = {}) {
    std::promise<absl::Status> done;
    coalition.lanes().Submit(
        std::make_unique<Give>(coalition.AccountOf(card), points, lives_days, restricted_to),
        [&](const absl::StatusOr<ledger::Answer>& answer) { done.set_value(answer.status()); });
    REQUIRE(done.get_future().get().ok());
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(const std::string& partner,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request,
                                clients::Answered* answered = nullptr) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::RedemptionService>(coalition.AsPartner(partner))
        .Invoke(method, request, once, answered);
  }

  v1::AuthorizeRedemptionRequest AnAuthorization(int64_t points) const {
    v1::AuthorizeRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/books/stores/s1");
    request.set_card_number(card);
    request.set_points(points);
    return request;
  }
  AuthorizeAnswer Authorize(const v1::AuthorizeRedemptionRequest& request,
                            clients::Answered* answered = nullptr) const {
    return Call("books", &Stub::AuthorizeRedemption, request, answered);
  }
  std::string Hold(int64_t points) const {
    const AuthorizeAnswer held = Authorize(AnAuthorization(points));
    REQUIRE(held.ok());
    return held->name();
  }

  static v1::CaptureRedemptionRequest ACapture(const std::string& name, int64_t points = 0,
                                               bool final = false) {
    v1::CaptureRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(name);
    request.set_points(points);
    request.set_final(final);
    return request;
  }
  absl::StatusOr<v1::CaptureRedemptionResponse> Capture(
      const v1::CaptureRedemptionRequest& request, const std::string& partner = "books",
      clients::Answered* answered = nullptr) const {
    return Call(partner, &Stub::CaptureRedemption, request, answered);
  }
  absl::StatusOr<v1::VoidRedemptionResponse> Void(const std::string& name,
                                                  const std::string& partner = "books") const {
    v1::VoidRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(name);
    return Call(partner, &Stub::VoidRedemption, request);
  }
  static v1::RefundRedemptionRequest ARefund(const std::string& name, int64_t points) {
    v1::RefundRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(name);
    request.set_points(points);
    return request;
  }
  absl::StatusOr<v1::RefundRedemptionResponse> Refund(const std::string& name, int64_t points,
                                                      const std::string& partner = "books") const {
    return Call(partner, &Stub::RefundRedemption, ARefund(name, points));
  }
  absl::StatusOr<v1::Redemption> Get(const std::string& name,
                                     const std::string& partner = "books") const {
    v1::GetRedemptionRequest request;
    request.set_name(name);
    const auto response = Call(partner, &Stub::GetRedemption, request);
    if (!response.ok()) return response.status();
    return response->redemption();
  }

  // Of the service that guards points, as an operator or with a member's token.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Guard(grpc::Status (v1::SpendingService::Stub::*method)(
                                     grpc::ClientContext*, const Request&, Response*),
                                 const Request& request, const std::string& as = "anna") const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::SpendingService>(coalition.network().AsOperator(as))
        .Invoke(method, request, once);
  }
  // Sets a policy, from the version in force on.
  void SetPolicy(const std::function<void(v1::RedemptionPolicy&)>& change) const {
    const auto now =
        Guard(&v1::SpendingService::Stub::GetRedemptionPolicy, v1::GetRedemptionPolicyRequest());
    REQUIRE(now.ok());
    v1::UpdateRedemptionPolicyRequest request;
    *request.mutable_policy() = now->policy();
    change(*request.mutable_policy());
    const auto set = Guard(&v1::SpendingService::Stub::UpdateRedemptionPolicy, request);
    REQUIRE(set.ok());
  }
  std::string Member() const {
    return "members/" + std::to_string(coalition.AccountOf(card).value());
  }
  PartnerId PartnerOf(const std::string& slug) const {
    return coalition.lanes().configuration()->FindPartner(slug)->id;
  }
  void Verify() const {
    const auto report = ledger::Verify(coalition.network().pool(), {},
                                       [](const ledger::VerifyProgress&) { return true; });
    REQUIRE(report.ok());
    for (const ledger::VerifyCheck& check : report->checks) {
      INFO(check.name);
      CHECK(check.first_failure == "");
    }
    CHECK(report->ok);
  }

  // {available, held}, as the account's row has them.
  std::vector<int64_t> Balances() const {
    const auto rows = coalition.database().Query(
        "select available, held from ledger.accounts where account_id = " +
        std::to_string(coalition.AccountOf(card).value()));
    return {rows[0].Int(0), rows[0].Int(1)};
  }
  int64_t Records() const {
    return coalition.database().Query("select count(*) from ledger.journal")[0].Int(0);
  }
  void Change(const std::string& sql) {
    coalition.database().Query(sql);
    coalition.database().Query("update ledger.configuration set version = version + 1");
  }

  mutable testing::Coalition coalition;
  std::string card;
};

// Runs `call` on so many threads at once. Threads only collect, because assertions are not thread
// safe.
template <typename Call>
auto RunTogether(int threads, Call call) {
  std::vector<std::future<decltype(call())>> running;
  std::promise<void> go;
  const std::shared_future<void> started = go.get_future().share();
  for (int i = 0; i < threads; ++i) {
    running.push_back(std::async(std::launch::async, [&call, started] {
      started.wait();
      return call();
    }));
  }
  go.set_value();
  std::vector<decltype(call())> answers;
  for (auto& one : running) answers.push_back(one.get());
  return answers;
}

// What those calls answered that were refused.
template <typename Response>
std::optional<Reason> ReasonOf(const absl::StatusOr<Response>& answer) {
  return guilder::ReasonOf(answer.status());
}

}  // namespace guilder::redemption
