#include "services/cli/bench/pgbench.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "services/cli/bench/store/databases.h"

namespace guilder::cli::bench {
namespace {

// The end of the program's output, standard error included; the error when it failed.
absl::StatusOr<std::string> RunProgram(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return absl::InternalError(std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while (failed == 0 && (got = read(out[0], buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  close(out[0]);
  if (failed != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot run ", arguments[0], ": ", std::strerror(failed)));
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  return absl::FailedPreconditionError(absl::StrCat(arguments[0], " failed: ", text));
}

}  // namespace

absl::StatusOr<Pgbench> Pgbench::Prepare(const std::string& dsn, int scale) {
  Pgbench pgbench;
  GUILDER_ASSIGN_OR_RETURN(const std::string server, ServerProgram(dsn));
  pgbench.program_ = std::filesystem::path(server).parent_path() / "pgbench";
  GUILDER_ASSIGN_OR_RETURN(pgbench.dsn_, CreateDatabase(dsn, "bench_tpcb"));
  GUILDER_RETURN_IF_ERROR(
      RunProgram({pgbench.program_, "-i", "-q", "-s", absl::StrCat(scale), pgbench.dsn_}).status());
  return pgbench;
}

absl::StatusOr<double> Pgbench::Run(int clients, int seconds) const {
  GUILDER_ASSIGN_OR_RETURN(
      const std::string text,
      RunProgram({program_, "-n", "-M", "prepared", "-c", absl::StrCat(clients), "-j",
                  absl::StrCat(std::min(clients, 2)), "-T", absl::StrCat(seconds), dsn_}));
  const size_t found = text.find("tps = ");
  double tps = 0;
  if (found != std::string::npos) {
    const std::string rest = text.substr(found + 6);
    if (absl::SimpleAtod(rest.substr(0, rest.find(' ')), &tps) && tps > 0) return tps;
  }
  return absl::InternalError(absl::StrCat("pgbench gave no tps: ", text));
}

}  // namespace guilder::cli::bench
