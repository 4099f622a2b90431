// The wrappers between gRPC's callback API and our handlers.
//
// Each admits the call (drain, limit, authentication, permission), counts it, turns its status into
// the wire's, and keeps the rules of the callback API: no thread of gRPC blocks, and neither
// context, request nor response is touched after Finish. A service's method is then
//
//   grpc::ServerUnaryReactor* GetPartner(grpc::CallbackServerContext* context,
//                                        const v1::GetPartnerRequest* request,
//                                        v1::GetPartnerResponse* response) override {
//     return rpc::Unary(methods_, "GetPartner", context, request, response,
//                       std::bind_front(&PartnerHandlers::GetPartner, &handlers_));
//   }
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

#include "libs/base/reason.h"
#include "libs/rpc/call.h"
#include "libs/rpc/runtime.h"
#include "libs/security/credential_use.h"

namespace guilder::rpc {

// The part of a call that does not depend on its messages. Start leads to exactly one of OnAdmitted
// and OnRefused, on this thread or on one of the authenticator's; Close ends the call's accounts.
class CallState {
 public:
  CallState(const Methods& methods, std::string_view method, grpc::CallbackServerContext* context);
  virtual ~CallState() = default;
  CallState(const CallState&) = delete;
  CallState& operator=(const CallState&) = delete;

  const Call& call() const { return call_; }
  Runtime& runtime() const { return runtime_; }

 protected:
  // `self` keeps the state alive while the authenticator looks.
  void Start(std::shared_ptr<CallState> self);
  virtual void OnAdmitted() = 0;
  virtual void OnRefused(const absl::Status& status) = 0;

  // kCredentialsInvalid once the caller's credential was revoked or has expired: for what goes on
  // after its admission.
  absl::Status CheckStillAdmitted() const;

  // Streams live as long as their callers like: the server's limit is that of each item.
  void LimitItemsAlone();
  // Takes an item of a stream from the credential's rate: how long to wait first, and then to ask
  // again; zero when it is taken.
  absl::Duration TakeItem();
  // Says in the initial metadata how many items a second the credential may send. Before the first
  // answer.
  void TellRateOfItems();

  // Counts the outcome and sends the trailing metadata; exactly once, right before Finish.
  grpc::Status Close(const absl::Status& status);

 private:
  void Authenticated(absl::StatusOr<Principal> principal);
  absl::StatusOr<Principal> WithoutBearer(security::Authenticator& authenticator) const;
  absl::Status CheckRate(security::CredentialUse& use);
  void TellRate(int64_t limit, const security::RateLimit::Verdict& verdict);

  Runtime& runtime_;
  const Method& method_;
  grpc::CallbackServerContext* const context_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool entered_ = false;
  Call call_;
};

// Where an answer goes.
template <typename Response>
class AnswerSlot {
 public:
  virtual ~AnswerSlot() = default;
  virtual void Answer(absl::StatusOr<Response> answer) = 0;
};

// Answers a call: call it once, from any thread; later calls do nothing. Copies answer the same
// call. If the last copy goes without having answered, the caller gets INTERNAL.
//
// Answering serialises and sends, some 10 µs on the thread that does it.
template <typename Response>
class Responder {
 public:
  explicit Responder(std::shared_ptr<AnswerSlot<Response>> slot) : slot_(std::move(slot)) {}
  void operator()(absl::StatusOr<Response> answer) const { slot_->Answer(std::move(answer)); }

 private:
  std::shared_ptr<AnswerSlot<Response>> slot_;
};

namespace internal {

template <typename Request, typename Response, typename Handler>
class UnaryCall final : public CallState,
                        public AnswerSlot<Response>,
                        public std::enable_shared_from_this<UnaryCall<Request, Response, Handler>> {
 public:
  UnaryCall(const Methods& methods, std::string_view method, grpc::CallbackServerContext* context,
            const Request* request, Response* response, Handler handler)
      : CallState(methods, method, context),
        reactor_(context->DefaultReactor()),
        request_(*request),
        response_(response),
        handler_(std::move(handler)) {}

  ~UnaryCall() override { Answer(absl::InternalError("the handler dropped the call")); }

  grpc::ServerUnaryReactor* Run() {
    Start(this->shared_from_this());
    return reactor_;
  }

  void Answer(absl::StatusOr<Response> answer) override {
    if (answered_.exchange(true)) return;
    if (answer.ok()) *response_ = *std::move(answer);
    reactor_->Finish(Close(answer.status()));
  }

 private:
  void OnAdmitted() override {
    const auto self = this->shared_from_this();
    handler_(std::shared_ptr<const Call>(self, &call()), request_, Responder<Response>(self));
  }
  void OnRefused(const absl::Status& status) override { Answer(status); }

  grpc::ServerUnaryReactor* const reactor_;
  const Request& request_;
  Response* const response_;
  Handler handler_;
  std::atomic<bool> answered_{false};
};

// Runs `work`; what it throws becomes INTERNAL.
template <typename Response, typename Work>
absl::StatusOr<Response> Contained(Work&& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace internal

// A unary method whose handler answers later: a lane's, or one that needs no thread.
//
// The handler is `void(std::shared_ptr<const Call>, const Request&, Responder<Response>)`. It runs
// on a thread of gRPC and must not block. The request stays valid until the call is answered.
template <typename Request, typename Response, typename Handler>
grpc::ServerUnaryReactor* UnaryAsync(const Methods& methods, std::string_view method,
                                     grpc::CallbackServerContext* context, const Request* request,
                                     Response* response, Handler handler) {
  auto call = std::make_shared<internal::UnaryCall<Request, Response, Handler>>(
      methods, method, context, request, response, std::move(handler));
  return call->Run();
}

// A unary method whose handler may block: it runs on the runtime's worker pool. A full queue is
// answered kQueueFull at once; a call whose deadline passed while it waited is not begun.
//
// The handler is `absl::StatusOr<Response>(const Call&, const Request&)`.
template <typename Request, typename Response, typename Handler>
grpc::ServerUnaryReactor* Unary(const Methods& methods, std::string_view method,
                                grpc::CallbackServerContext* context, const Request* request,
                                Response* response, Handler handler) {
  auto enqueue = [&workers = methods.runtime().workers(), handler = std::move(handler)](
                     std::shared_ptr<const Call> call, const Request& asked,
                     Responder<Response> respond) mutable {
    const bool queued = workers.TrySubmit(
        [call = std::move(call), &asked, respond, handler = std::move(handler)]() mutable {
          if (absl::Now() >= call->deadline()) return respond(Refuse(Reason::kDeadlineExceeded));
          respond(internal::Contained<Response>([&] { return handler(*call, asked); }));
        });
    if (!queued) respond(Refuse(Reason::kQueueFull));
  };
  return UnaryAsync(methods, method, context, request, response, std::move(enqueue));
}

}  // namespace guilder::rpc
