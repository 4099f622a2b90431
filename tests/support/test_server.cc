// guilder-test-server DIRECTORY COMMAND [ARGUMENT ...]
//
// Runs the command with GUILDER_TEST_DSN naming a private PostgreSQL in DIRECTORY, stops the
// server, and ends with the command's exit code.

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libs/postgres/private_cluster.h"

namespace {

int Run(char** argv) {
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[0], argv);
    std::perror(argv[0]);
    _exit(127);
  }
  int result = 0;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(result) ? WEXITSTATUS(result) : 128 + WTERMSIG(result);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: guilder-test-server DIRECTORY COMMAND [ARGUMENT ...]\n");
    return 2;
  }
  // Whoever interrupts means the command; this process then ends after it, and stops the server.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  auto cluster =
      guilder::postgres::PrivateCluster::Start({.directory = argv[1],
                                                .settings = {{"fsync", "off"},
                                                             {"full_page_writes", "off"},
                                                             {"max_connections", "300"},
                                                             {"synchronous_commit", "off"}}});
  if (!cluster.ok()) {
    std::fprintf(stderr, "%s\n", std::string(cluster.status().message()).c_str());
    return 2;
  }
  setenv("GUILDER_TEST_DSN", (*cluster)->dsn().c_str(), 1);
  const int result = Run(argv + 2);
  const absl::Status stopped = (*cluster)->Stop();
  if (!stopped.ok()) {
    std::fprintf(stderr, "%s\n", std::string(stopped.message()).c_str());
    return 2;
  }
  return result;
}
