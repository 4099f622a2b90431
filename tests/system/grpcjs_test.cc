// A client that shares no code with ours, on a network that `guilder dev` runs: the gRPC of Node.js
// with the contracts in proto/. What it does is in tests/system/node/partner.test.js.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/catch2.h"

namespace guilder {
namespace {

std::string FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  REQUIRE(value != nullptr);
  return value;
}

// A directory that PostgreSQL's own user, who runs the server when we are root, can enter.
class Directory {
 public:
  Directory() {
    char path[] = "/tmp/guilder-grpcjs-XXXXXX";
    REQUIRE(mkdtemp(path) != nullptr);
    path_ = path;
    std::filesystem::permissions(path_, std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// `guilder dev` with its standard output in a pipe.
class DevNetwork {
 public:
  DevNetwork(const std::string& directory, const std::string& ready_file) {
    std::vector<std::string> arguments{FromEnvironment("GUILDER_BIN_DIR") + "/guilder",
                                       "dev",
                                       "--data-dir",
                                       directory + "/data",
                                       "--ready-file",
                                       ready_file};
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    process_ = fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }

  ~DevNetwork() {
    if (process_ > 0) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
    fclose(output_);
  }

  // Whether it said that it is up before it ended.
  bool WaitUntilUp() {
    char line[4'096];
    while (fgets(line, sizeof line, output_) != nullptr) {
      if (std::string(line).find("The network is up") != std::string::npos) return true;
    }
    return false;
  }

  int Stop() {
    kill(process_, SIGTERM);
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = 0;
    return ExitCode(status);
  }

 private:
  pid_t process_ = 0;
  FILE* output_ = nullptr;
};

TEST_CASE("guilder dev: a client of another make enrols, posts, spends and is refused by reason",
          "[system][dev]") {
  const Directory directory;
  const std::string ready_file = directory.path() + "/ready.json";
  DevNetwork network(directory.path(), ready_file);
  REQUIRE(network.WaitUntilUp());
  REQUIRE(std::filesystem::exists(ready_file));

  setenv("GUILDER_READY_FILE", ready_file.c_str(), 1);
  const std::string scripts = FromEnvironment("GUILDER_SOURCE_DIR") + "/tests/system/node";
  const std::string command = "node --test --test-reporter=spec '" + scripts + "/partner.test.js'";
  CHECK(ExitCode(std::system(command.c_str())) == 0);

  CHECK(network.Stop() == 0);
}

}  // namespace
}  // namespace guilder
