#include "libs/rpc/health.h"

#include <optional>
#include <utility>
#include <vector>

namespace guilder::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

// Watching needs no credentials, so it has a limit.
constexpr size_t kMaxWatchers = 256;

}  // namespace

// Sends the newest state that its client has not seen; states in between may be skipped.
class HealthService::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse>,
                                     public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(HealthService& health, std::string service)
      : health_(health), service_(std::move(service)) {}

  const std::string& service() const { return service_; }

  void Tell(State state) {
    std::unique_lock lock(mutex_);
    next_ = state;
    Advance(std::move(lock));
  }

  void End(grpc::Status status) {
    std::unique_lock lock(mutex_);
    if (!end_) end_ = std::move(status);
    Advance(std::move(lock));
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok && !end_) end_ = grpc::Status::CANCELLED;
    Advance(std::move(lock));
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override { health_.Forget(shared_from_this()); }

 private:
  // Starts at most one thing, after the lock is gone: its reaction may come before it returns.
  void Advance(std::unique_lock<std::mutex> lock) {
    if (writing_ || finished_) return;
    if (next_) {
      writing_ = true;
      message_.set_status(*std::exchange(next_, std::nullopt));
      lock.unlock();
      StartWrite(&message_);
    } else if (end_) {
      finished_ = true;
      lock.unlock();
      Finish(*end_);
    }
  }

  HealthService& health_;
  const std::string service_;
  HealthCheckResponse message_;  // the writer's

  std::mutex mutex_;  // guards what follows
  std::optional<State> next_;
  std::optional<grpc::Status> end_;
  bool writing_ = false;
  bool finished_ = false;
};

HealthService::HealthService() : services_{""} {}
HealthService::~HealthService() = default;

void HealthService::AddService(std::string full_name) {
  const std::lock_guard lock(mutex_);
  services_.insert(std::move(full_name));
}

HealthService::State HealthService::StateOf(const std::string& service) const {
  if (services_.count(service) == 0) return HealthCheckResponse::SERVICE_UNKNOWN;
  return serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void HealthService::Serve() {
  const std::lock_guard lock(mutex_);
  serving_ = true;
}

void HealthService::Stop() {
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    const std::lock_guard lock(mutex_);
    serving_ = false;
    stopped_ = true;
    watchers.assign(watchers_.begin(), watchers_.end());
  }
  for (const auto& watcher : watchers) {
    watcher->Tell(HealthCheckResponse::NOT_SERVING);
    watcher->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is stopping"));
  }
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  State state;
  {
    const std::lock_guard lock(mutex_);
    state = StateOf(request->service());
  }
  auto* const reactor = context->DefaultReactor();
  response->set_status(state);
  reactor->Finish(state == HealthCheckResponse::SERVICE_UNKNOWN
                      ? grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service")
                      : grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext* /*context*/, const HealthCheckRequest* request) {
  auto watcher = std::make_shared<Watcher>(*this, request->service());
  State state;
  std::optional<grpc::Status> end;
  {
    const std::lock_guard lock(mutex_);
    state = StateOf(watcher->service());
    if (stopped_) end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is stopping");
    if (watchers_.size() >= kMaxWatchers) {
      end = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watch this server");
    }
    watchers_.insert(watcher);
  }
  watcher->Tell(state);
  if (end) watcher->End(*std::move(end));
  return watcher.get();
}

void HealthService::Forget(const std::shared_ptr<Watcher>& watcher) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(watcher);
}

}  // namespace guilder::rpc
