// What no statement of the product may do, read from its sources.
#include <regex>
#include <string>
#include <vector>

#include "tests/support/catch2.h"
#include "tests/support/source_tree.h"

namespace guilder {
namespace {

// The tables whose rows are written once and stay: records, entries, the claims of request ids and
// receipts, seals.
const std::regex kChangesHistory(
    R"((update(\s+only)?|delete\s+from|truncate(\s+table)?|drop\s+table(\s+if\s+exists)?|detach\s+partition)\s+ledger\.(journal|entries|claims|seals)\b)",
    std::regex::icase | std::regex::optimize);

std::string Joined(const testing::SourceFile& file) {
  std::string text;
  for (const std::string& line : file.lines) text += line + "\n";
  return text;
}

TEST_CASE("SQL: the pattern finds what changes history", "[unit][ledger]") {
  CHECK(std::regex_search("update ledger.entries set points = 1", kChangesHistory));
  CHECK(std::regex_search("DELETE FROM\n  ledger.claims", kChangesHistory));
  CHECK(std::regex_search("truncate ledger.journal", kChangesHistory));
  CHECK_FALSE(std::regex_search("update ledger.accounts set held = 1", kChangesHistory));
}

// Request ids are kept for 400 days at least. Nothing ends their keeping, so they outlive any
// window and any dispute.
TEST_CASE("SQL: no statement changes or removes a record, an entry, a claim or a seal",
          "[unit][ledger][inv-4][inv-19]") {
  int read = 0;
  for (const testing::SourceFile& file : testing::ReadSources({".cc", ".h", ".sql"})) {
    if (file.path.rfind("tests/", 0) == 0) continue;
    ++read;
    INFO(file.path);
    CHECK_FALSE(std::regex_search(Joined(file), kChangesHistory));
  }
  CHECK(read > 100);
}

}  // namespace
}  // namespace guilder
