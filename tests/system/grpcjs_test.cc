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
#include "tests/support/child_process.h"

namespace guilder {
namespace {

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// `guilder dev` with its standard output in a pipe.
class DevNetwork {
 public:
  DevNetwork(const std::string& directory, const std::string& ready_file) {
    std::vector<std::string> arguments{testing::ProgramPath("guilder"),
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
  const testing::TemporaryDirectory directory;
  const std::string ready_file = directory.path() + "/ready.json";
  DevNetwork network(directory.path(), ready_file);
  REQUIRE(network.WaitUntilUp());
  REQUIRE(std::filesystem::exists(ready_file));

  setenv("GUILDER_READY_FILE", ready_file.c_str(), 1);
  const std::string script = testing::SourcePath("tests/system/node/partner.test.js");
  const std::string command = "node --test --test-reporter=spec '" + script + "'";
  CHECK(ExitCode(std::system(command.c_str())) == 0);

  CHECK(network.Stop() == 0);
}

}  // namespace
}  // namespace guilder
