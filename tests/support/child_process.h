// The built programs, run as processes.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace guilder::testing {

// The path of a built program.
std::string ProgramPath(const std::string& name);
// A folder of the source tree, as in "tests/data".
std::string SourcePath(const std::string& path);

// A directory that is gone at the end, and that PostgreSQL's own user can enter.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Killed at the end if it still runs. Failures throw.
class ChildProcess {
 public:
  // Standard output and error go to a file, or where ours go when its name is empty. The child does
  // not inherit blocked signals. `input`, a descriptor, becomes its standard input.
  explicit ChildProcess(std::vector<std::string> argv, const std::string& output_file = "",
                        int input = -1);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool IsRunning();
  // SIGKILL, and waits until it is gone.
  void Kill();
  // The exit code; 128 and the number of a signal.
  int Wait();

 private:
  pid_t pid_ = 0;
};

// The bytes of a file; empty when there is none or it ends to be while it is read, as those of a
// process do.
std::string ReadFile(const std::string& path);

}  // namespace guilder::testing
