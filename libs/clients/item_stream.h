// Many items over one bidirectional stream, each answered by itself, as in RecordPurchases.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

#include "libs/clients/channel.h"
#include "libs/clients/retry.h"
#include "libs/rpc/status.h"

namespace guilder::clients {

// What becomes of an item after its answer.
enum class Verdict {
  kDone,
  // It is sent again after a short while: its error may pass, as QUEUE_FULL does.
  kRepeat,
};

template <typename Request, typename Response>
struct ItemStreamCalls {
  // Opens the stream: `stub.async()->RecordPurchases(context, reactor)`.
  std::function<void(grpc::ClientContext*, grpc::ClientBidiReactor<Request, Response>*)> open;
  // The next item; nothing at the end. Called by the thread that runs StreamItems.
  std::function<std::optional<Request>()> next;
  // The request id of an item, and the one that an answer is for.
  std::function<const std::string&(const Request&)> id_of_item;
  std::function<const std::string&(const Response&)> id_of_answer;
  // Takes an answer. Called by threads of gRPC, for one answer at a time; must not block. What it
  // throws ends the stream with INTERNAL.
  std::function<Verdict(const Request&, const Response&)> on_answer;
};

struct ItemStreamOptions {
  int max_in_flight = 512;
  // Of consecutive failures to get any answer; every answer begins it anew.
  RetryPolicy policy;
  // How long an item waits that is repeated.
  absl::Duration repeat_after = absl::Milliseconds(50);
};

namespace internal {

// Shared by the pump and the streams that follow one another when one breaks.
template <typename Request, typename Response>
class ItemStreamRun {
 public:
  ItemStreamRun(const Channel& channel, ItemStreamCalls<Request, Response> calls,
                const ItemStreamOptions& options)
      : channel_(channel), calls_(std::move(calls)), options_(options) {}

  absl::Status Run() {
    std::optional<Retrier> retrier(std::in_place, options_.policy);
    for (;;) {
      const absl::Status status = RunStream();
      if (status.ok() || !failure_.ok()) return failure_.ok() ? status : failure_;
      if (std::exchange(progressed_, false)) retrier.emplace(options_.policy);
      if (!retrier->WaitBeforeRepeat(status, channel_)) return status;
    }
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  // One stream. Starts outside of reactions are allowed by a hold, which the pump removes last.
  class Stream final : public grpc::ClientBidiReactor<Request, Response> {
   public:
    explicit Stream(ItemStreamRun& run) : run_(run) {
      run_.channel_.Prepare(context_, absl::InfiniteFuture());
      run_.calls_.open(&context_, this);
      this->AddHold();
      this->StartRead(&answer_);
      this->StartCall();
    }

    void OnReadDone(bool ok) override {
      if (!ok) return run_.ReadsEnded();
      if (!run_.Answered(answer_)) context_.TryCancel();
      this->StartRead(&answer_);
    }
    void OnWriteDone(bool ok) override { run_.WriteDone(*this, ok); }
    void OnDone(const grpc::Status& status) override { run_.StreamDone(status); }

    void Write(const Request& item, bool more) {
      grpc::WriteOptions options;
      if (more) options.set_buffer_hint();
      this->StartWrite(&item, options);
    }

   private:
    ItemStreamRun& run_;
    grpc::ClientContext context_;
    Response answer_;
  };

  absl::Status RunStream() {
    for (auto& [id, item] : unanswered_) repeats_.push_back(std::move(item));
    unanswered_.clear();
    to_write_.clear();
    writing_ = ended_ = done_ = false;
    Stream stream(*this);
    Pump(stream);
    stream.RemoveHold();
    Lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    return rpc::FromGrpcStatus(status_);
  }

  // Gives items to the stream until there are none, or the stream ends.
  void Pump(Stream& stream) {
    for (;;) {
      std::optional<Request> item = NextItem();
      Lock lock(mutex_);
      if (!item) {
        if (ended_) return;
        if (!AllAnswered()) continue;
        lock.unlock();
        stream.StartWritesDone();
        return;
      }
      std::string id = calls_.id_of_item(*item);
      const Request& kept =
          unanswered_.insert_or_assign(std::move(id), *std::move(item)).first->second;
      to_write_.push_back(kept);
      if (!writing_) WriteNext(stream, std::move(lock));
    }
  }

  // And nothing is under way: an answer may come before the end of its item's write.
  bool AllAnswered() const {
    return exhausted_ && unanswered_.empty() && repeats_.empty() && !judging_ && !writing_;
  }

  // Waits for room. Nothing when there is no item just now, or the stream ended.
  std::optional<Request> NextItem() {
    {
      Lock lock(mutex_);
      const auto ready = [this] {
        if (ended_ || AllAnswered()) return true;
        const bool room = static_cast<int>(unanswered_.size()) < options_.max_in_flight;
        return room && (!exhausted_ || (!repeats_.empty() && absl::Now() >= repeat_at_));
      };
      while (!ready()) {
        if (repeats_.empty()) {
          changed_.wait(lock);
        } else {
          changed_.wait_for(lock, absl::ToChronoNanoseconds(options_.repeat_after));
        }
      }
      if (ended_ || AllAnswered()) return std::nullopt;
      if (!repeats_.empty() && absl::Now() >= repeat_at_) {
        std::optional<Request> item(std::move(repeats_.front()));
        repeats_.pop_front();
        return item;
      }
      if (exhausted_) return std::nullopt;
    }
    std::optional<Request> item = calls_.next();
    if (!item) {
      const Lock lock(mutex_);
      exhausted_ = true;
    }
    return item;
  }

  void WriteNext(Stream& stream, Lock lock) {
    writing_ = true;
    written_ = std::move(to_write_.front());
    to_write_.pop_front();
    const bool more = !to_write_.empty();
    lock.unlock();
    stream.Write(written_, more);
  }

  void WriteDone(Stream& stream, bool ok) {
    Lock lock(mutex_);
    writing_ = false;
    if (!ok) ended_ = true;
    if (ok && !to_write_.empty()) return WriteNext(stream, std::move(lock));
    changed_.notify_all();
  }

  // False when the caller failed to take the answer: then the stream is to end.
  bool Answered(const Response& answer) {
    Lock lock(mutex_);
    const auto found = unanswered_.find(calls_.id_of_answer(answer));
    if (found == unanswered_.end()) return true;
    Request item = std::move(found->second);
    unanswered_.erase(found);
    progressed_ = true;
    judging_ = true;
    lock.unlock();
    // gRPC would swallow what is thrown here, and the item would be waited for for ever.
    Verdict verdict = Verdict::kDone;
    absl::Status failure;
    try {
      verdict = calls_.on_answer(item, answer);
    } catch (const std::exception& error) {
      failure = absl::InternalError(error.what());
    }
    lock.lock();
    judging_ = false;
    if (!failure.ok()) {
      failure_ = failure;
      ended_ = true;
    }
    if (verdict == Verdict::kRepeat) {
      repeats_.push_back(std::move(item));
      repeat_at_ = absl::Now() + options_.repeat_after;
    }
    changed_.notify_all();
    return failure.ok();
  }

  void ReadsEnded() {
    const Lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  void StreamDone(const grpc::Status& status) {
    const Lock lock(mutex_);
    ended_ = true;
    done_ = true;
    status_ = status;
    changed_.notify_all();
  }

  const Channel& channel_;
  const ItemStreamCalls<Request, Response> calls_;
  const ItemStreamOptions options_;
  Request written_;  // the writer's

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  absl::flat_hash_map<std::string, Request> unanswered_;
  std::deque<Request> to_write_;
  std::deque<Request> repeats_;
  absl::Time repeat_at_ = absl::InfinitePast();
  bool exhausted_ = false;  // next() gave nothing
  bool judging_ = false;    // on_answer has an item that is in none of the above
  bool writing_ = false;
  bool ended_ = false;       // nothing more can be sent
  bool done_ = false;        // the stream's status is known
  bool progressed_ = false;  // an answer came since the last failure
  grpc::Status status_;
  absl::Status failure_;  // what on_answer threw
};

}  // namespace internal

// Sends every item and returns when each was answered. A stream that breaks is opened anew and
// sends again what was not answered, so items must carry a request_id. An error that is not worth a
// repeat ends it.
template <typename Request, typename Response>
absl::Status StreamItems(const Channel& channel, ItemStreamCalls<Request, Response> calls,
                         const ItemStreamOptions& options = {}) {
  return internal::ItemStreamRun<Request, Response>(channel, std::move(calls), options).Run();
}

}  // namespace guilder::clients
