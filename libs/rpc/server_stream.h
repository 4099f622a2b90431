// A stream of answers to one request, written by a handler that may block.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "grpcpp/support/server_callback.h"

#include "libs/rpc/handlers.h"

namespace guilder::rpc {

// Where a handler writes its answers. For the handler's thread only.
template <typename Response>
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // Waits until the message before has been taken. False when the caller has gone: stop then.
  virtual bool Write(Response message) = 0;
};

namespace internal {

template <typename Request, typename Response, typename Handler>
class ServerStreamCall final
    : public grpc::ServerWriteReactor<Response>,
      public CallState,
      public StreamWriter<Response>,
      public std::enable_shared_from_this<ServerStreamCall<Request, Response, Handler>> {
 public:
  ServerStreamCall(const Methods& methods, std::string_view method,
                   grpc::CallbackServerContext* context, const Request& request, Handler handler)
      : CallState(methods, method, context), request_(request), handler_(std::move(handler)) {}

  void Begin() {
    self_ = this->shared_from_this();
    Start(self_);
  }

  bool Write(Response message) override {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [this] { return !writing_; });
    if (!CheckStillAdmitted().ok()) gone_ = true;
    if (gone_) return false;
    writing_ = true;
    message_ = std::move(message);
    lock.unlock();
    this->StartWrite(&message_);
    return true;
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) gone_ = true;
    written_.notify_all();
  }

  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    gone_ = true;
  }

  void OnDone() override { const auto last = std::move(self_); }

 private:
  void OnAdmitted() override {
    const bool queued = runtime().streams().TrySubmit([self = this->shared_from_this()] {
      absl::Status status;
      try {
        status = self->handler_(self->call(), self->request_, *self);
      } catch (const std::exception& error) {
        status = absl::InternalError(error.what());
      }
      self->End(status);
    });
    if (!queued) OnRefused(Refuse(Reason::kQueueFull));
  }

  void OnRefused(const absl::Status& status) override { this->Finish(Close(status)); }

  void End(const absl::Status& status) {
    {
      std::unique_lock lock(mutex_);
      written_.wait(lock, [this] { return !writing_; });
    }
    const absl::Status admitted = CheckStillAdmitted();
    this->Finish(Close(admitted.ok() ? status : admitted));
  }

  const Request request_;
  Handler handler_;
  std::shared_ptr<ServerStreamCall> self_;
  Response message_;  // the writer's

  std::mutex mutex_;  // guards what follows
  std::condition_variable written_;
  bool writing_ = false;
  bool gone_ = false;
};

}  // namespace internal

// A method that streams answers. The handler is
// `absl::Status(const Call&, const Request&, StreamWriter<Response>&)`; it runs on one of the
// runtime's few threads for streams, and may block. When all are busy and their queue is full:
// kQueueFull.
template <typename Request, typename Response, typename Handler>
grpc::ServerWriteReactor<Response>* ServerStream(const Methods& methods, std::string_view method,
                                                 grpc::CallbackServerContext* context,
                                                 const Request* request, Handler handler) {
  auto stream = std::make_shared<internal::ServerStreamCall<Request, Response, Handler>>(
      methods, method, context, *request, std::move(handler));
  stream->Begin();
  return stream.get();
}

}  // namespace guilder::rpc
