// Where a private cluster keeps its things, and with which programs it runs. Not for use outside
// this library.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/postgres/process.h"

namespace guilder::postgres::internal {

struct ClusterFiles {
  ServerUser user;
  std::string programs;    // holds initdb and postgres
  std::string root;        // the absolute path of the options' directory
  std::string data;        // PostgreSQL's data directory
  std::string socket_dir;  // holds the unix socket
  std::string log;
  int lock_fd = -1;  // holds the lock that keeps other processes out
};

// Makes all of it, data directory included, where it is missing. The caller closes lock_fd. Unless
// it is to be `durable`, a new data directory is not flushed to the disk.
absl::StatusOr<ClusterFiles> PrepareClusterFiles(const std::string& directory, bool durable);

// The server that serves the data directory now, whoever started it; 0 when none does.
int FindPostmaster(const ClusterFiles& files);
// Whether that process is still this cluster's server.
bool IsPostmaster(const ClusterFiles& files, int pid);
// Whether that server says that it takes connections, rather than that it is starting or stopping.
bool IsReady(const ClusterFiles& files);
// Removes the file in which a killed server left its number, if another process now has that
// number: PostgreSQL would take that one for a server and refuse to start.
void RemoveStaleFiles(const ClusterFiles& files);

}  // namespace guilder::postgres::internal
