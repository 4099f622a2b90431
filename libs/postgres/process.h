// Child processes under another user. Not for use outside this library.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "absl/status/statusor.h"

namespace guilder::postgres::internal {

// Whom the server runs as.
struct ServerUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  // Whether that is another user than this process, which can only be when we are root.
  bool is_other = false;
};

// PostgreSQL refuses to run as root: then it is `postgres`, or `nobody` where there is no such
// user.
absl::StatusOr<ServerUser> FindServerUser();

struct Command {
  std::vector<std::string> argv;
  ServerUser user;
  // Where standard output and error go.
  int output_fd = -1;
  // Sent to the child when the thread that starts it ends, however it ends; 0 for none.
  int signal_when_parent_dies = 0;
};

// Starts a child in a session of its own, with nothing inherited but `output_fd`. Thread safe.
absl::StatusOr<pid_t> Start(const Command& command);

// Runs to the end and returns the output; the output is the error when the exit code is not 0.
absl::StatusOr<std::string> RunToEnd(const ServerUser& user, std::vector<std::string> argv);

}  // namespace guilder::postgres::internal
