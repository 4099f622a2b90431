#include "services/cli/bench/purchase_streams.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

namespace guilder::cli::bench {
namespace {

namespace v1 = accrual::v1;

// One stream. A hold lets writes begin outside of reactions; the last one is the end of writes.
class Stream final
    : public grpc::ClientBidiReactor<v1::RecordPurchasesRequest, v1::RecordPurchasesResponse> {
 public:
  // Takes what it sends from `left`.
  Stream(const PurchaseStreamPlan& plan, int in_flight, std::atomic<int64_t>& left, Tally& tally)
      : plan_(plan),
        max_in_flight_(in_flight),
        left_(left),
        tally_(tally),
        stub_(v1::AccrualService::NewStub(plan.channel)) {
    context_.AddMetadata("authorization", plan.authorization);
    stub_->async()->RecordPurchases(&context_, this);
    AddHold();
    StartRead(&answer_);
    StartCall();
    Advance(Lock(mutex_));
  }

  void Stop() {
    Lock lock(mutex_);
    stopping_ = true;
    Advance(std::move(lock));
  }
  void AwaitEnd() {
    Lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const bool refused = answer_.result_case() != v1::RecordPurchasesResponse::kPurchase;
    tally_.Add(refused ? grpc::Status(grpc::StatusCode::INTERNAL, answer_.error().message())
                       : grpc::Status::OK);
    StartRead(&answer_);
    Lock lock(mutex_);
    --in_flight_;
    // Few wake-ups, and several items in a packet: goes on when an eighth may be sent.
    if (stopping_ || max_in_flight_ - in_flight_ >= max_in_flight_ / 8) Advance(std::move(lock));
  }

  void OnWriteDone(bool ok) override {
    Lock lock(mutex_);
    writing_ = false;
    if (!ok) stopping_ = true;
    Advance(std::move(lock));
  }

  void OnDone(const grpc::Status& status) override {
    if (!status.ok()) tally_.Add(status);
    const Lock lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  void Advance(Lock lock) {
    if (writing_ || closed_) return;
    if (!stopping_ && in_flight_ >= max_in_flight_) return;
    if (!stopping_) stopping_ = left_.fetch_sub(1, std::memory_order_relaxed) <= 0;
    if (stopping_) {
      closed_ = true;
      lock.unlock();
      StartWritesDone();
      RemoveHold();
      return;
    }
    writing_ = true;
    ++in_flight_;
    grpc::WriteOptions options;
    if (in_flight_ < max_in_flight_) options.set_buffer_hint();
    lock.unlock();
    plan_.fill(*item_.mutable_purchase());
    StartWrite(&item_, options);
  }

  const PurchaseStreamPlan& plan_;
  const int max_in_flight_;
  std::atomic<int64_t>& left_;
  Tally& tally_;
  const std::unique_ptr<v1::AccrualService::Stub> stub_;
  grpc::ClientContext context_;
  v1::RecordPurchasesRequest item_;     // the writer's
  v1::RecordPurchasesResponse answer_;  // the reader's

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  int in_flight_ = 0;
  bool writing_ = false;
  bool stopping_ = false;
  bool closed_ = false;
  bool done_ = false;
};

class PurchaseStreams final : public Load {
 public:
  PurchaseStreams(std::vector<PurchaseStreamPlan> plans, int in_flight_each, int64_t limit)
      : plans_(std::move(plans)), in_flight_each_(in_flight_each), limit_(limit) {}
  ~PurchaseStreams() override { End(); }

  void Begin(Tally& tally) override {
    left_ = limit_;
    for (const PurchaseStreamPlan& plan : plans_) {
      streams_.push_back(std::make_unique<Stream>(plan, in_flight_each_, left_, tally));
    }
  }
  void AwaitLimit() override {
    for (const auto& stream : streams_) stream->AwaitEnd();
  }
  void End() override {
    for (const auto& stream : streams_) stream->Stop();
    for (const auto& stream : streams_) stream->AwaitEnd();
    streams_.clear();
  }

 private:
  const std::vector<PurchaseStreamPlan> plans_;
  const int in_flight_each_;
  const int64_t limit_;
  std::atomic<int64_t> left_{0};
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace

std::unique_ptr<Load> MakePurchaseStreams(std::vector<PurchaseStreamPlan> plans, int in_flight_each,
                                          int64_t limit) {
  return std::make_unique<PurchaseStreams>(std::move(plans), in_flight_each, limit);
}

}  // namespace guilder::cli::bench
