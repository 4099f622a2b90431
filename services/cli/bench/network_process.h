// The network under test, in a process of its own, so that its processor time is not mixed with
// that of the clients.
#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "absl/status/statusor.h"

#include "services/cli/network.h"

namespace guilder::cli::bench {

class NetworkProcess {
 public:
  // Starts all services and PostgreSQL in a directory that is removed at the end. Forks: to be
  // called before this process has started a thread or used gRPC.
  //
  // Every new member gets `welcome_points`. Errors are sentences for the user.
  static absl::StatusOr<std::unique_ptr<NetworkProcess>> Start(int64_t welcome_points);

  // Stops it and removes the directory.
  ~NetworkProcess();
  NetworkProcess(const NetworkProcess&) = delete;
  NetworkProcess& operator=(const NetworkProcess&) = delete;

  const Network& facts() const { return facts_; }

  // Processor time that the process and all its descendants have used: the services, PostgreSQL's
  // sessions and what works in its background.
  double CpuMicros() const;
  // The most memory that the services' process has held so far.
  double PeakResidentMegabytes() const;

 private:
  NetworkProcess() = default;

  std::string directory_;
  Network facts_;
  pid_t pid_ = 0;
  int stop_fd_ = -1;  // the process ends when this is closed
};

}  // namespace guilder::cli::bench
