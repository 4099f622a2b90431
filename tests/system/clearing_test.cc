#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <stdlib.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "tests/support/catch2.h"
#include "tests/support/database.h"
#include "tests/support/posted_ledger.h"

namespace guilder {
namespace {

// 2026-01-01T00:00:00Z.
constexpr Timestamp kStart{1'767'225'600 * kMicrosPerSecond};

int RunShell(const std::string& command) {
  const int result = std::system(command.c_str());
  return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

std::string Program() {
  const char* directory = std::getenv("GUILDER_BIN_DIR");
  REQUIRE(directory != nullptr);
  return absl::StrCat(directory, "/guilder-clearing 2> /dev/null");
}

TEST_CASE("guilder-clearing: several at once seal what has ended, once", "[system][clearing]") {
  testing::TestDatabase db;
  testing::PostedLedger ledger(
      db, {.started_at = kStart, .now = kStart + Timestamp(5 * kMicrosPerDay / 2)});
  ledger.Append(1, kStart + Timestamp(1));
  setenv("GUILDER_DSN", db.dsn().c_str(), 1);

  CHECK(RunShell(absl::StrCat("for i in 1 2 3; do ", Program(), " & pids=\"$pids $!\"; done; ",
                              "for pid in $pids; do wait $pid || exit 1; done")) == 0);

  CHECK(db.Query("select count(*) from settlement.windows")[0].Int(0) == 2);
  CHECK(db.Query("select count(*) from ledger.seals")[0].Int(0) == 4);
  CHECK(RunShell(Program()) == 0);
  CHECK(db.Query("select count(*) from settlement.windows")[0].Int(0) == 2);
}

// A file of the source tree.
std::string Read(const std::string& path) {
  const char* root = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(root != nullptr);
  std::ifstream file(absl::StrCat(root, "/", path));
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("guilder-clearing: what the timers start needs no more than a database",
          "[system][clearing]") {
  testing::TestDatabase db;
  testing::PostedLedger ledger(db, {.started_at = kStart, .now = kStart + Timestamp(1)});
  // Both start it without flags and name the variable.
  CHECK(absl::StrContains(Read("deploy/systemd/guilder-clearing.service"),
                          "\nExecStart=/usr/bin/guilder-clearing\n"));
  CHECK(absl::StrContains(Read("deploy/systemd/guilder-clearing.service"), "GUILDER_DSN"));
  const std::string job = Read("deploy/kubernetes/clearing-cronjob.yaml");
  CHECK(absl::StrContains(job, "command: [\"/usr/bin/guilder-clearing\"]\n"));
  CHECK(absl::StrContains(job, "- name: GUILDER_DSN\n"));

  setenv("GUILDER_DSN", db.dsn().c_str(), 1);
  CHECK(RunShell(Program()) == 0);
  unsetenv("GUILDER_DSN");
  CHECK(RunShell(Program()) == 2);
}

TEST_CASE("guilder-clearing: a database without the schema is refused", "[system][clearing]") {
  testing::TestDatabase db(testing::TestDatabase::Schema::kEmpty);
  setenv("GUILDER_DSN", db.dsn().c_str(), 1);

  CHECK(RunShell(Program()) == 2);
}

}  // namespace
}  // namespace guilder
