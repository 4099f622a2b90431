// What banks send: statements and status reports, and what is not one.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "libs/base/reason.h"
#include "libs/iso20022/camt053.h"
#include "libs/iso20022/pain002.h"
#include "tests/support/catch2.h"

namespace guilder::iso20022 {
namespace {

constexpr Currency kEuro{'E', 'U', 'R'};

std::string DataFile(const std::string& name) {
  const char* source = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(source != nullptr);
  std::ifstream file(std::string(source) + "/tests/data/" + name, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

StatementFile AFile() {
  StatementEntry out;
  out.bank_reference = "B-1";
  out.amount = {kEuro, 5'796'000};
  out.booked = true;
  out.booked_on = absl::CivilDay(2026, 1, 3);
  out.payments = {{.end_to_end_id = "GLD-1-3",
                   .amount = {kEuro, 5'796'000},
                   .credit = false,
                   .counterparty_name = "Blumen & Söhne <b>",
                   .counterparty_account = "DE02500105170137075030",
                   .remittance = "Loyalty points",
                   .return_reason = ""}};
  StatementEntry in = out;
  in.bank_reference = "B-2";
  in.credit = true;
  in.amount = {kEuro, 300'000};
  in.payments = {{.end_to_end_id = "A", .amount = {kEuro, 100'000}, .credit = true},
                 {.end_to_end_id = "B", .amount = {kEuro, 200'000}, .credit = true}};
  BankStatement statement;
  statement.id = "S-1";
  statement.account = "DE89370400440532013000";
  statement.opening = StatementBalance{{kEuro, 10'000'000}, true};
  statement.closing = StatementBalance{{kEuro, 4'504'000}, true};
  statement.entries = {out, in};
  return {"M-1", {statement}};
}

std::string AStatement() {
  return WriteCamt053(AFile(), Timestamp(1'767'400'000'000'000), absl::CivilDay(2026, 1, 3));
}

// The statement with one text in the place of another, which stands in it.
std::string With(const std::string& text, const std::string& other) {
  const std::string file = AStatement();
  REQUIRE(file.find(text) != std::string::npos);
  return absl::StrReplaceAll(file, {{text, other}});
}

std::string ErrorOf(const std::string& file) {
  const auto read = ReadCamt053(file);
  if (read.ok()) return "it was read";
  CHECK(ReasonOf(read.status()) == Reason::kRequestMalformed);
  return std::string(read.status().message());
}

void CheckRefused(const std::string& file, const std::string& what) {
  const std::string error = ErrorOf(file);
  INFO(error);
  CHECK(absl::StrContains(error, what));
}

TEST_CASE("ReadCamt053: the public sample is read", "[unit][iso20022][inv-92]") {
  const auto file = ReadCamt053(DataFile("camt053_genkgo.v8.xml"));

  REQUIRE(file.ok());
  CHECK(file->message_id == "CAMT053RIB000000000001");
  REQUIRE(file->statements.size() == 1);
  const BankStatement& statement = file->statements[0];
  CHECK(statement.account == "NL26VAYB8060476890");
  REQUIRE(statement.opening.has_value());
  CHECK(statement.opening->amount.hundred_thousandths == 1'815'000);
  REQUIRE(statement.entries.size() == 1);
  const StatementEntry& entry = statement.entries[0];
  CHECK(entry.bank_reference == "AAAASESS-FP-CN_98765/01");
  CHECK(entry.credit);
  CHECK(entry.booked);
  CHECK(entry.booked_on == absl::CivilDay(2014, 12, 31));
  REQUIRE(entry.payments.size() == 1);
  CHECK(entry.payments[0].end_to_end_id == "MUELL/FINP/RA12345");
  // Its details speak of no krona at all; booked are euros.
  CHECK(entry.payments[0].amount == BankAmount{kEuro, 885'000});
  CHECK(entry.payments[0].counterparty_name == "NAME NAME");
  CHECK(entry.payments[0].counterparty_account == "NL56AGDH9619008421");
  CHECK(entry.payments[0].remittance == "4654654654654654");
}

TEST_CASE("ReadPain002: the public sample is read", "[unit][iso20022][inv-92]") {
  const auto report = ReadPain002(DataFile("pain002_moov.v11.xml"));

  REQUIRE(report.ok());
  CHECK(report->message_id == "MsgId");
  CHECK(report->original_message_id == "OrgnlMsgId");
  CHECK(report->transfers.empty());
}

TEST_CASE("ReadCamt053: what was written is read", "[unit][iso20022]") {
  const StatementFile written = AFile();

  const auto read = ReadCamt053(AStatement());

  REQUIRE(read.ok());
  REQUIRE(read->statements.size() == 1);
  const BankStatement& statement = read->statements[0];
  CHECK(statement.account == "DE89370400440532013000");
  CHECK(statement.closing->amount.hundred_thousandths == 4'504'000);
  REQUIRE(statement.entries.size() == 2);
  const StatementPayment& payment = statement.entries[0].payments.at(0);
  CHECK(payment.end_to_end_id == "GLD-1-3");
  CHECK_FALSE(payment.credit);
  CHECK(payment.counterparty_name == "Blumen & Söhne <b>");
  CHECK(payment.counterparty_account == "DE02500105170137075030");
  CHECK(InMinorUnits(payment.amount, 2) == MinorUnits(5'796));
  REQUIRE(statement.entries[1].payments.size() == 2);
  CHECK(statement.entries[1].payments[1].end_to_end_id == "B");
}

TEST_CASE("ReadCamt053: another prefix and the older versions are read", "[unit][iso20022]") {
  std::string prefixed = absl::StrReplaceAll(
      AStatement(), {{"</", "</n:"}, {"<Document xmlns=", "<n:Document xmlns:n="}});
  for (const char* const name :
       {"BkToCstmrStmt", "GrpHdr",    "MsgId", "CreDtTm",  "Stmt",      "Id",
        "Acct",          "IBAN",      "Bal",   "Tp",       "CdOrPrtry", "Cd",
        "Amt",           "CdtDbtInd", "Dt",    "Ntry",     "Sts",       "BookgDt",
        "AcctSvcrRef",   "BkTxCd",    "Prtry", "NtryDtls", "TxDtls",    "Refs",
        "EndToEndId",    "RltdPties", "Cdtr",  "Pty",      "Nm",        "CdtrAcct",
        "RmtInf",        "Ustrd"}) {
    prefixed = absl::StrReplaceAll(
        prefixed, {{absl::StrCat("<", name, ">"), absl::StrCat("<n:", name, ">")},
                   {absl::StrCat("<", name, " "), absl::StrCat("<n:", name, " ")}});
  }
  const std::string old = absl::StrReplaceAll(
      AStatement(), {{"camt.053.001.08", "camt.053.001.02"}, {"<Pty>", ""}, {"</Pty>", ""}});

  for (const std::string& file : {prefixed, old}) {
    const auto read = ReadCamt053(file);
    INFO(read.status().ToString());
    REQUIRE(read.ok());
    CHECK(read->statements[0].entries[0].payments[0].counterparty_name == "Blumen & Söhne <b>");
  }
}

TEST_CASE("ReadCamt053: details that do not add up are not believed", "[unit][iso20022]") {
  const auto read =
      ReadCamt053(With("<Amt Ccy=\"EUR\">1.00000</Amt>", "<Amt Ccy=\"EUR\">1.01</Amt>"));

  REQUIRE(read.ok());
  const StatementEntry& entry = read->statements[0].entries[1];
  REQUIRE(entry.payments.size() == 1);
  CHECK(entry.payments[0].end_to_end_id.empty());
  CHECK(entry.payments[0].amount == BankAmount{kEuro, 300'000});
}

TEST_CASE("ReadCamt053: a payment that came back says so", "[unit][iso20022]") {
  StatementFile file = AFile();
  StatementEntry& entry = file.statements[0].entries[0];
  entry.credit = true;
  entry.reversal = true;
  entry.payments[0].credit = true;
  const absl::CivilDay day(2026, 1, 3);
  const auto unstated = ReadCamt053(WriteCamt053(file, Timestamp(0), day));
  entry.payments[0].return_reason = "AC04";

  const auto stated = ReadCamt053(WriteCamt053(file, Timestamp(0), day));

  REQUIRE(unstated.ok());
  CHECK(unstated->statements[0].entries[0].payments[0].return_reason == "UNSTATED");
  REQUIRE(stated.ok());
  CHECK(stated->statements[0].entries[0].payments[0].return_reason == "AC04");
  CHECK(stated->statements[0].entries[0].payments[0].counterparty_name == "Blumen & Söhne <b>");
}

TEST_CASE("ReadCamt053: what is not a statement is refused with the reason",
          "[unit][iso20022][inv-92]") {
  CheckRefused("", "not XML");
  CheckRefused("EndToEndId;Amount\n1;2", "not XML");
  CheckRefused(AStatement().substr(0, 900), "it ends");
  CheckRefused(With("camt.053.001.08", "camt.053.001.99"), "namespace");
  CheckRefused(With("camt.053.001.08", "camt.054.001.08"), "namespace");
  CheckRefused(With("<MsgId>M-1</MsgId>", ""), "MsgId> is missing");
  CheckRefused(With("<MsgId>M-1</MsgId>", "<MsgId>M-1</MsgId><MsgId>M-2</MsgId>"), "stands twice");
  CheckRefused(With("GLD-1-3", std::string(36, 'x')), "longer than 35");
  CheckRefused(With("<CdtDbtInd>DBIT", "<CdtDbtInd>MAYBE"), "CdtDbtInd");
  CheckRefused(With("<Dt>2026-01-03</Dt>", "<Dt>2026-02-30</Dt>"), "not a date");
}

TEST_CASE("ReadCamt053: wrong numbers are refused", "[unit][iso20022][inv-92]") {
  for (const char* const amount : {"-57.96", "57,96", "5.7e1", "57.961234", "", " ", "NaN", "0x10",
                                   "1 000.00", "99999999999999999999", "-0.00", "57.96EUR"}) {
    INFO(amount);
    CheckRefused(With(">57.96000</Amt>", absl::StrCat(">", amount, "</Amt>")), "Amt");
  }
  CheckRefused(With("Ccy=\"EUR\">57.96", "Ccy=\"euro\">57.96"), "currency");
  CheckRefused(With("<Amt Ccy=\"EUR\">57.96", "<Amt>57.96"), "currency");
}

TEST_CASE("ReadCamt053: hostile files are refused before they cost anything",
          "[unit][iso20022][inv-92]") {
  const std::string bomb =
      "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]>"
      "<Document>&lol2;</Document>";
  CheckRefused(bomb, "document type");
  CheckRefused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type");
  CheckRefused(With("M-1", "&lol;"), "entity");
  CheckRefused(With("M-1", "&#0;"), "numbered character");
  CheckRefused(With("M-1", "&#xD800;"), "numbered character");
  CheckRefused(With("M-1", "&#x9B;2J"), "numbered character");
  CheckRefused(With("M-1", "\xC2\x9B"), "character");
  CheckRefused(With("M-1", std::string("a\0b", 3)), "character");
  CheckRefused(With("M-1", "\xC0\xAF"), "UTF-8");
  CheckRefused(With("encoding=\"UTF-8\"", "encoding=\"UTF-16\""), "UTF-8");

  std::string deep;
  for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
  CheckRefused(deep, "nested too deeply");
  std::string many = "<a>";
  for (int i = 0; i < 1'100'000; ++i) many += "<b/>";
  CheckRefused(many, "a million elements");
}

TEST_CASE("ReadCamt053: a file of 100 MB is refused unread", "[unit][iso20022][inv-92]") {
  const auto read = ReadCamt053(std::string(100'000'000, ' '));

  CHECK(ReasonOf(read.status()) == Reason::kRequestTooLarge);
}

std::string AReport(const std::string& group, const std::string& batch) {
  return absl::StrCat(
      "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.11\"><CstmrPmtStsRpt><GrpHdr>"
      "<MsgId>R-1</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>GLD-1</OrgnlMsgId>"
      "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>",
      group, "</OrgnlGrpInfAndSts>", batch, "</CstmrPmtStsRpt></Document>");
}

TEST_CASE("ReadPain002: a payment has its own status, or its batch's, or its file's",
          "[unit][iso20022]") {
  const auto report = ReadPain002(AReport(
      "<GrpSts>PART</GrpSts>",
      "<OrgnlPmtInfAndSts><PmtInfSts>ACSC</PmtInfSts><TxInfAndSts><OrgnlEndToEndId>GLD-1-2"
      "</OrgnlEndToEndId></TxInfAndSts><TxInfAndSts><OrgnlEndToEndId>GLD-1-3</OrgnlEndToEndId>"
      "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf>"
      "</StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>"));

  REQUIRE(report.ok());
  REQUIRE(report->transfers.size() == 2);
  CHECK(IsSettled(report->transfers[0].status));
  CHECK(IsRejected(report->transfers[1].status));
  CHECK(report->transfers[1].status.reason == "AC04");
  CHECK(report->transfers[1].status.text == "closed");
}

TEST_CASE("ReadPain002: a file that is rejected as a whole says so", "[unit][iso20022]") {
  const auto by_group = ReadPain002(AReport("<GrpSts>RJCT</GrpSts>", ""));
  const auto by_batch = ReadPain002(
      AReport("", "<OrgnlPmtInfAndSts><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>"));

  REQUIRE(by_group.ok());
  CHECK(IsRejected(by_group->group));
  REQUIRE(by_batch.ok());
  CHECK(IsRejected(by_batch->group));
  CHECK(ReasonOf(ReadPain002(AStatement()).status()) == Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::iso20022
