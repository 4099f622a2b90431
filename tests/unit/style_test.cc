// The form that all code keeps. What departs from it is listed here with its reason.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch2.h"
#include "tests/support/source_tree.h"

namespace guilder {
namespace {

using testing::ReadSources;
using testing::SourceFile;

constexpr size_t kMostLinesOfFile = 500;
constexpr size_t kMostLinesOfFunction = 70;

// Path, or path and function → why it may be longer.
using Reasons = std::map<std::string, std::string>;

const Reasons kLongFiles = {
    {"tests/service/cli_rendering_test.cc",
     "one network whose answers are known, and each of them"},
    {"tests/unit/ledger_decide_test.cc", "what the deciders promise, in one place"},
};

const Reasons kLongFunctions = {
    {"tests/service/access_matrix_test.cc: const std::vector<Ask>& Asks() {",
     "a table of requests"},
    {"tests/store/verify_test.cc: const std::vector<Case>& Cases() {", "a table of cases"},
};

// RPCs that no test names, and why.
const Reasons kUntestedRpcs = {};

constexpr char kThisFile[] = "tests/unit/style_test.cc";

const std::vector<std::string> kNothing;

struct Function {
  std::string opener;
  size_t lines = 0;
};

size_t Indentation(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool IsType(const std::string& line) {
  const std::string text = line.substr(Indentation(line));
  for (const char* const word :
       {"class ", "struct ", "enum ", "union ", "namespace ", "template"}) {
    if (text.rfind(word, 0) == 0) return true;
  }
  return false;
}

// Functions, at the outermost level or in a class, as clang-format lays them out: from the line
// that begins at the column of the closing brace to that brace.
std::vector<Function> FunctionsOf(const SourceFile& file) {
  std::vector<Function> functions;
  for (size_t end = 0; end < file.lines.size(); ++end) {
    const size_t indentation = Indentation(file.lines[end]);
    if (indentation > 2 || file.lines[end].substr(indentation) != "}") continue;
    size_t begin = end;
    while (begin > 0) {
      const std::string& line = file.lines[--begin];
      const bool continues = line.empty() || Indentation(line) > indentation ||
                             line[Indentation(line)] == '#' || line[Indentation(line)] == ')';
      if (!continues) break;
    }
    if (IsType(file.lines[begin])) continue;
    functions.push_back(
        {file.lines[begin].substr(Indentation(file.lines[begin])), end - begin + 1});
  }
  return functions;
}

// Keys of `found` without a reason, and reasons without a finding.
std::vector<std::string> Differences(const std::vector<std::string>& found,
                                     const Reasons& reasons) {
  std::vector<std::string> differences;
  for (const std::string& key : found) {
    if (!reasons.contains(key)) differences.push_back("no reason is given for " + key);
  }
  for (const auto& [key, reason] : reasons) {
    if (std::find(found.begin(), found.end(), key) == found.end()) {
      differences.push_back("a reason is left over: " + key);
    }
  }
  return differences;
}

// The words of all tests, whichever language they are in.
std::set<std::string> WordsOfTests() {
  std::set<std::string> words;
  for (const SourceFile& file : ReadSources({".cc", ".h", ".js", ".mjs", ".py"})) {
    if (file.path.rfind("tests/", 0) != 0 || file.path == kThisFile) continue;
    for (const std::string& line : file.lines) {
      std::string word;
      for (const char c : line + " ") {
        if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
          word += c;
        } else if (!word.empty()) {
          words.insert(std::move(word));
          word.clear();
        }
      }
    }
  }
  return words;
}

// "TEST_CASE("name", "[tags]")" with its lines joined, for each test case of the file.
std::vector<std::string> TestCasesOf(const SourceFile& file) {
  std::vector<std::string> cases;
  for (size_t i = 0; i < file.lines.size(); ++i) {
    if (file.lines[i].rfind("TEST_CASE(", 0) != 0) continue;
    std::string head;
    for (; i < file.lines.size(); ++i) {
      head += file.lines[i].substr(Indentation(file.lines[i]));
      if (file.lines[i].find(") {") != std::string::npos) break;
    }
    cases.push_back(head);
  }
  return cases;
}

TEST_CASE("Style: a file is at most 500 lines long, or a reason is given", "[unit][style]") {
  std::vector<std::string> found;
  for (const SourceFile& file : ReadSources({".h", ".cc"})) {
    if (file.lines.size() > kMostLinesOfFile) found.push_back(file.path);
  }
  CHECK(Differences(found, kLongFiles) == kNothing);
}

TEST_CASE("Style: a function is at most 70 lines long, or a reason is given", "[unit][style]") {
  std::vector<std::string> found;
  size_t functions = 0;
  for (const SourceFile& file : ReadSources({".h", ".cc"})) {
    for (const Function& function : FunctionsOf(file)) {
      ++functions;
      if (function.lines > kMostLinesOfFunction)
        found.push_back(file.path + ": " + function.opener);
    }
  }
  CHECK(functions > 1'000);
  CHECK(Differences(found, kLongFunctions) == kNothing);
}

TEST_CASE("Style: nothing is left to be done later", "[unit][style]") {
  std::vector<std::string> found;
  for (const SourceFile& file : ReadSources(
           {".h", ".cc", ".proto", ".sql", ".md", ".py", ".js", ".mjs", ".txt", ".cmake"})) {
    if (file.path == kThisFile) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const char* const word : {"TODO", "FIXME"}) {
        if (file.lines[i].find(word) != std::string::npos) {
          found.push_back(file.path + ":" + std::to_string(i + 1));
        }
      }
    }
  }
  CHECK(found == kNothing);
}

TEST_CASE("Style: a test case states what is true of a subject, and has its level's tag",
          "[unit][style]") {
  std::vector<std::string> found;
  size_t cases = 0;
  for (const SourceFile& file : ReadSources({"_test.cc"})) {
    const std::string level = std::filesystem::path(file.path).parent_path().filename().string();
    for (const std::string& test_case : TestCasesOf(file)) {
      ++cases;
      const bool right = test_case.find(": ") != std::string::npos &&
                         test_case.find("\"[" + level + "]") != std::string::npos;
      if (!right) found.push_back(file.path + ": " + test_case);
    }
  }
  CHECK(cases > 200);
  CHECK(found == kNothing);
}

TEST_CASE("Style: some test names every RPC", "[unit][style]") {
  const std::set<std::string> words = WordsOfTests();
  std::vector<std::string> found;
  size_t rpcs = 0;
  for (const SourceFile& file : ReadSources({".proto"})) {
    if (file.path.rfind("proto/guilder/", 0) != 0) continue;
    for (const std::string& line : file.lines) {
      const size_t begin = Indentation(line);
      if (line.compare(begin, 4, "rpc ") != 0) continue;
      ++rpcs;
      const std::string name = line.substr(begin + 4, line.find('(') - begin - 4);
      if (!words.contains(name)) found.push_back(name);
    }
  }
  CHECK(rpcs > 50);
  CHECK(Differences(found, kUntestedRpcs) == kNothing);
}

TEST_CASE("FunctionsOf: functions of classes and wrapped heads are measured whole",
          "[unit][style]") {
  const SourceFile file{
      "x.cc",
      {"class A {", " public:", "  int One() {", "    return 1;", "  }", "}", "", "int Two(int a,",
       "        int b) {", "", "#if X", "  return a;", "#endif", "}"}};

  const std::vector<Function> functions = FunctionsOf(file);

  REQUIRE(functions.size() == 2);
  CHECK(functions[0].opener == "int One() {");
  CHECK(functions[0].lines == 3);
  CHECK(functions[1].opener == "int Two(int a,");
  CHECK(functions[1].lines == 7);
}

}  // namespace
}  // namespace guilder
