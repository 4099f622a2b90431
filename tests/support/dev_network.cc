#include "tests/support/dev_network.h"

#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/child_process.h"

namespace guilder::testing {

DevNetwork::DevNetwork(const std::string& data_directory, const std::vector<std::string>& flags) {
  std::vector<std::string> arguments{ProgramPath("guilder"), "dev", "--data-dir", data_directory};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("cannot fork");
  if (process_ == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  output_ = fdopen(ends[0], "r");
}

DevNetwork::~DevNetwork() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  fclose(output_);
}

bool DevNetwork::WaitUntilUp() {
  char line[4'096];
  while (fgets(line, sizeof line, output_) != nullptr) {
    if (std::string(line).find("The network is up") != std::string::npos) return true;
  }
  return false;
}

int DevNetwork::Stop() {
  kill(process_, SIGTERM);
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace guilder::testing
