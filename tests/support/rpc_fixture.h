// A server whose services do what the test puts into their functions.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/operator/v1/operator_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/clients/item_stream.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/item_stream.h"
#include "libs/rpc/server.h"
#include "libs/rpc/server_stream.h"
#include "libs/security/credential_use.h"

namespace guilder::testing {

namespace accrual_v1 = guilder::accrual::v1;
namespace operator_v1 = guilder::operator_::v1;
using clients::RetryPolicy;

inline constexpr RetryPolicy kOnce{.total = absl::Seconds(20),
                                   .per_attempt = absl::Seconds(20),
                                   .first_backoff = absl::Milliseconds(1),
                                   .longest_backoff = absl::Milliseconds(10),
                                   .max_attempts = 1};

inline constexpr char kPartnerKey[] = "partner";
inline constexpr char kSupportToken[] = "support";
inline constexpr char kNewKey[] = "new";

// Knows two callers, and a third one only after a fresh look.
class FakeAuthenticator : public security::Authenticator {
 public:
  absl::StatusOr<rpc::Principal> Authenticate(std::string_view bearer) override {
    rpc::Principal principal;
    if (bearer == kPartnerKey) {
      principal = {.kind = rpc::Principal::Kind::kPartner, .partner = PartnerId(7), .id = "c1"};
      principal.use = use;
    } else if (bearer == kSupportToken) {
      principal = {
          .kind = rpc::Principal::Kind::kOperator, .id = "sue", .roles = {rpc::Role::kSupport}};
    } else {
      return Refuse(Reason::kCredentialsInvalid);
    }
    return principal;
  }

  absl::StatusOr<rpc::Principal> AuthenticateCertificate(const Digest& fingerprint) override {
    if (certificate != fingerprint) return Refuse(Reason::kCredentialsInvalid);
    return rpc::Principal{
        .kind = rpc::Principal::Kind::kPartner, .partner = PartnerId(9), .id = "c9"};
  }

  void AuthenticateFresh(std::string bearer, Done done) override {
    looks_.push_back(std::async(std::launch::async, [this, bearer, done] {
      done(Authenticate(bearer == kNewKey ? kPartnerKey : bearer));
    }));
  }

  // Of kPartnerKey; set before the first call.
  std::shared_ptr<security::CredentialUse> use;
  // Which is the credential of partner 9.
  std::optional<Digest> certificate;

 private:
  std::vector<std::future<void>> looks_;
};

// Each RPC does what the test put into its function.
class FakeAccrual : public accrual_v1::AccrualService::CallbackService {
 public:
  using Get = absl::StatusOr<accrual_v1::GetPurchaseResponse>(
      const rpc::Call&, const accrual_v1::GetPurchaseRequest&);
  using Record = void(std::shared_ptr<const rpc::Call>, const accrual_v1::RecordPurchaseRequest&,
                      rpc::Responder<accrual_v1::RecordPurchaseResponse>);
  using RecordItem = void(const std::shared_ptr<const rpc::Call>&,
                          accrual_v1::RecordPurchasesRequest,
                          rpc::ItemResponder<accrual_v1::RecordPurchasesResponse>);

  explicit FakeAccrual(rpc::Runtime& runtime)
      : methods_(runtime, accrual_v1::AccrualService::service_full_name()) {}

  std::function<Get> get = [](const rpc::Call&, const accrual_v1::GetPurchaseRequest& request) {
    accrual_v1::GetPurchaseResponse response;
    response.mutable_purchase()->set_name(request.name());
    return response;
  };
  std::function<Record> record;
  std::function<RecordItem> record_item;
  int max_items_in_flight = 512;

  grpc::ServerUnaryReactor* GetPurchase(grpc::CallbackServerContext* context,
                                        const accrual_v1::GetPurchaseRequest* request,
                                        accrual_v1::GetPurchaseResponse* response) override {
    return rpc::Unary(methods_, "GetPurchase", context, request, response, std::ref(get));
  }
  grpc::ServerUnaryReactor* RecordPurchase(grpc::CallbackServerContext* context,
                                           const accrual_v1::RecordPurchaseRequest* request,
                                           accrual_v1::RecordPurchaseResponse* response) override {
    return rpc::UnaryAsync(methods_, "RecordPurchase", context, request, response,
                           std::ref(record));
  }
  grpc::ServerBidiReactor<accrual_v1::RecordPurchasesRequest, accrual_v1::RecordPurchasesResponse>*
  RecordPurchases(grpc::CallbackServerContext* context) override {
    return rpc::BidiItems<accrual_v1::RecordPurchasesRequest, accrual_v1::RecordPurchasesResponse>(
        methods_, "RecordPurchases", context, {.max_in_flight = max_items_in_flight},
        std::ref(record_item));
  }

 private:
  const rpc::Methods methods_;
};

class FakeOperator : public operator_v1::OperatorService::CallbackService {
 public:
  using Verify = absl::Status(const rpc::Call&, const operator_v1::VerifyLedgerRequest&,
                              rpc::StreamWriter<operator_v1::VerifyLedgerResponse>&);

  explicit FakeOperator(rpc::Runtime& runtime)
      : methods_(runtime, operator_v1::OperatorService::service_full_name()) {}

  std::function<Verify> verify;

  grpc::ServerWriteReactor<operator_v1::VerifyLedgerResponse>* VerifyLedger(
      grpc::CallbackServerContext* context,
      const operator_v1::VerifyLedgerRequest* request) override {
    return rpc::ServerStream<operator_v1::VerifyLedgerRequest, operator_v1::VerifyLedgerResponse>(
        methods_, "VerifyLedger", context, request, std::ref(verify));
  }

 private:
  const rpc::Methods methods_;
};

struct Fixture {
  explicit Fixture(rpc::RuntimeOptions options = {}) : runtime(authenticator, options) {
    server.AddService(accruals, accrual_v1::AccrualService::service_full_name());
    server.AddService(operators, operator_v1::OperatorService::service_full_name());
    if (const absl::Status status = server.Start(); !status.ok()) {
      throw std::runtime_error(status.ToString());
    }
  }

  clients::Channel ChannelOf(const std::string& bearer) const {
    return clients::Channel(server.endpoint(), bearer);
  }
  clients::Client<accrual_v1::AccrualService> As(const std::string& bearer) const {
    return clients::Client<accrual_v1::AccrualService>(ChannelOf(bearer));
  }
  absl::StatusOr<accrual_v1::GetPurchaseResponse> GetAs(const std::string& bearer,
                                                        const RetryPolicy& policy = kOnce) const {
    accrual_v1::GetPurchaseRequest request;
    request.set_name("purchases/1");
    return As(bearer).Invoke(&accrual_v1::AccrualService::Stub::GetPurchase, request, policy);
  }

  FakeAuthenticator authenticator;
  rpc::Runtime runtime;
  FakeAccrual accruals{runtime};
  FakeOperator operators{runtime};
  rpc::Server server{runtime, {}};
};

template <typename T>
std::optional<Reason> ReasonIn(const absl::StatusOr<T>& answer) {
  return ReasonOf(answer.status());
}

// A condition that other threads make true.
class Event {
 public:
  void Set() { promise_.set_value(); }
  void Wait() { future_.wait(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

}  // namespace guilder::testing
