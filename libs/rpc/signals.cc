#include <cerrno>
#include <thread>

#include <pthread.h>
#include <signal.h>

#include "absl/time/clock.h"

#include "libs/rpc/server.h"
#include "libs/telemetry/log.h"

namespace guilder::rpc {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void BlockStopSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client or a database that goes away must not end the process.
  signal(SIGPIPE, SIG_IGN);
}

int WaitForStopSignal() {
  const sigset_t signals = StopSignals();
  int received = 0;
  while (sigwait(&signals, &received) == EINTR) {
  }
  return received;
}

bool StopSignalComesWithin(absl::Duration wait) {
  const sigset_t signals = StopSignals();
  const timespec limit = absl::ToTimespec(wait);
  return sigtimedwait(&signals, nullptr, &limit) > 0;
}

void RunUntilSignal(const std::vector<Server*>& servers, absl::Duration drain) {
  const int received = WaitForStopSignal();
  telemetry::Log(telemetry::Severity::kInfo, "draining", {{"signal", received}});
  const absl::Time deadline = absl::Now() + drain;
  std::vector<std::thread> shutdowns;
  for (Server* const server : servers) {
    shutdowns.emplace_back([server, deadline] { server->Shutdown(deadline); });
  }
  for (std::thread& shutdown : shutdowns) shutdown.join();
  telemetry::Log(telemetry::Severity::kInfo, "stopped");
}

}  // namespace guilder::rpc
