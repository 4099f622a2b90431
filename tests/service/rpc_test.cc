// The wrappers of libs/rpc under a real server, over a real socket, with services that do as told.
#include <atomic>
#include <future>
#include <latch>
#include <mutex>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"

#include "tests/support/catch2.h"
#include "tests/support/rpc_fixture.h"

namespace guilder::rpc {
namespace {

using namespace testing;

TEST_CASE("Server: a caller must say who it is", "[service][rpc]") {
  Fixture fixture;

  CHECK(ReasonIn(fixture.GetAs("")) == Reason::kCredentialsMissing);
  CHECK(ReasonIn(fixture.GetAs("forged")) == Reason::kCredentialsInvalid);
  CHECK(fixture.GetAs(kPartnerKey).value().purchase().name() == "purchases/1");
}

TEST_CASE("Server: a credential that memory does not hold yet is looked for", "[service][rpc]") {
  Fixture fixture;
  CHECK(fixture.GetAs(kNewKey).ok());
}

TEST_CASE("Server: the handler knows the caller, its deadline and its address", "[service][rpc]") {
  Fixture fixture;
  Call seen;
  fixture.accruals.get = [&](const Call& call, const auto&) {
    seen = call;
    return accrual_v1::GetPurchaseResponse();
  };

  REQUIRE(fixture.GetAs(kPartnerKey).ok());

  CHECK(seen.principal().partner == PartnerId(7));
  CHECK(seen.principal().id == "c1");
  CHECK(seen.deadline() < absl::Now() + absl::Seconds(25));
  CHECK(seen.peer().find("127.0.0.1") != std::string::npos);
  CHECK(seen.CheckActsFor(PartnerId(7)).ok());
  CHECK(ReasonOf(seen.CheckActsFor(PartnerId(8))) == Reason::kNotYours);
}

TEST_CASE("Server: who lacks the permission is refused before the handler", "[service][rpc]") {
  Fixture fixture;
  fixture.accruals.record = [](auto, const auto&, auto) { FAIL("the handler ran"); };

  CHECK(fixture.GetAs(kSupportToken).ok());
  const auto answer = fixture.As(kSupportToken)
                          .Invoke(&accrual_v1::AccrualService::Stub::RecordPurchase,
                                  accrual_v1::RecordPurchaseRequest(), kOnce);
  CHECK(ReasonIn(answer) == Reason::kPermissionDenied);
}

TEST_CASE("Server: an answer may come later, from any thread", "[service][rpc]") {
  Fixture fixture;
  std::thread lane;
  fixture.accruals.record = [&](auto call, const accrual_v1::RecordPurchaseRequest& request,
                                auto respond) {
    lane = std::thread([call, &request, respond] {
      call->SetTrailingMetadata(kReplayedKey, "true");
      accrual_v1::RecordPurchaseResponse response;
      response.set_name("purchases/" + request.request_id());
      respond(response);
      respond(absl::InternalError("a second answer does nothing"));
    });
  };
  accrual_v1::RecordPurchaseRequest request;
  request.set_request_id("r1");
  clients::Answered answered;

  const auto answer =
      fixture.As(kPartnerKey)
          .Invoke(&accrual_v1::AccrualService::Stub::RecordPurchase, request, kOnce, &answered);
  lane.join();

  CHECK(answer.value().name() == "purchases/r1");
  CHECK(answered.replayed);
}

TEST_CASE("Server: a handler that drops its call or throws is our mistake", "[service][rpc]") {
  Fixture fixture;
  fixture.accruals.record = [](auto, const auto&, auto) {};
  fixture.accruals.get = [](const Call&,
                            const auto&) -> absl::StatusOr<accrual_v1::GetPurchaseResponse> {
    throw std::runtime_error("oops");
  };

  const auto dropped = fixture.As(kPartnerKey)
                           .Invoke(&accrual_v1::AccrualService::Stub::RecordPurchase,
                                   accrual_v1::RecordPurchaseRequest(), kOnce);

  CHECK(ReasonIn(dropped) == Reason::kInternal);
  CHECK(ReasonIn(fixture.GetAs(kPartnerKey)) == Reason::kInternal);
}

TEST_CASE("Server: a request that is too large is refused", "[service][rpc]") {
  Fixture fixture;
  accrual_v1::GetPurchaseRequest request;
  request.set_name(std::string(5 * 1024 * 1024, 'x'));
  clients::Answered answered;

  const auto answer =
      fixture.As(kPartnerKey)
          .Invoke(&accrual_v1::AccrualService::Stub::GetPurchase, request, {}, &answered);

  CHECK(ReasonIn(answer) == Reason::kRequestTooLarge);
  CHECK(answered.attempts == 1);
}

// One worker is held, one call fills the queue; of the two that come then, one is too many.
TEST_CASE("Server: a full queue refuses at once and says when to come back", "[service][rpc]") {
  Fixture fixture({.worker_threads = 1, .worker_queue_limit = 1});
  Event started, go_on;
  std::once_flag first;
  fixture.accruals.get = [&](const Call&, const auto&) {
    std::call_once(first, [&] {
      started.Set();
      go_on.Wait();
    });
    return accrual_v1::GetPurchaseResponse();
  };
  auto held = std::async(std::launch::async, [&] { return fixture.GetAs(kPartnerKey); });
  started.Wait();

  std::promise<absl::Status> refused;
  std::latch all(2);
  int ok = 0;
  std::mutex mutex;
  for (int i = 0; i < 2; ++i) {
    fixture.As(kPartnerKey)
        .InvokeAsync<accrual_v1::GetPurchaseRequest, accrual_v1::GetPurchaseResponse>(
            &accrual_v1::AccrualService::StubInterface::async_interface::GetPurchase, {},
            [&](absl::StatusOr<accrual_v1::GetPurchaseResponse> answer) {
              {
                const std::lock_guard lock(mutex);
                answer.ok() ? static_cast<void>(++ok) : refused.set_value(answer.status());
              }
              all.count_down();
            },
            kOnce);
  }
  const absl::Status status = refused.get_future().get();
  go_on.Set();
  all.wait();

  CHECK(ReasonOf(status) == Reason::kQueueFull);
  CHECK(RetryDelayOf(status).has_value());
  CHECK(ok == 1);
  CHECK(held.get().ok());
}

TEST_CASE("Server: a call whose deadline passes in the queue is never begun", "[service][rpc]") {
  // Every call's deadline is the moment of its arrival.
  Fixture fixture({.max_call_duration = absl::ZeroDuration()});
  std::atomic<int> begun = 0;
  fixture.accruals.get = [&](const Call&, const auto&) {
    ++begun;
    return accrual_v1::GetPurchaseResponse();
  };

  CHECK(ReasonIn(fixture.GetAs(kPartnerKey)) == Reason::kDeadlineExceeded);
  CHECK(begun == 0);
}

TEST_CASE("Client: does not wait beyond its deadline", "[service][clients]") {
  Fixture fixture;
  std::vector<Responder<accrual_v1::RecordPurchaseResponse>> kept;
  fixture.accruals.record = [&](auto, const auto&, auto respond) { kept.push_back(respond); };
  RetryPolicy impatient = kOnce;
  impatient.per_attempt = absl::Milliseconds(50);

  const auto answer = fixture.As(kPartnerKey)
                          .Invoke(&accrual_v1::AccrualService::Stub::RecordPurchase,
                                  accrual_v1::RecordPurchaseRequest(), impatient);

  CHECK(ReasonIn(answer) == Reason::kDeadlineExceeded);
  // The answer that comes too late harms nobody.
  for (const auto& respond : kept) respond(accrual_v1::RecordPurchaseResponse());
}

TEST_CASE("Client: repeats what the server was too busy for, and gives up in time",
          "[service][clients]") {
  Fixture fixture;
  std::atomic<int> calls = 0;
  fixture.accruals.get = [&](const Call&,
                             const auto&) -> absl::StatusOr<accrual_v1::GetPurchaseResponse> {
    const int call = ++calls;
    if (call == 1) return Refuse(Reason::kQueueFull);
    if (call == 2) return Refuse(Reason::kStoreUnavailable);
    return accrual_v1::GetPurchaseResponse();
  };
  RetryPolicy policy = kOnce;
  policy.max_attempts = 10;

  CHECK(fixture.GetAs(kPartnerKey, policy).ok());
  CHECK(calls == 3);

  fixture.accruals.get = [&](const Call&,
                             const auto&) -> absl::StatusOr<accrual_v1::GetPurchaseResponse> {
    ++calls;
    return Refuse(Reason::kPurchaseNotFound);
  };
  CHECK(ReasonIn(fixture.GetAs(kPartnerKey, policy)) == Reason::kPurchaseNotFound);
  CHECK(calls == 4);
}

TEST_CASE("Client: an attempt that ran out of its own time is repeated while there is time in all",
          "[service][clients]") {
  Fixture fixture;
  std::mutex mutex;
  std::vector<Responder<accrual_v1::RecordPurchaseResponse>> kept;
  fixture.accruals.record = [&](auto, const auto&, auto respond) {
    const std::lock_guard lock(mutex);
    if (kept.size() < 2) {
      kept.push_back(respond);
    } else {
      respond(accrual_v1::RecordPurchaseResponse());
    }
  };
  RetryPolicy policy = kOnce;
  policy.per_attempt = absl::Milliseconds(50);
  policy.max_attempts = 10;

  const auto answer = fixture.As(kPartnerKey)
                          .Invoke(&accrual_v1::AccrualService::Stub::RecordPurchase,
                                  accrual_v1::RecordPurchaseRequest(), policy);

  CHECK(answer.ok());
  for (const auto& respond : kept) respond(accrual_v1::RecordPurchaseResponse());
}

// Goal: a caller that waits finds a server as soon as it is back.
// Method: nobody listens on the server's port for so long that gRPC's own attempts are far apart.
TEST_CASE("Client: a server that comes back is found within a second or two",
          "[service][clients]") {
  auto first = std::make_unique<Fixture>();
  const int port = first->server.port();
  const auto client = first->As(kPartnerKey);
  RetryPolicy policy = kOnce;
  policy.max_attempts = 10'000;
  const auto ask = [&] {
    return client.Invoke(&accrual_v1::AccrualService::Stub::GetPurchase,
                         accrual_v1::GetPurchaseRequest(), policy);
  };
  REQUIRE(ask().ok());
  first.reset();
  RetryPolicy short_policy = policy;
  short_policy.total = absl::Milliseconds(1'500);
  // Unavailable, unless its time was over while it waited.
  CHECK_FALSE(client
                  .Invoke(&accrual_v1::AccrualService::Stub::GetPurchase,
                          accrual_v1::GetPurchaseRequest(), short_policy)
                  .ok());

  Fixture second;
  Server next(second.runtime, {.listen_address = "127.0.0.1:" + std::to_string(port)});
  next.AddService(second.accruals, accrual_v1::AccrualService::service_full_name());
  REQUIRE(next.Start().ok());
  const absl::Time back_at = absl::Now();

  CHECK(ask().ok());
  CHECK(absl::Now() - back_at < absl::Milliseconds(2'500));
}

TEST_CASE("Server: a drain lets calls end, refuses new ones, and tells those who watch",
          "[service][rpc]") {
  Fixture fixture;
  std::promise<Responder<accrual_v1::RecordPurchaseResponse>> in_progress;
  fixture.accruals.record = [&](auto, const auto&, auto respond) {
    in_progress.set_value(respond);
  };
  const clients::Channel channel = fixture.ChannelOf(kPartnerKey);
  auto held = std::async(std::launch::async, [&] {
    return clients::Client<accrual_v1::AccrualService>(channel).Invoke(
        &accrual_v1::AccrualService::Stub::RecordPurchase, accrual_v1::RecordPurchaseRequest(),
        kOnce);
  });
  auto respond = std::make_optional(in_progress.get_future().get());

  const auto health = grpc::health::v1::Health::NewStub(channel.grpc());
  grpc::ClientContext context;
  const auto watch = health->Watch(&context, {});
  grpc::health::v1::HealthCheckResponse state;
  REQUIRE(watch->Read(&state));
  CHECK(state.status() == grpc::health::v1::HealthCheckResponse::SERVING);

  auto stopped = std::async(std::launch::async,
                            [&] { fixture.server.Shutdown(absl::Now() + absl::Seconds(20)); });
  REQUIRE(watch->Read(&state));
  CHECK(state.status() == grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  CHECK_FALSE(watch->Read(&state));
  while (!fixture.runtime.draining()) std::this_thread::yield();
  CHECK(ReasonIn(fixture.GetAs(kPartnerKey)) == Reason::kDraining);

  (*respond)(accrual_v1::RecordPurchaseResponse());
  respond.reset();
  CHECK(held.get().ok());
  stopped.get();
}

TEST_CASE("Server: health knows each service, and reflection is there", "[service][rpc]") {
  Fixture fixture;
  const auto health = grpc::health::v1::Health::NewStub(fixture.ChannelOf("").grpc());
  const auto check = [&](const std::string& service) {
    grpc::health::v1::HealthCheckRequest request;
    grpc::health::v1::HealthCheckResponse response;
    request.set_service(service);
    grpc::ClientContext context;
    const grpc::Status status = health->Check(&context, request, &response);
    return status.ok() ? static_cast<int>(response.status())
                       : -static_cast<int>(status.error_code());
  };

  CHECK(check("") == grpc::health::v1::HealthCheckResponse::SERVING);
  CHECK(check("guilder.accrual.v1.AccrualService") ==
        grpc::health::v1::HealthCheckResponse::SERVING);
  CHECK(check("nobody") == -static_cast<int>(grpc::StatusCode::NOT_FOUND));
}

TEST_CASE("Server: does not start where it should not", "[service][rpc]") {
  Fixture fixture;

  Server public_plaintext(fixture.runtime, {.listen_address = "0.0.0.0:0"});
  CHECK_FALSE(public_plaintext.Start().ok());
  Server allowed(fixture.runtime, {.listen_address = "0.0.0.0:0", .allow_plaintext = true});
  CHECK(allowed.Start().ok());
  Server taken(fixture.runtime, {.listen_address = fixture.server.endpoint()});
  CHECK_FALSE(taken.Start().ok());
  Server no_certificate(fixture.runtime,
                        {.tls_certificate = "/nowhere/cert.pem", .tls_key = "/nowhere/key.pem"});
  CHECK_FALSE(no_certificate.Start().ok());
  Server unknown(fixture.runtime, {});
  unknown.AddService(fixture.accruals, "grpc.reflection.v1alpha.ServerReflection");
  CHECK_FALSE(unknown.Start().ok());
}

TEST_CASE("ServerStream: each answer arrives, and a caller that leaves is noticed",
          "[service][rpc]") {
  Fixture fixture;
  Event left;
  fixture.operators.verify = [&](const Call&, const auto&, auto& out) {
    operator_v1::VerifyLedgerResponse response;
    for (int i = 1; i <= 3; ++i) {
      response.set_records_done(i);
      out.Write(response);
    }
    return absl::OkStatus();
  };
  const auto stub = operator_v1::OperatorService::NewStub(fixture.ChannelOf("").grpc());
  {
    grpc::ClientContext context;
    fixture.ChannelOf(kSupportToken).Prepare(context, absl::InfiniteFuture());
    const auto stream = stub->VerifyLedger(&context, {});
    operator_v1::VerifyLedgerResponse response;
    int64_t sum = 0;
    while (stream->Read(&response)) sum += response.records_done();
    CHECK(sum == 6);
    CHECK(stream->Finish().ok());
  }
  fixture.operators.verify = [&](const Call&, const auto&, auto& out) {
    while (out.Write(operator_v1::VerifyLedgerResponse())) {
    }
    left.Set();
    return absl::OkStatus();
  };
  {
    grpc::ClientContext context;
    fixture.ChannelOf(kSupportToken).Prepare(context, absl::InfiniteFuture());
    const auto stream = stub->VerifyLedger(&context, {});
    operator_v1::VerifyLedgerResponse response;
    REQUIRE(stream->Read(&response));
    context.TryCancel();
    left.Wait();
    CHECK(FromGrpcStatus(stream->Finish()).code() == absl::StatusCode::kCancelled);
  }
}

}  // namespace
}  // namespace guilder::rpc
