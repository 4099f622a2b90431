// The whole network in this process, on a PostgreSQL of its own: the embedded default.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/ledger/store/bootstrap.h"
#include "services/cli/network.h"

namespace guilder::cli::dev {

struct NetworkOptions {
  // Everything is kept below; created when missing.
  std::string data_directory = "guilder-data";
  std::string listen_host = "127.0.0.1";
  // Whether a fresh network takes ports 7401 to 7406 where they are free, or any.
  bool usual_ports = true;
  // Of a fresh directory; one that has a programme keeps it.
  ledger::ProgrammeSettings programme;
  // Told in a sentence when PostgreSQL died and was started again. Called from another thread.
  std::function<void(std::string_view)> on_event;
};

// Six servers, one for each service, that share lanes, pool and credentials. Restartable on the
// same directory, where operators keep their tokens, partners their keys and, unless somebody took
// them, servers their ports. While PostgreSQL is away calls are answered UNAVAILABLE.
class Network {
 public:
  // Returns when every service answers its health check. Errors are sentences for the user.
  static absl::StatusOr<std::unique_ptr<Network>> Start(NetworkOptions options);

  // Stops without patience.
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Drains all servers, for at most so long, and stops PostgreSQL. Idempotent.
  void Stop(absl::Duration drain);

  // Where everything is, and who may speak to it.
  const cli::Network& facts() const;
  // Keeps what Save writes besides.
  void SetPartners(std::vector<NetworkPartner> partners);
  // Writes the facts to network.json in the data directory.
  absl::Status Save() const;

 private:
  class Impl;
  explicit Network(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace guilder::cli::dev
