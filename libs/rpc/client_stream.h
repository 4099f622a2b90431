// A request that comes in parts, and gets one answer when all of it is there.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "grpcpp/support/server_callback.h"

#include "libs/rpc/handlers.h"

namespace guilder::rpc {

// What is kept of one request before its handler runs.
struct ClientStreamOptions {
  size_t max_parts = 1'000;
  size_t max_bytes = 64'000'000;
};

namespace internal {

// Kept alive by itself until OnDone. Reads are one after the other; Finish comes after the last.
template <typename Request, typename Response, typename Handler>
class ClientStreamCall final
    : public grpc::ServerReadReactor<Request>,
      public CallState,
      public std::enable_shared_from_this<ClientStreamCall<Request, Response, Handler>> {
 public:
  ClientStreamCall(const Methods& methods, std::string_view method,
                   grpc::CallbackServerContext* context, Response* response,
                   ClientStreamOptions options, Handler handler)
      : CallState(methods, method, context),
        response_(response),
        options_(options),
        handler_(std::move(handler)) {}

  void Begin() {
    self_ = this->shared_from_this();
    Start(self_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Ask();
    bytes_ += part_.ByteSizeLong();
    if (parts_.size() == options_.max_parts || bytes_ > options_.max_bytes) {
      return OnRefused(Refuse(Reason::kRequestTooLarge));
    }
    parts_.push_back(std::exchange(part_, Request()));
    this->StartRead(&part_);
  }

  void OnDone() override { const auto last = std::move(self_); }

 private:
  void OnAdmitted() override { this->StartRead(&part_); }
  void OnRefused(const absl::Status& status) override { this->Finish(Close(status)); }

  void Ask() {
    if (const absl::Status status = CheckStillAdmitted(); !status.ok()) return OnRefused(status);
    const bool queued = runtime().streams().TrySubmit([self = this->shared_from_this()] {
      if (absl::Now() >= self->call().deadline()) {
        return self->OnRefused(Refuse(Reason::kDeadlineExceeded));
      }
      absl::StatusOr<Response> answer =
          Contained<Response>([&] { return self->handler_(self->call(), self->parts_); });
      if (answer.ok()) *self->response_ = *std::move(answer);
      self->Finish(self->Close(answer.status()));
    });
    if (!queued) OnRefused(Refuse(Reason::kQueueFull));
  }

  Response* const response_;
  const ClientStreamOptions options_;
  Handler handler_;
  std::shared_ptr<ClientStreamCall> self_;
  Request part_;  // the reader's
  std::vector<Request> parts_;
  size_t bytes_ = 0;
};

}  // namespace internal

// A method whose request is streamed. The handler is
// `absl::StatusOr<Response>(const Call&, const std::vector<Request>&)`; it runs on one of the
// runtime's few threads for streams once the caller has sent everything, and may block.
//
// A caller that goes away in the middle looks like one that is done, so the parts themselves must
// say how many there are. More parts or bytes than the options allow: kRequestTooLarge.
template <typename Request, typename Response, typename Handler>
grpc::ServerReadReactor<Request>* ClientStream(const Methods& methods, std::string_view method,
                                               grpc::CallbackServerContext* context,
                                               Response* response, ClientStreamOptions options,
                                               Handler handler) {
  auto stream = std::make_shared<internal::ClientStreamCall<Request, Response, Handler>>(
      methods, method, context, response, options, std::move(handler));
  stream->Begin();
  return stream.get();
}

}  // namespace guilder::rpc
