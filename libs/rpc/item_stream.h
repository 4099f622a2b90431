// A bidirectional stream on which every message is a request of its own and gets an answer of its
// own.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "grpcpp/alarm.h"
#include "grpcpp/support/server_callback.h"

#include "libs/rpc/handlers.h"

namespace guilder::rpc {

struct ItemStreamOptions {
  // Items read and not yet answered on the wire. At the limit the server reads no further, and the
  // client's flow control makes it wait.
  int max_in_flight = 512;
};

// Answers one item: call it once, from any thread. If the last copy goes without having answered,
// the stream ends with INTERNAL.
template <typename Response>
class ItemResponder {
 public:
  class Slot {
   public:
    virtual ~Slot() = default;
    // Nothing means that no answer will come.
    virtual void AnswerItem(Response* answer) = 0;
  };

  explicit ItemResponder(std::shared_ptr<Slot> stream)
      : once_(std::make_shared<Once>(std::move(stream))) {}
  void operator()(Response answer) const { once_->Answer(&answer); }

 private:
  struct Once {
    explicit Once(std::shared_ptr<Slot> to) : stream(std::move(to)) {}
    ~Once() { Answer(nullptr); }
    void Answer(Response* answer) {
      if (!answered.exchange(true)) stream->AnswerItem(answer);
    }
    std::shared_ptr<Slot> stream;
    std::atomic<bool> answered{false};
  };
  std::shared_ptr<Once> once_;
};

namespace internal {

// Kept alive by itself until OnDone, and by the responders of its items.
//
// One read and one write may be under way. `Advance` is the only place that starts one or finishes
// the stream: it decides under the lock and acts after, because a reaction may run before a start
// returns. The stream is finished once, when no further item is taken and none is in flight.
template <typename Request, typename Response, typename Handler>
class ItemStream final
    : public grpc::ServerBidiReactor<Request, Response>,
      public CallState,
      public ItemResponder<Response>::Slot,
      public Drainable,
      public std::enable_shared_from_this<ItemStream<Request, Response, Handler>> {
 public:
  ItemStream(const Methods& methods, std::string_view method, grpc::CallbackServerContext* context,
             ItemStreamOptions options, Handler handler)
      : CallState(methods, method, context), options_(options), handler_(std::move(handler)) {}

  void Begin() {
    LimitItemsAlone();
    self_ = this->shared_from_this();
    Start(self_);
  }

  void AnswerItem(Response* answer) override {
    Lock lock(mutex_);
    if (answer == nullptr) EndWith(absl::InternalError("the handler dropped an item"));
    if (answer != nullptr && !broken_) {
      answers_.push_back(std::move(*answer));
    } else {
      --in_flight_;
    }
    Advance(std::move(lock));
  }

  void Drain() override {
    Lock lock(mutex_);
    EndWith(Refuse(Reason::kDraining));
    Advance(std::move(lock));
  }

  void OnReadDone(bool ok) override {
    Lock lock(mutex_);
    if (ok && !ending_) {
      if (const absl::Status status = CheckStillAdmitted(); !status.ok()) EndWith(status);
    }
    if (ok && !ending_) {
      ++in_flight_;
      lock.unlock();
      handler_(call_pointer_, std::exchange(item_, Request()), ItemResponder<Response>(self_));
      lock.lock();
    } else {
      ending_ = true;
    }
    reading_ = false;
    Advance(std::move(lock));
  }

  void OnWriteDone(bool ok) override {
    Lock lock(mutex_);
    writing_ = false;
    --in_flight_;
    if (!ok) {
      in_flight_ -= static_cast<int>(answers_.size());
      answers_.clear();
      broken_ = true;
      ending_ = true;
    }
    Advance(std::move(lock));
  }

  void OnDone() override {
    call_pointer_.reset();
    const auto last = std::move(self_);
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  void OnAdmitted() override {
    call_pointer_ = std::shared_ptr<const Call>(self_, &call());
    TellRateOfItems();
    runtime().AddDrainable(self_);
    Lock lock(mutex_);
    Advance(std::move(lock));
  }

  void OnRefused(const absl::Status& status) override {
    Lock lock(mutex_);
    EndWith(status);
    Advance(std::move(lock));
  }

  // The first end wins.
  void EndWith(absl::Status status) {
    if (!ending_) end_status_ = std::move(status);
    ending_ = true;
  }

  // Whether the next item is within the credential's rate. If not, the stream goes on when it will
  // be: the client's flow control makes it wait meanwhile.
  bool TakesItem() {
    const absl::Duration wait = TakeItem();
    if (wait == absl::ZeroDuration()) return true;
    slowed_ = true;
    // Each time another alarm, which knows the stream weakly: an alarm keeps what it calls, and
    // would keep the stream, whose alarm it is, for ever.
    slow_ = std::make_unique<grpc::Alarm>();
    slow_->Set(absl::ToChronoTime(absl::Now() + wait), [weak = this->weak_from_this()](bool) {
      const auto self = weak.lock();
      if (!self) return;
      Lock lock(self->mutex_);
      self->slowed_ = false;
      self->Advance(std::move(lock));
    });
    return false;
  }

  void Advance(Lock lock) {
    const bool write = !writing_ && !answers_.empty();
    grpc::WriteOptions write_options;
    if (write) {
      writing_ = true;
      written_ = std::move(answers_.front());
      answers_.pop_front();
      if (!answers_.empty()) write_options.set_buffer_hint();
    }
    const int limit = full_ ? options_.max_in_flight / 2 : options_.max_in_flight;
    full_ = in_flight_ >= limit;
    const bool read = !reading_ && !ending_ && !full_ && !slowed_ && TakesItem();
    if (read) {
      reading_ = true;
      ++starting_;
    }
    const bool finish = ending_ && !finished_ && !writing_ && in_flight_ == 0 && starting_ == 0;
    if (finish) finished_ = true;

    lock.unlock();
    if (write) this->StartWrite(&written_, write_options);
    if (read) {
      this->StartRead(&item_);
      lock.lock();
      --starting_;
      if (ending_) Advance(std::move(lock));
    }
    if (finish) this->Finish(Close(end_status_));
  }

  const ItemStreamOptions options_;
  Handler handler_;
  std::shared_ptr<ItemStream> self_;
  std::shared_ptr<const Call> call_pointer_;
  Request item_;      // the reader's
  Response written_;  // the writer's

  std::mutex mutex_;  // guards what follows
  std::deque<Response> answers_;
  int in_flight_ = 0;  // items read whose answers are not yet written
  int starting_ = 0;   // reads decided upon but not yet started
  bool reading_ = false;
  bool writing_ = false;
  bool slowed_ = false;  // no read until `slow_` has rung
  bool full_ = false;    // no read until half of the items are answered
  bool ending_ = false;  // no further item is taken
  bool broken_ = false;  // no answer can be sent any more
  bool finished_ = false;
  absl::Status end_status_;
  std::unique_ptr<grpc::Alarm> slow_;
};

}  // namespace internal

// A bidirectional stream whose items are handled as they come and answered as they complete, in any
// order. It ends with OK after the client's half-close and the last answer.
//
// The handler is `void(const std::shared_ptr<const Call>&, Request item, ItemResponder<Response>)`.
// It runs on a thread of gRPC, for one item at a time, and must not block. What is wrong with an
// item is part of its answer: ToRpcStatus.
template <typename Request, typename Response, typename Handler>
grpc::ServerBidiReactor<Request, Response>* BidiItems(const Methods& methods,
                                                      std::string_view method,
                                                      grpc::CallbackServerContext* context,
                                                      ItemStreamOptions options, Handler handler) {
  auto stream = std::make_shared<internal::ItemStream<Request, Response, Handler>>(
      methods, method, context, options, std::move(handler));
  stream->Begin();
  return stream.get();
}

}  // namespace guilder::rpc
