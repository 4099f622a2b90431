// Calls of one service: deadline, repeats, and errors with their reasons.
//
//   clients::Client<v1::PartnerService> partners(clients::Channel(endpoint, token));
//   GUILDER_ASSIGN_OR_RETURN(const v1::Partner partner,
//                            partners.Invoke(&v1::PartnerService::Stub::GetPartner, request));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"

#include "libs/clients/channel.h"
#include "libs/clients/retry.h"
#include "libs/rpc/status.h"

namespace guilder::clients {

// A new request id in text form: made, and kept, before a request's first attempt.
std::string NewRequestId();

// What came back beside the answer.
struct Answered {
  // The answer is the stored one of an earlier attempt.
  bool replayed = false;
  int attempts = 0;
};

// Whether the trailing metadata says that the answer is a stored one.
bool IsReplayed(const grpc::ClientContext& context);

template <typename Service>
class Client {
 public:
  using Stub = typename Service::Stub;
  // Its methods serve InvokeAsync: &Client<v1::AccrualService>::Async::RecordPurchase.
  using Async = typename Service::StubInterface::async_interface;

  explicit Client(Channel channel)
      : channel_(std::move(channel)), stub_(Service::NewStub(channel_.grpc())) {}

  const Channel& channel() const { return channel_; }
  Stub& stub() const { return *stub_; }

  // Calls and waits. The same request is repeated as RetryPolicy says, so a request that moves
  // value must carry its request_id. ReasonOf and DetailsOf work on the error.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Invoke(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                                  const Request& request, const RetryPolicy& policy = {},
                                  Answered* answered = nullptr) const {
    Retrier retrier(policy);
    for (;;) {
      grpc::ClientContext context;
      channel_.Prepare(context, retrier.AttemptDeadline());
      Response response;
      const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
      if (answered != nullptr) {
        ++answered->attempts;
        answered->replayed = IsReplayed(context);
      }
      if (status.ok()) return response;
      absl::Status error = rpc::FromGrpcStatus(status);
      if (!retrier.WaitBeforeRepeat(error, channel_)) return error;
    }
  }

  // Calls without waiting, for many calls in flight. `done` runs once, on a thread of gRPC, and
  // must not block. Repeats like Invoke.
  template <typename Request, typename Response>
  void InvokeAsync(void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                         std::function<void(grpc::Status)>),
                   Request request, std::function<void(absl::StatusOr<Response>)> done,
                   const RetryPolicy& policy = {}) const {
    auto call = std::make_shared<AsyncCall<Request, Response>>(
        AsyncCall<Request, Response>{channel_,
                                     stub_,
                                     method,
                                     std::move(request),
                                     std::move(done),
                                     Retrier(policy),
                                     nullptr,
                                     {},
                                     {}});
    Attempt(std::move(call));
  }

 private:
  template <typename Request, typename Response>
  struct AsyncCall {
    Channel channel;
    std::shared_ptr<Stub> stub;
    void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                          std::function<void(grpc::Status)>);
    Request request;
    std::function<void(absl::StatusOr<Response>)> done;
    Retrier retrier;
    std::unique_ptr<grpc::ClientContext> context;
    Response response;
    std::shared_ptr<grpc::Alarm> alarm;
  };

  template <typename Call>
  static void Attempt(std::shared_ptr<Call> call) {
    call->context = std::make_unique<grpc::ClientContext>();
    call->channel.Prepare(*call->context, call->retrier.AttemptDeadline());
    auto* const async = call->stub->async();
    Call& in_flight = *call;
    (async->*in_flight.method)(in_flight.context.get(), &in_flight.request, &in_flight.response,
                               [call = std::move(call)](grpc::Status status) mutable {
                                 Finished(std::move(call), status);
                               });
  }

  template <typename Call>
  static void Finished(std::shared_ptr<Call> call, const grpc::Status& status) {
    if (status.ok()) return call->done(std::move(call->response));
    absl::Status error = rpc::FromGrpcStatus(status);
    const auto delay = call->retrier.DelayBeforeRepeat(error);
    if (!delay) return call->done(std::move(error));
    call->alarm = std::make_shared<grpc::Alarm>();
    grpc::Alarm& alarm = *call->alarm;
    alarm.Set(absl::ToChronoTime(absl::Now() + *delay),
              [call = std::move(call)](bool) mutable { Attempt(std::move(call)); });
  }

  Channel channel_;
  std::shared_ptr<Stub> stub_;
};

}  // namespace guilder::clients
