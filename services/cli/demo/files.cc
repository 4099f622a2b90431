#include "services/cli/demo/files.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace guilder::cli::demo {
namespace {

namespace fs = std::filesystem;

// Under POSIX, what a shell gives for a command that there is not.
constexpr int kNoSuchCommand = 127;

int RunQuietly(const char* const* argv) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, argv[0], &actions, nullptr, const_cast<char* const*>(argv), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return kNoSuchCommand;
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

absl::StatusOr<std::string> WriteFile(const std::string& directory, const std::string& name,
                                      std::string_view content) {
  std::error_code error;
  fs::create_directories(directory, error);
  const fs::path path = fs::absolute(fs::path(directory) / name, error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) return absl::FailedPreconditionError(absl::StrCat("cannot write ", path.string()));
  return path.string();
}

std::string CheckPaymentFile(const std::string& path, const std::string& data) {
  const std::string schema = data + "/pain.001.001.09.xsd";
  const char* const argv[] = {"xmllint",      "--noout",    "--nonet", "--schema",
                              schema.c_str(), path.c_str(), nullptr};
  switch (RunQuietly(argv)) {
    case 0:
      return "valid";
    case kNoSuchCommand:
      return "not checked";
    default:
      return "NOT VALID";
  }
}

}  // namespace guilder::cli::demo
