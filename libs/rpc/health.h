// grpc.health.v1.Health: whether this server takes calls, as a whole and by service.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"

namespace guilder::rpc {

// Every service is SERVING from Serve until Stop. Needs no credentials. Thread safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  HealthService();
  ~HealthService() override;

  // Before the server starts.
  void AddService(std::string full_name);

  void Serve();
  // Tells those who watch, and ends their streams.
  void Stop();

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;
  using State = grpc::health::v1::HealthCheckResponse::ServingStatus;

  State StateOf(const std::string& service) const;  // mutex_ is held
  void Forget(const std::shared_ptr<Watcher>& watcher);

  mutable std::mutex mutex_;  // guards what follows
  std::set<std::string> services_;
  std::set<std::shared_ptr<Watcher>> watchers_;
  bool serving_ = false;
  bool stopped_ = false;
};

}  // namespace guilder::rpc
