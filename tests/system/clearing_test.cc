#include <cstdlib>
#include <string>

#include <stdlib.h>

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

TEST_CASE("guilder-clearing: a database without the schema is refused", "[system][clearing]") {
  testing::TestDatabase db(testing::TestDatabase::Schema::kEmpty);
  setenv("GUILDER_DSN", db.dsn().c_str(), 1);

  CHECK(RunShell(Program()) == 2);
}

}  // namespace
}  // namespace guilder
