// Another programme's file, row by row.
#include <string>

#include "services/cli/importing/member_mapping.h"
#include "services/cli/importing/member_rows.h"
#include "tests/support/catch2.h"

namespace guilder::cli::importing {
namespace {

constexpr char kMapping[] = R"(
[file]
delimiter = ";"
decimal = ","
thousands = "."
[member]
reference = { column = "Kunde" }
given_name = { column = "Vorname" }
phone = { column = "Telefon" }
card = { column = "Karten" }
card_separator = ","
[lot]
issuer = { column = "Partner", values = { "01" = "fresh" } }
points = { column = "Punkte" }
expires = { column = "Bis" }
date_format = "%d.%m.%Y"
zone = "Europe/Berlin"
[control]
points = 1680
members = 2
)";
constexpr char kHeader[] = "Kunde;Vorname;Telefon;Karten;Partner;Punkte;Bis\n";

MemberMapping TheMapping() {
  auto mapping = ParseMemberMapping(kMapping);
  INFO(mapping.status().ToString());
  REQUIRE(mapping.ok());
  return *std::move(mapping);
}

TEST_CASE("Member rows: rows of one reference are one member with several lots",
          "[unit][cli][inv-110]") {
  const auto work = ReadMemberWork(std::string(kHeader) +
                                       "7;Ada;+49301;1,2;01;1.500;31.12.2026\n"
                                       "8;Eve;+49302;;01;0;\n"
                                       "7;Ada;+49301;1,2;books;180;\n",
                                   TheMapping());

  REQUIRE(work.ok());
  REQUIRE(work->items.size() == 2);
  const MemberItem& ada = work->items[0];
  CHECK(ada.rows == std::vector<int64_t>{0, 2});
  CHECK(ada.request.card_numbers_size() == 2);
  REQUIRE(ada.request.lots_size() == 2);
  CHECK(ada.request.lots(0).issuer() == "partners/fresh");
  CHECK(ada.request.lots(0).points() == 1'500);
  // The end of the day in Berlin.
  CHECK(ada.request.lots(0).expires_at().seconds() == 1'798'758'000);
  CHECK_FALSE(ada.request.lots(1).has_expires_at());
  CHECK(work->items[1].request.lots_size() == 0);
  CHECK(work->points == 1'680);
  CHECK(CheckControl(*work, TheMapping().control).ok());
}

TEST_CASE("Member rows: the request id follows from what the rows say", "[unit][cli][inv-110]") {
  const auto id = [](const std::string& row) {
    const auto work = ReadMemberWork(kHeader + row, TheMapping());
    return work->items.at(0).request.request_id();
  };
  CHECK(id("7;Ada;;1;01;10;\n") == id("7;Ada;;1;01;10;\n"));
  CHECK(id("7;Ada;;1;01;10;\n") != id("8;Ada;;1;01;10;\n"));
  CHECK(id("7;Ada;;1;01;10;\n") != id("7;Ada;;1;01;11;\n"));
}

TEST_CASE("Member rows: a malformed row refuses its member, and says where", "[unit][cli]") {
  for (const auto& [rows, what] :
       {std::pair("7;Ada;;1;01;ten;\n", "line 2: 'ten' is no number of points"),
        std::pair("7;Ada;;1;01;-1;\n", "line 2: '-1' is no number of points"),
        std::pair("7;Ada;;1;01;1;2026-12-31\n", "line 2: '2026-12-31' is no date like %d.%m.%Y"),
        std::pair(";Ada;;1;01;1;\n", "line 2: it has no reference"),
        std::pair("7;Ada;;1\n", "line 2: it has 4 fields, the header 7"),
        std::pair("7;Ada;;1;01;1;\n7;Eve;;1;01;1;\n",
                  "line 3: it says something else of the member than the row before")}) {
    const auto work = ReadMemberWork(std::string(kHeader) + rows, TheMapping());
    REQUIRE(work.ok());
    CHECK(work->items.at(0).refusal.reason == "REQUEST_MALFORMED");
    CHECK(work->items.at(0).refusal.detail == what);
  }
}

TEST_CASE("Member rows: a file that differs from its control total is not begun",
          "[unit][cli][inv-110]") {
  const auto work = ReadMemberWork(std::string(kHeader) + "7;Ada;;1;01;10;\n", TheMapping());
  const absl::Status checked = CheckControl(*work, TheMapping().control);
  CHECK(checked.message() ==
        "the file differs from its control total: it has 1 members, and not 2; 10 points, and not "
        "1680");
}

TEST_CASE("Member mapping: what it does not know is a mistake", "[unit][cli]") {
  CHECK_FALSE(ParseMemberMapping("[member]\nreference = { column = \"a\" }\n").ok());
  CHECK_FALSE(ParseMemberMapping(std::string(kMapping) + "[other]\n").ok());
  CHECK_FALSE(ParseMemberMapping("[member]\nname = \"x\"\n[lot]\n").ok());
  CHECK_FALSE(ParseMemberMapping("[member]\nreference = { column = \"a\" }\n[lot]\nissuer = \"x\"\n"
                                 "points = { column = \"p\" }\n[control]\npoints = -1\n")
                  .ok());
}

}  // namespace
}  // namespace guilder::cli::importing
