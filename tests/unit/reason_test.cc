#include "libs/base/reason.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "libs/base/text.h"
#include "tests/support/catch2.h"

namespace guilder {
namespace {

struct Row {
  std::string name;
  std::string code;
  std::string advice;
  friend bool operator==(const Row&, const Row&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.name << " " << row.code << ": " << row.advice;
  }
};

std::vector<Row> RowsOfCode() {
  const std::vector<Reason> reasons = {
#define GUILDER_REASON_VALUE_(enumerator, name, code, advice) Reason::enumerator,
      GUILDER_REASONS(GUILDER_REASON_VALUE_)
#undef GUILDER_REASON_VALUE_
  };
  std::vector<Row> rows;
  for (const Reason reason : reasons) {
    rows.push_back({std::string(ReasonName(reason)), absl::StatusCodeToString(ReasonCode(reason)),
                    std::string(ReasonAdvice(reason))});
  }
  return rows;
}

// Each value of the proto's enum with the comment above it: "CODE: advice."
std::vector<Row> RowsOfProto() {
  const char* const root = std::getenv("GUILDER_SOURCE_DIR");
  std::ifstream file(
      absl::StrCat(root == nullptr ? "." : root, "/proto/guilder/type/v1/error_reason.proto"));
  REQUIRE(file);
  std::vector<Row> rows;
  std::string comment;
  for (std::string line; std::getline(file, line);) {
    absl::string_view text = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&text, "// ")) {
      absl::StrAppend(&comment, comment.empty() ? "" : " ", text);
      continue;
    }
    if (absl::ConsumePrefix(&text, "ERROR_REASON_")) {
      const std::string value(text);
      const size_t equals = value.find(" = ");
      const size_t colon = comment.find(": ");
      REQUIRE(equals != std::string::npos);
      // Numbers follow the order, so that none is ever used for another reason.
      CHECK(value.substr(equals) == absl::StrCat(" = ", rows.size(), ";"));
      if (colon == std::string::npos) {
        rows.push_back({value.substr(0, equals), "", ""});
      } else {
        rows.push_back({value.substr(0, equals), comment.substr(0, colon),
                        std::string(absl::StripSuffix(comment.substr(colon + 2), "."))});
      }
    }
    comment.clear();
  }
  return rows;
}

}  // namespace

TEST_CASE("Reasons: the proto's enum has the same names, order, codes and advice", "[unit][base]") {
  std::vector<Row> of_proto = RowsOfProto();
  REQUIRE_FALSE(of_proto.empty());
  CHECK(of_proto.front().name == "UNSPECIFIED");
  of_proto.erase(of_proto.begin());

  const std::vector<Row> of_code = RowsOfCode();
  REQUIRE(of_code.size() == of_proto.size());
  for (size_t i = 0; i < of_code.size(); ++i) CHECK(of_code[i] == of_proto[i]);
}

TEST_CASE("Refuse: the status tells its reason, code, advice and details", "[unit][base]") {
  const absl::Status status =
      Refuse(Reason::kInsufficientPoints, "the card", {{"available_points", "40"}});

  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(std::string(status.message()) == "the card: fewer points are available than asked for");
  CHECK(ReasonOf(status) == Reason::kInsufficientPoints);
  CHECK(DetailsOf(status) == ReasonDetails{{"available_points", "40"}});
}

TEST_CASE("ReasonOf: a status that nobody refused with has no reason", "[unit][base]") {
  CHECK_FALSE(ReasonOf(absl::OkStatus()));
  CHECK_FALSE(ReasonOf(absl::InternalError("x")));
  CHECK(DetailsOf(absl::InternalError("x")).empty());
}

TEST_CASE("ReasonFromName: finds each reason by its name and nothing else", "[unit][base]") {
  CHECK(ReasonFromName("CARD_NOT_FOUND") == Reason::kCardNotFound);
  CHECK_FALSE(ReasonFromName("card_not_found"));
  CHECK_FALSE(ReasonFromName(""));
}

}  // namespace guilder
