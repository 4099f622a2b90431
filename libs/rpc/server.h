// A gRPC server: address, TLS, limits, health, reflection and drain.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class Service;
}

namespace guilder::rpc {

class Runtime;

struct ServerOptions {
  // "host:port"; port 0 takes a free one.
  std::string listen_address = "127.0.0.1:0";

  // PEM files. They are watched: a renewed certificate is used without a restart. With
  // `tls_client_ca` clients must present a certificate of that authority.
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_client_ca;
  // How often they are looked at, in whole seconds.
  absl::Duration certificate_refresh = absl::Seconds(60);
  // Without TLS only a loopback address is accepted, unless this says that something in front
  // encrypts.
  bool allow_plaintext = false;

  int max_message_bytes = 4 * 1024 * 1024;
  int max_streams_per_connection = 2048;
  absl::Duration keepalive_interval = absl::Seconds(30);
};

class Server {
 public:
  // The runtime, and the services that are added, must outlive the server.
  Server(Runtime& runtime, ServerOptions options);
  // Shuts down at once if that was not done.
  ~Server();

  // Before Start. `full_name` as in v1::PartnerService::service_full_name().
  void AddService(grpc::Service& service, std::string_view full_name);

  // Listens. Errors, one sentence each, when the address cannot be taken, a certificate cannot be
  // read, plaintext is not allowed there, or a method has no row in the table of permissions.
  absl::Status Start();

  // After Start.
  int port() const;
  // "127.0.0.1:50051", for clients on this machine.
  std::string endpoint() const;

  // Health turns to NOT_SERVING, new calls are refused with kDraining, and calls in progress may
  // end until the deadline; what remains is then cancelled. Returns when nothing runs any more.
  void Shutdown(absl::Time deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// For executables. Call once, first thing in main and before any thread starts: threads then
// inherit the blocked signals, and only WaitForStopSignal receives SIGTERM and SIGINT.
void BlockStopSignals();
// Returns at the first SIGTERM or SIGINT, with its number.
int WaitForStopSignal();
// The same for so long at most: whether there was one. It is then taken.
bool StopSignalComesWithin(absl::Duration wait);

// Serves until SIGTERM or SIGINT, then drains all servers together for at most `drain`.
void RunUntilSignal(const std::vector<Server*>& servers, absl::Duration drain = absl::Seconds(10));

}  // namespace guilder::rpc
