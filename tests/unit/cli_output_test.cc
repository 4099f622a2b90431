#include <sstream>

#include <nlohmann/json.hpp>

#include "libs/base/reason.h"
#include "services/cli/output/exit_code.h"
#include "services/cli/output/format.h"
#include "services/cli/output/output.h"
#include "services/cli/output/printable.h"
#include "services/cli/output/progress.h"
#include "services/cli/output/table.h"
#include "tests/support/catch2.h"

namespace guilder::cli {
namespace {

using Value = nlohmann::ordered_json;

constexpr Terminal kPipe{};
constexpr Terminal kScreen{true, true, false, 80};

Table AnExample() {
  Table table({{"PARTNER"}, {"POINTS", Align::kRight}});
  table.AddRow({"grocer", "1,234"});
  table.AddRow({"café", "7"});
  table.AddRule();
  table.AddRow({"total", "1,241"});
  return table;
}

TEST_CASE("Table: a terminal gets a box", "[unit][cli]") {
  CHECK(AnExample().Render(kScreen) ==
        "┌─────────┬────────┐\n"
        "│ PARTNER │ POINTS │\n"
        "├─────────┼────────┤\n"
        "│ grocer  │  1,234 │\n"
        "│ café    │      7 │\n"
        "├─────────┼────────┤\n"
        "│ total   │  1,241 │\n"
        "└─────────┴────────┘\n");
}

TEST_CASE("Table: a pipe gets aligned lines without escapes or trailing spaces", "[unit][cli]") {
  CHECK(AnExample().Render(kPipe) ==
        "PARTNER  POINTS\n"
        "grocer    1,234\n"
        "café          7\n"
        "total     1,241\n");

  Table last_is_left({{"A"}, {"B"}});
  last_is_left.AddRow({"1", ""});
  CHECK(last_is_left.Render(kPipe) == "A  B\n1\n");
}

TEST_CASE("Output: what others wrote is shown, and not obeyed", "[unit][cli]") {
  CHECK(Printable("caf\u00e9 \u20ac 5\nand more") == "caf\u00e9 \u20ac 5\nand more");
  CHECK(Printable("small\x1b[2K\rpaid\x7f") == "small?[2K?paid?");
  CHECK(Printable(std::string_view("a\0b", 3)) == "a?b");
  CHECK(Printable("a\u009b2Kb\u202ec\u2066d\u200fe\u061cf") == "a?2Kb?c?d?e?f");
  CHECK(Printable("\xe2\x80") == "\xe2\x80");

  Table table({{"NOTE"}});
  table.AddRow({"tiny\x1b[1A\nlarge"});
  CHECK(table.Render(kPipe) == "NOTE\ntiny?[1A large\n");
  std::ostringstream out;
  Output output(Format::kTable, out, kPipe);
  output.Record({{"note", "tiny\x1b[1A\nlarge"}}, {{"Note", "note"}});
  CHECK(out.str() == "Note  tiny?[1A large\n");
}

TEST_CASE("Table: a narrow terminal cuts text, never numbers", "[unit][cli]") {
  Table table({{"NAME"}, {"AMOUNT", Align::kRight}});
  table.AddRow({"a rather long name", "1,000,000"});

  CHECK(table.Render({true, true, false, 24}) ==
        "┌──────────┬───────────┐\n"
        "│ NAME     │    AMOUNT │\n"
        "├──────────┼───────────┤\n"
        "│ a rathe… │ 1,000,000 │\n"
        "└──────────┴───────────┘\n");
  CHECK(table.Render({true, false, false, 5}).find("1,000,000") != std::string::npos);
}

TEST_CASE("Table: headings are bold only where colour is welcome", "[unit][cli]") {
  CHECK(AnExample().Render({true, true, true, 80}).find("\x1b[1mPARTNER\x1b[0m") !=
        std::string::npos);
  CHECK(AnExample().Render(kScreen).find('\x1b') == std::string::npos);
}

TEST_CASE("Format: numbers and money are grouped, signs and exponents right", "[unit][cli]") {
  CHECK(WithThousands(0) == "0");
  CHECK(WithThousands(999) == "999");
  CHECK(WithThousands(-1234567) == "-1,234,567");
  CHECK(WithThousands(INT64_MIN) == "-9,223,372,036,854,775,808");
  CHECK(MoneyText(123456, "EUR") == "1,234.56 EUR");
  CHECK(MoneyText(-5, "EUR") == "-0.05 EUR");
  CHECK(MoneyText(1500, "JPY") == "1,500 JPY");
  CHECK(MoneyText(1234567, "KWD") == "1,234.567 KWD");
  CHECK(MoneyText(100, "") == "1.00");
}

TEST_CASE("Format: durations choose their unit", "[unit][cli]") {
  CHECK(DurationText(0.0123) == "12 ms");
  CHECK(DurationText(0.9999) == "1.0 s");
  CHECK(DurationText(59.94) == "59.9 s");
  CHECK(DurationText(59.97) == "1 min 00 s");
  CHECK(DurationText(7380) == "2 h 03 min");
}

TEST_CASE("Format: a sparkline spans the smallest to the largest value", "[unit][cli]") {
  CHECK(Sparkline({0, 1, 2, 3, 4, 5, 6, 7}, true) == "▁▂▃▄▅▆▇█");
  CHECK(Sparkline({5, 5}, true) == "▁▁");
  CHECK(Sparkline({0, 10}, false) == "_#");
  CHECK(Sparkline({}, true).empty());
}

TEST_CASE("Format: text is cut between code points", "[unit][cli]") {
  CHECK(Ellipsize("Köln", 4, true) == "Köln");
  CHECK(Ellipsize("Köln", 3, true) == "Kö…");
  CHECK(Ellipsize("Köln", 1, false) == "~");
}

TEST_CASE("ProgressBar: shows share, rate and time left on a terminal", "[unit][cli]") {
  std::ostringstream out;
  double now = 100;
  ProgressBar bar(out, kScreen, "Purchases", 2000, [&] { return now; });

  now += 0.05;
  bar.Advance(10);
  CHECK(out.str().empty());
  now += 0.95;
  bar.Advance(990);
  CHECK(out.str() ==
        "\rPurchases [██████████░░░░░░░░░░] 1,000 / 2,000 · 1,000/s · 1.0 s left\x1b[K");

  now += 1;
  bar.Advance(1000);
  bar.Finish();
  const std::string last = out.str().substr(out.str().rfind('\r'));
  CHECK(last == "\rPurchases [████████████████████] 2,000 / 2,000 · 1,000/s · in 2.0 s\x1b[K\n");
}

TEST_CASE("ProgressBar: says nothing in a pipe", "[unit][cli]") {
  std::ostringstream out;
  double now = 0;
  {
    ProgressBar bar(out, kPipe, "Purchases", 10, [&] { return now; });
    now += 5;
    bar.Advance(10);
  }
  CHECK(out.str().empty());
}

TEST_CASE("Output: a list is a table for people and a list for machines", "[unit][cli]") {
  const Value rows = Value::parse(R"([{"name":"a","lines":["x","y"],"n":1200,"open":true,
      "price":{"currency_code":"EUR","minor_units":-150},"tax":190000,"at":"2026-01-31T12:00:00Z"}])");
  const std::vector<Field> fields = {{"NAME", "name"},
                                     {"LINES", "lines"},
                                     {"N", "n", Show::kNumber},
                                     {"OPEN", "open"},
                                     {"PRICE", "price", Show::kMoney},
                                     {"UNITS", "price.minor_units", Show::kNumber},
                                     {"TAX", "tax", Show::kRate},
                                     {"AT", "at", Show::kTime},
                                     {"NONE", "no.such"},
                                     {"ELSE", "no.such", Show::kNumber, "any"}};
  std::ostringstream people;
  Output(Format::kTable, people, kPipe).List(rows, fields);
  CHECK(people.str() ==
        "NAME  LINES      N  OPEN      PRICE  UNITS   TAX  AT                   NONE  ELSE\n"
        "a     x, y   1,200  yes   -1.50 EUR   -150  19 %  2026-01-31 12:00:00         any\n");

  std::ostringstream machines;
  Output output(Format::kJson, machines, kPipe);
  output.Text("not for machines");
  output.List(rows, fields);
  CHECK(Value::parse(machines.str()) == rows);
}

TEST_CASE("Output: a record shows the fields that it has", "[unit][cli]") {
  const Value record = Value::parse(R"({"name":"partners/grocer","points":5000})");
  const std::vector<Field> fields = {
      {"Name", "name"}, {"Points", "points", Show::kNumber}, {"State", "state"}};
  std::ostringstream people;
  Output(Format::kTable, people, kPipe).Record(record, fields);
  CHECK(people.str() == "Name    partners/grocer\nPoints  5,000\n");
}

TEST_CASE("Output: an empty list says so to people and is a list for machines", "[unit][cli]") {
  std::ostringstream people;
  Output(Format::kTable, people, kPipe).List(Value::array(), {{"NAME", "name"}}, "no partners");
  CHECK(people.str() == "no partners\n");
  std::ostringstream machines;
  Output(Format::kJson, machines, kPipe).List(Value::array(), {{"NAME", "name"}});
  CHECK(machines.str() == "[]\n");
}

TEST_CASE("ErrorText: a refusal names its reason and its facts", "[unit][cli]") {
  const absl::Status refusal =
      Refuse(Reason::kInsufficientPoints, "card 42", {{"available_points", "40"}});

  CHECK(ErrorText(refusal, "some-id") ==
        "refused: INSUFFICIENT_POINTS: card 42: fewer points are available than asked for\n"
        "  available_points: 40\n");
  CHECK(ExitCodeOf(refusal) == ExitCode::kRefused);
}

TEST_CASE("ErrorText: an unknown outcome says how to repeat safely", "[unit][cli]") {
  const absl::Status lost = absl::UnavailableError("connection reset");

  CHECK(ErrorText(lost, "0b0e") ==
        "no answer: UNAVAILABLE: connection reset\n"
        "  the outcome is unknown: repeat the command with --request-id 0b0e\n");
  CHECK(ExitCodeOf(lost) == ExitCode::kOutcomeUnknown);
  CHECK(ExitCodeOf(Refuse(Reason::kQueueFull)) == ExitCode::kRefused);
  CHECK(ExitCodeOf(absl::OkStatus()) == ExitCode::kDone);
}

}  // namespace
}  // namespace guilder::cli
