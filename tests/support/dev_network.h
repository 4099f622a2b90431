// A network that `guilder dev` runs, for system tests.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <sys/types.h>

namespace guilder::testing {

// `guilder dev` with its standard output in a pipe. Killed at the end if it still runs. Failures
// throw.
class DevNetwork {
 public:
  explicit DevNetwork(const std::string& data_directory,
                      const std::vector<std::string>& flags = {});
  ~DevNetwork();
  DevNetwork(const DevNetwork&) = delete;
  DevNetwork& operator=(const DevNetwork&) = delete;

  // Whether it said that it is up before it ended.
  bool WaitUntilUp();
  // Asks it to end; gives its exit code.
  int Stop();

 private:
  pid_t process_ = 0;
  FILE* output_ = nullptr;
};

}  // namespace guilder::testing
