// What an imported file's rows become: columns, dates, decimals, encodings, returns, rejects.
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

#include "services/cli/importing/answers.h"
#include "services/cli/importing/encoding.h"
#include "services/cli/importing/mapping.h"
#include "services/cli/importing/receipts.h"
#include "tests/support/catch2.h"
#include "tests/support/child_process.h"

namespace guilder::cli::importing {
namespace {

constexpr char kMapping[] = R"(
[file]
delimiter = ";"
decimal = ","
thousands = "."

[receipt]
store = { column = "Filiale", values = { "01" = "branch-1" } }
terminal = { column = "Kasse" }
number = { column = "Bon" }
cashier = { column = "Bediener" }
occurred = { column = "Zeit" }
occurred_format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"

[card]
number = { column = "Karte" }

[line]
sku = { column = "Artikel" }
quantity = { column = "Menge" }
amount = { column = "Betrag" }

[returns]
negative_quantity = true
latest_sale = true
)";

constexpr char kHeader[] = "Filiale;Kasse;Bon;Bediener;Zeit;Karte;Artikel;Menge;Betrag\n";

Mapping TestMapping() {
  const auto mapping = ParseMapping(kMapping);
  INFO(mapping.status().ToString());
  REQUIRE(mapping.ok());
  return *mapping;
}

FileWork Read(const std::string& rows, const Mapping& mapping = TestMapping()) {
  auto work = ReadFileWork(kHeader + rows, mapping, "partners/fresh");
  REQUIRE(work.ok());
  return *std::move(work);
}

std::string ErrorOf(const std::string& toml) {
  const auto mapping = ParseMapping(toml);
  return mapping.ok() ? "" : std::string(mapping.status().message());
}

TEST_CASE("ReadFileWork: rows become receipts, whatever columns, dates and decimals look like",
          "[unit][cli][accrual][inv-15]") {
  const FileWork work = Read(
      "01;2;17;anna;29.03.2026 03:30;4711;A;2;1.234,50\n"
      "01;2;18;ben;29.03.2026 09:00;4712;B;1;0,99\n"
      "01;2;17;anna;29.03.2026 03:31;4711;A;1;10\n");

  REQUIRE(work.items.size() == 2);
  CHECK(work.rows == 3);
  const auto& purchase = work.items[0].purchase;
  CHECK(purchase.receipt().store() == "partners/fresh/stores/branch-1");
  CHECK(purchase.receipt().terminal() == "2");
  CHECK(purchase.receipt().receipt_number() == "17");
  CHECK(purchase.receipt().business_date() == "2026-03-29");
  CHECK(purchase.cashier() == "anna");
  CHECK(purchase.card_number() == "4711");
  CHECK(purchase.occurred_at().seconds() == 1'774'747'800);  // 01:30 UTC, after the clocks changed
  REQUIRE(purchase.lines_size() == 2);
  CHECK(purchase.lines(0).amount_minor_units() == 123'450);
  CHECK(purchase.lines(1).line_id() == "2");
  CHECK(work.items[0].rows == std::vector<int64_t>{0, 2});
  CHECK(work.items[1].line == 3);
}

TEST_CASE(
    "ReadFileWork: a return takes the latest earlier sales of the card, and what is left none",
    "[unit][cli][accrual]") {
  const FileWork work = Read(
      "01;2;1;;01.02.2026 09:00;4711;A;2;4,00\n"
      "01;2;2;;02.02.2026 09:00;4711;A;1;2,00\n"
      "01;2;4;;04.02.2026 09:00;4711;A;5;10,00\n"
      "01;2;3;;03.02.2026 09:00;4711;A;-4;-8,00\n");

  REQUIRE(work.items.size() == 6);
  const auto& later = work.items[3].returned;
  CHECK(later.receipt().receipt_number() == "2");
  CHECK(later.return_number() == "3");
  CHECK(later.lines(0).quantity() == 1);
  const auto& earlier = work.items[4].returned;
  CHECK(earlier.receipt().receipt_number() == "1");
  CHECK(earlier.lines(0).line_id() == "1");
  CHECK(earlier.lines(0).quantity() == 2);
  const auto& rest = work.items[5].returned;
  CHECK_FALSE(rest.has_receipt());
  CHECK(rest.card_number() == "4711");
  CHECK(rest.lines(0).sku() == "A");
  CHECK(rest.lines(0).quantity() == 1);
}

TEST_CASE("ReadFileWork: a terminal's running numbers come with its receipts",
          "[unit][cli][accrual]") {
  Mapping mapping = TestMapping();
  mapping.sequence = mapping.cashier;
  mapping.cashier = {};
  const FileWork work = Read(
      "01;2;17;501;29.03.2026 03:30;4711;A;2;4,00\n"
      "01;2;18;;29.03.2026 03:31;4711;A;1;2,00\n"
      "01;2;19;-3;29.03.2026 03:32;4711;A;1;2,00\n",
      mapping);

  REQUIRE(work.items.size() == 3);
  CHECK(work.items[0].purchase.sequence_number() == 501);
  CHECK(work.items[1].purchase.sequence_number() == 0);
  CHECK(work.items[2].refusal.detail.find("no running number") != std::string::npos);
}

TEST_CASE("ReadFileWork: a malformed row refuses its whole receipt, and the reject file has it all",
          "[unit][cli][accrual]") {
  const std::string rows =
      "01;2;17;;29.03.2026 03:30;4711;\"A;1\";2;abc\n"
      "01;2;18;;29.03.2026 09:00;4712;B;1;0,99\n"
      "01;2;17;;29.03.2026 03:31;4711;A;1;10\n"
      "01;2;19;;31.02.2026 03:31;4711;A;1;10\n"
      "01;2;20;;28.02.2026 03:31;4711;A;1\n";

  const FileWork work = Read(rows);

  REQUIRE(work.items.size() == 4);
  CHECK(work.items[0].refusal.reason == "REQUEST_MALFORMED");
  CHECK(work.items[0].refusal.detail == "line 2: Betrag: 'abc' is no number");
  CHECK(work.items[1].refusal.reason.empty());
  CHECK(work.items[2].refusal.detail ==
        "line 5: '31.02.2026 03:31' is no time like %d.%m.%Y %H:%M");
  CHECK(work.items[3].refusal.detail == "line 6: it has 8 fields, the header 9");
  std::map<int64_t, Refusal> refused;
  for (const int64_t row : work.items[0].rows) refused[row] = work.items[0].refusal;
  const std::string rejects = MakeRejectFile(kHeader + rows, TestMapping().delimiter, refused);
  CHECK(rejects ==
        "Filiale;Kasse;Bon;Bediener;Zeit;Karte;Artikel;Menge;Betrag;import_line;import_reason;"
        "import_detail\n"
        "01;2;17;;29.03.2026 03:30;4711;\"A;1\";2;abc;2;REQUEST_MALFORMED;line 2: Betrag: 'abc' is "
        "no number\n"
        "01;2;17;;29.03.2026 03:31;4711;A;1;10;4;REQUEST_MALFORMED;line 2: Betrag: 'abc' is no "
        "number\n");
}

TEST_CASE("ReadFileWork: what only looks like a number, or a row, is refused",
          "[unit][cli][accrual][inv-105]") {
  const auto detail = [](const std::string& quantity, const std::string& amount) {
    const FileWork work =
        Read("01;2;17;;29.03.2026 03:30;4711;A;" + quantity + ";" + amount + "\n");
    REQUIRE(work.items.size() == 1);
    return work.items[0].refusal.detail;
  };
  CHECK(detail("1", "1.234.567,89").empty());
  CHECK(detail("1", "123.456").empty());
  CHECK(detail("-2", "-1.234,5").empty());
  CHECK(detail("2,0", "12,34").empty());
  // A decimal point where the mapping says that points separate thousands.
  for (const std::string& amount :
       {"12.34", "12.34,56", "1.2345", ".123", "1234.567", "1,234.567", "1.", "1..234"}) {
    INFO(amount);
    CHECK(detail("1", amount) == "line 2: Betrag: '" + amount + "' is no number");
  }
  CHECK(detail("1,5", "10") ==
        "line 2: Menge: '1,5' is no whole number of what quantity_digits counts");
  CHECK(detail("1", "10;50") == "line 2: it has 10 fields, the header 9");
  CHECK(detail("1", "10;;").empty());
  const FileWork huge =
      Read("01;2;17;;29.03.2026 03:30;4711;" + std::string(5'000'000, 'A') + ";1;10\n");
  CHECK(huge.items[0].refusal.detail == "line 2: its sku is longer than 1,000 bytes");
  CHECK(huge.items[0].purchase.ByteSizeLong() < 10'000);
  const auto twice =
      ReadFileWork("Filiale;Kasse;Bon;Bediener;Zeit;Karte;Artikel;Menge;Betrag;Bon\n",
                   TestMapping(), "partners/fresh");
  CHECK(twice.status().message() == "the file has two columns Bon");
}

TEST_CASE("MakeRejectFile: what was corrected is read as if it had been right at first",
          "[unit][cli][accrual][inv-14]") {
  const std::string wrong = "01;2;17;;29.03.2026 03:30;4711;A;2;abc\n";
  const std::string right = "01;2;17;;29.03.2026 03:30;4711;A;2;1,00\n";
  std::string corrected = MakeRejectFile(kHeader + wrong, TestMapping().delimiter,
                                         {{0, {"REQUEST_MALFORMED", "a, b"}}});
  corrected.replace(corrected.find("abc"), 3, "1,00");

  const auto again = ReadFileWork(corrected, TestMapping(), "partners/fresh");

  REQUIRE(again.ok());
  CHECK(RequestIdOf("partners/fresh", again->items[0]) ==
        RequestIdOf("partners/fresh", Read(right).items[0]));
  CHECK(RequestIdOf("partners/fresh", again->items[0]) !=
        RequestIdOf("partners/other", Read(right).items[0]));
  const std::string header = MakeRejectFile(corrected, TestMapping().delimiter, {});
  CHECK(header.find("import_line") == header.rfind("import_line"));
}

TEST_CASE("ReadFileWork: a receipt of more than 500 lines is cut, and two cards in one are refused",
          "[unit][cli][accrual]") {
  std::string rows;
  for (int i = 0; i < 501; ++i) rows += "01;2;17;;29.03.2026 03:30;4711;A;1;1\n";
  rows += "01;2;18;;29.03.2026 03:30;4711;A;1;1\n01;2;18;;29.03.2026 03:30;4712;A;1;1\n";

  const FileWork work = Read(rows);

  REQUIRE(work.items.size() == 3);
  CHECK(work.items[0].purchase.lines_size() == 500);
  CHECK(work.items[1].purchase.receipt().receipt_number() == "17-2");
  CHECK(work.items[1].purchase.lines(0).line_id() == "1");
  CHECK(work.items[2].refusal.detail == "line 504: another card in one receipt");
}

TEST_CASE("ParseMapping: says which line is wrong, and why", "[unit][cli]") {
  CHECK(ErrorOf("[receipt\n") != "");
  CHECK(ErrorOf("[card]\nnumber = \"1\"\n[line]\namount = \"1\"\n") == "[receipt] is missing");
  std::string misspelt = kMapping;
  misspelt.replace(misspelt.find("quantity ="), 10, "quantiti =");
  CHECK(ErrorOf(misspelt).find("[line] has no 'quantiti'") != std::string::npos);
  std::string zone = kMapping;
  zone.replace(zone.find("Europe/Berlin"), 13, "Europe/Atlantis");
  CHECK(ErrorOf(zone).find("there is no time zone 'Europe/Atlantis'") != std::string::npos);
}

TEST_CASE("Recode: reads any encoding that iconv knows, and names the line that is not in it",
          "[unit][cli]") {
  CHECK(*Recode("M\xFCll\n", "ISO-8859-1", "UTF-8") == "M\xC3\xBCll\n");
  CHECK(*Recode("\xA4", "ISO-8859-15", "UTF-8") == "\xE2\x82\xAC");
  CHECK(Recode("a\nb\xFC\n", "UTF-8", "UTF-8").status().message() == "line 2 is not in UTF-8");
  CHECK_FALSE(Recode("a", "KLINGON", "UTF-8").ok());
}

TEST_CASE("AnswerLog: keeps whole answers over a crash, and begins anew for another file",
          "[unit][cli][inv-105]") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/progress";
  {
    const auto log = AnswerLog::Open(path, "subject", 3);
    REQUIRE(log.ok());
    CHECK_FALSE((*log)->resumed());
    (*log)->AddAnswer(1, {Outcome::kRecorded, 42, "", ""});
    (*log)->AddCard("17850", "6391");
    CHECK_FALSE(AnswerLog::Open(path, "subject", 3).ok());
    REQUIRE((*log)->Flush().ok());
  }
  std::ofstream(path, std::ios::app) << "[2,1,7,\"\"";

  {
    const auto log = AnswerLog::Open(path, "subject", 3);
    REQUIRE(log.ok());
    CHECK((*log)->resumed());
    CHECK((*log)->of(1).points == 42);
    CHECK((*log)->of(2).outcome == Outcome::kNone);
    CHECK((*log)->cards().at("17850") == "6391");
    (*log)->AddAnswer(2, {Outcome::kParked, 0, "RETURN_PARKED", "parkedItems/1"});
  }
  auto log = AnswerLog::Open(path, "subject", 3);
  REQUIRE(log.ok());
  CHECK((*log)->of(2).reason == "RETURN_PARKED");
  log->reset();
  const auto other = AnswerLog::Open(path, "another subject", 3);
  REQUIRE(other.ok());
  CHECK_FALSE((*other)->resumed());
}

}  // namespace
}  // namespace guilder::cli::importing
