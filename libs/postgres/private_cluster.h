// A PostgreSQL of our own, for `guilder dev` and tests: no configuration, no port, no password.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace guilder::postgres {

struct PrivateClusterOptions {
  // Everything is kept below; created when missing. Its parents must exist and, when we are root,
  // be open to the user that the server runs as (postgres, or nobody where there is no such user).
  std::string directory;
  // The database that dsn() names; created when missing.
  std::string database = "guilder";
  // Server settings besides or instead of ours, as in {"fsync", "off"}.
  std::map<std::string, std::string> settings{};
  // How long Start may take, recovery from a crash included.
  std::chrono::seconds start_timeout{120};
  // Told in one sentence of what happens while nobody asks: the server died, was started again.
  // Called from a thread of the cluster.
  std::function<void(std::string_view)> on_event{};
};

// A running server. It is reached through a unix socket in a directory that only its user (and
// root) can enter. It is a child of this process: if this process dies, it shuts down; if it dies,
// it is started again.
class PrivateCluster {
 public:
  // Creates the cluster if the directory has none, and starts it; returns when it answers. May be
  // called again on the same directory after any kind of end of the server or of this process; a
  // server that is still there is adopted. Fails, with what to do, when another live process holds
  // the directory, when no PostgreSQL >= 15 is installed, when its user cannot reach the directory,
  // or with the end of the server's log when it does not come up.
  static absl::StatusOr<std::unique_ptr<PrivateCluster>> Start(PrivateClusterOptions options);

  // Stops the server.
  ~PrivateCluster();
  PrivateCluster(const PrivateCluster&) = delete;
  PrivateCluster& operator=(const PrivateCluster&) = delete;

  // Ends all sessions, writes a checkpoint and stops. Idempotent.
  absl::Status Stop();

  // Of the superuser, for options.database.
  std::string dsn() const;
  std::string DsnFor(const std::string& database) const;
  // The postmaster's process id now; 0 while it is down.
  int postmaster_pid() const;
  std::string log_path() const;

 private:
  class Impl;
  explicit PrivateCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace guilder::postgres
