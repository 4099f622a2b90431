// A client that shares no code with ours, on a network that `guilder dev` runs: the gRPC of Node.js
// with the contracts in proto/. What it does is in tests/system/node/partner.test.js.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/wait.h>

#include "tests/support/catch2.h"
#include "tests/support/child_process.h"
#include "tests/support/dev_network.h"

namespace guilder {
namespace {

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_CASE("guilder dev: a client of another make enrols, posts, spends and is refused by reason",
          "[system][dev]") {
  const testing::TemporaryDirectory directory;
  const std::string ready_file = directory.path() + "/ready.json";
  testing::DevNetwork network(directory.path() + "/data", {"--ready-file", ready_file});
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
