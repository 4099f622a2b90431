// The checks that a partner goes through before it is let onto a live network, as it runs them.
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/catch2.h"
#include "tests/support/child_process.h"
#include "tests/support/dev_network.h"

namespace guilder {
namespace {

using testing::ChildProcess;
using testing::ProgramPath;
using testing::ReadFile;

struct Sandbox {
  // What it printed is in the file `log`.
  int Run(std::vector<std::string> command) const {
    command.insert(command.begin(), ProgramPath("guilder"));
    for (const std::string& word :
         {std::string("--network"), directory.path() + "/data/network.json", std::string("-o"),
          std::string("json")}) {
      command.push_back(word);
    }
    ChildProcess run(command, log);
    return run.Wait();
  }

  const testing::TemporaryDirectory directory;
  const std::string log = directory.path() + "/log";
};

TEST_CASE("guilder partner certify: a partner whose setup is right passes, one whose is not fails",
          "[system][partner]") {
  const Sandbox sandbox;
  testing::DevNetwork network(sandbox.directory.path() + "/data");
  REQUIRE(network.WaitUntilUp());

  const int passed = sandbox.Run({"partner", "certify", "florist"});

  INFO(ReadFile(sandbox.log));
  REQUIRE(passed == 0);
  // Request ids stand before it, for people.
  const std::string printed = ReadFile(sandbox.log);
  const auto report = nlohmann::json::parse(printed.substr(printed.find('{')));
  CHECK(report["verdict"] == "PASS");
  REQUIRE(report["duties"].size() >= 9);
  for (const auto& duty : report["duties"]) CHECK(duty["verdict"] != "FAIL");

  // A till that stands nowhere passes none of what needs a store.
  CHECK(sandbox.Run({"partner", "certify", "florist", "--store", "nowhere"}) != 0);
  CHECK(ReadFile(sandbox.log).find("\"verdict\": \"FAIL\"") != std::string::npos);
  CHECK(sandbox.Run({"ledger", "verify"}) == 0);
}

}  // namespace
}  // namespace guilder
