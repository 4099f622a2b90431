#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/iso20022/iban.h"
#include "libs/iso20022/pain001.h"
#include "tests/support/catch2.h"

namespace guilder::iso20022 {
namespace {

constexpr char kGermanIban[] = "DE89370400440532013000";
constexpr char kDutchIban[] = "NL91ABNA0417164300";

std::string DataFile(const std::string& name) {
  const char* source = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(source != nullptr);
  return std::string(source) + "/tests/data/" + name;
}

// The records of a CSV file without its header; only the fields before `count` matter.
std::vector<std::vector<std::string>> Records(const std::string& name) {
  std::ifstream file(DataFile(name));
  REQUIRE(file.good());
  std::vector<std::vector<std::string>> records;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) records.push_back(absl::StrSplit(line, ','));
  REQUIRE_FALSE(records.empty());
  return records;
}

PaymentFile APaymentFile() {
  PaymentFile file;
  file.message_id = "GUILDER-2026-03";
  file.created_at = Timestamp(1'773'092'858'000'000);
  file.initiating_party = "Guilder Programme";
  file.debtor_name = "Guilder Programme";
  file.debtor_iban = kGermanIban;
  file.execution_date = absl::CivilDay(2026, 3, 11);
  file.currency = {'E', 'U', 'R'};
  file.transfers = {
      {"S1-FLORIST", MinorUnits(5'796), "Tulip Corner Florists", kDutchIban, "Settlement 1"},
      {"S1-FUEL", MinorUnits(9), "Ring Road & Söhne", kGermanIban, ""}};
  return file;
}

std::optional<Reason> RefusalOf(const PaymentFile& file) {
  return ReasonOf(WritePain001(file).status());
}

// Whether xmllint finds the text valid; it must be installed.
bool IsValid(const std::string& xml) {
  char path[] = "/tmp/guilder_pain001_XXXXXX";
  const int descriptor = mkstemp(path);
  REQUIRE(descriptor >= 0);
  FILE* file = fdopen(descriptor, "w");
  std::fwrite(xml.data(), 1, xml.size(), file);
  std::fclose(file);
  const std::string command =
      "xmllint --noout --schema '" + DataFile("pain.001.001.09.xsd") + "' " + path + " 2>/dev/null";
  const int code = std::system(command.c_str());
  std::remove(path);
  return code == 0;
}

// "AD2!n4!n4!n12!c" → "8n12c", one run after the other.
std::string JoinedRuns(const std::string& registry_structure) {
  std::string joined;
  int length = 0, run = 0;
  char kind = 0;
  for (const char c : registry_structure.substr(5)) {
    if (c >= '0' && c <= '9') {
      length = length * 10 + (c - '0');
    } else if (c != '!') {
      if (kind != 0 && c != kind) {
        joined += std::to_string(run) + kind;
        run = 0;
      }
      run += length;
      kind = c;
      length = 0;
    }
  }
  return joined + std::to_string(run) + kind;
}

TEST_CASE("Iban: the table is the registry's", "[unit][iso20022]") {
  const auto records = Records("iban_registry.csv");
  CHECK(records.size() == 89);
  for (const auto& record : records) {
    INFO(record[0]);
    CHECK(IbanStructure(record[0]) == JoinedRuns(record[1]));
    for (const std::string& territory :
         std::vector<std::string>(absl::StrSplit(record[2], ' ', absl::SkipEmpty()))) {
      CHECK(IbanStructure(territory) == IbanStructure(record[0]));
    }
  }
  CHECK_FALSE(IbanStructure("ZZ").has_value());
  CHECK_FALSE(IbanStructure("").has_value());
}

TEST_CASE("Iban: the public vectors hold", "[unit][iso20022]") {
  int checked = 0;
  for (const auto& record : Records("iban_vectors.csv")) {
    const std::string iban = NormaliseIban(record[0]);
    const std::string& expected = record[1];
    INFO(iban << " " << expected);
    // Valid for one suite, but the country is not in the registry.
    if (iban.substr(0, 2) == "CI") continue;
    if (expected == "valid") CHECK(CheckIban(iban).ok());
    if (expected == "invalid") CHECK(ReasonOf(CheckIban(iban)) == Reason::kIbanInvalid);
    if (expected == "checksum-valid") CHECK(IbanCheckDigitsFit(iban));
    if (expected == "checksum-invalid") CHECK_FALSE(IbanCheckDigitsFit(iban));
    ++checked;
  }
  CHECK(checked > 150);
}

TEST_CASE("Iban: check digits 00, 01 and 99 never fit", "[unit][iso20022]") {
  // Each has a twin with the same remainder: 97, 98 and 02.
  for (int account = 0; account < 1'000; ++account) {
    char number[64];
    for (const char* digits : {"00", "01", "99"}) {
      std::snprintf(number, sizeof number, "DE%s3704004405320%05d", digits, account);
      CHECK_FALSE(CheckIban(number).ok());
    }
  }
}

TEST_CASE("Iban: an error does not repeat the number", "[unit][iso20022]") {
  const absl::Status status = CheckIban("DE88370400440532013000");
  CHECK(std::string(status.message()).find("0532013000") == std::string::npos);
}

TEST_CASE("Pain001: the file validates and says what it was told", "[unit][iso20022]") {
  const absl::StatusOr<std::string> xml = WritePain001(APaymentFile());
  INFO(xml.status().ToString());
  REQUIRE(xml.ok());
  INFO(*xml);
  CHECK(IsValid(*xml));
  for (const char* part : {"<NbOfTxs>2</NbOfTxs>", "<CtrlSum>58.05</CtrlSum>",
                           "<InstdAmt Ccy=\"EUR\">57.96</InstdAmt>",
                           "<InstdAmt Ccy=\"EUR\">0.09</InstdAmt>", "<Nm>Ring Road + Soehne</Nm>",
                           "<Dt>2026-03-11</Dt>", "<CreDtTm>2026-03-09T21:47:38Z</CreDtTm>",
                           "<Id>NOTPROVIDED</Id>", "<Ustrd>Settlement 1</Ustrd>"}) {
    INFO(part);
    CHECK(xml->find(part) != std::string::npos);
  }
  CHECK(*xml == *WritePain001(APaymentFile()));
}

TEST_CASE("Pain001: a BIC and other currencies validate too", "[unit][iso20022]") {
  PaymentFile file = APaymentFile();
  file.debtor_bic = "COBADEFFXXX";
  file.batch_booking = false;
  file.currency = {'J', 'P', 'Y'};
  file.currency_exponent = 0;
  const absl::StatusOr<std::string> xml = WritePain001(file);
  REQUIRE(xml.ok());
  CHECK(IsValid(*xml));
  CHECK(xml->find("<InstdAmt Ccy=\"JPY\">5796</InstdAmt>") != std::string::npos);
}

TEST_CASE("Pain001: what a bank would send back is refused", "[unit][iso20022]") {
  PaymentFile file = APaymentFile();
  file.transfers.clear();
  CHECK(RefusalOf(file) == Reason::kRequestMalformed);

  for (const char* id :
       {"", "/A", "A/", "A//B", "Ä", "A B  C", "123456789012345678901234567890123456"}) {
    INFO(id);
    file = APaymentFile();
    file.message_id = id;
    CHECK(RefusalOf(file) == Reason::kRequestMalformed);
  }
  file = APaymentFile();
  file.transfers[1].end_to_end_id = file.transfers[0].end_to_end_id;
  CHECK(RefusalOf(file) == Reason::kRequestMalformed);
  file = APaymentFile();
  file.transfers[1].creditor_name = " \xE6\x97\xA5 ";
  CHECK(RefusalOf(file) == Reason::kRequestMalformed);
  file = APaymentFile();
  file.debtor_bic = "COBA1EFF";
  CHECK(RefusalOf(file) == Reason::kRequestMalformed);

  file = APaymentFile();
  file.debtor_iban = "DE88370400440532013000";
  CHECK(RefusalOf(file) == Reason::kIbanInvalid);
  file = APaymentFile();
  file.transfers[0].creditor_iban = "";
  CHECK(RefusalOf(file) == Reason::kIbanInvalid);

  for (const int64_t amount : {int64_t{0}, int64_t{-1}, int64_t{100'000'000'000}}) {
    file = APaymentFile();
    file.transfers[0].amount = MinorUnits(amount);
    CHECK(RefusalOf(file) == Reason::kAmountOutOfRange);
  }
}

TEST_CASE("SEPA text: accents go, lengths hold, what has no likeness is a dot",
          "[unit][iso20022]") {
  CHECK(ToSepaText("Müller & Straße_1", 70) == "Mueller + Strasse-1");
  CHECK(ToSepaText("  Žižkov \t\n Łódź ", 70) == "Zizkov Lodz");
  CHECK(ToSepaText("a\xE2\x80\x93z \xE2\x82\xAC"
                   "5 \xF0\x9F\x8C\xB7 <x>",
                   70) == "a-z EUR5 . .x.");
  CHECK(ToSepaText("\xFF\xC3", 70) == "..");
  CHECK(ToSepaText("abcä", 4) == "abc");
  CHECK(ToSepaText(std::string(200, 'x'), 70).size() == 70);
}

}  // namespace
}  // namespace guilder::iso20022
