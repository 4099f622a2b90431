#include "tests/support/child_process.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libs/base/files.h"

namespace guilder::testing {
namespace {

std::string FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

}  // namespace

std::string ProgramPath(const std::string& name) {
  return FromEnvironment("GUILDER_BIN_DIR") + "/" + name;
}

std::string SourcePath(const std::string& path) {
  return FromEnvironment("GUILDER_SOURCE_DIR") + "/" + path;
}

TemporaryDirectory::TemporaryDirectory() : path_("/tmp/guilder-test-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr || chmod(path_.c_str(), 0755) != 0) {
    throw std::runtime_error("cannot create " + path_);
  }
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ChildProcess::ChildProcess(std::vector<std::string> argv, const std::string& output_file,
                           int input) {
  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const int output = output_file.empty() ? -1
                                         : open(output_file.c_str(),
                                                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (output >= 0) {
      dup2(output, STDOUT_FILENO);
      dup2(output, STDERR_FILENO);
    }
    if (input >= 0) dup2(input, STDIN_FILENO);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  if (output >= 0) close(output);
}

ChildProcess::~ChildProcess() {
  Kill();
}

bool ChildProcess::IsRunning() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ > 0;
}

void ChildProcess::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

int ChildProcess::Wait() {
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("cannot wait");
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string ReadFile(const std::string& path) {
  return guilder::ReadFile(path).value_or("");
}

}  // namespace guilder::testing
