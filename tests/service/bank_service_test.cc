// What a bank says of payments, from its file to the obligations and the money ledger.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/iso20022/camt053.h"
#include "tests/service/settled_world.h"

namespace guilder::settlement {
namespace {

using Stub = SettledWorld::Stub;

constexpr Currency kEuro{'E', 'U', 'R'};

// A payment in a statement: cents, what names it, and what the receiver reads.
struct Told {
  bool credit = true;
  int64_t cents = 0;
  std::string end_to_end_id;
  std::string remittance;
  std::string return_reason;
  std::string bank_reference;
  bool booked = true;
};

std::string AStatement(const std::string& id, const std::vector<Told>& all,
                       const std::string& account = SettledWorld::kIban,
                       const Currency& currency = kEuro) {
  iso20022::BankStatement statement;
  statement.id = id;
  statement.account = account;
  for (const Told& told : all) {
    iso20022::StatementEntry entry;
    entry.bank_reference = told.bank_reference;
    entry.amount = {currency, told.cents * 1'000};
    entry.credit = told.credit;
    entry.booked = told.booked;
    entry.booked_on = absl::CivilDay(2026, 1, 3);
    entry.payments = {{.end_to_end_id = told.end_to_end_id,
                       .amount = entry.amount,
                       .credit = told.credit,
                       .counterparty_name = "Somebody <b>",
                       .counterparty_account = "",
                       .remittance = told.remittance,
                       .return_reason = told.return_reason}};
    statement.entries.push_back(std::move(entry));
  }
  return iso20022::WriteCamt053({id, {statement}}, Timestamp(0), absl::CivilDay(2026, 1, 3));
}

std::string AReport(const std::string& message, const std::string& group,
                    const std::string& transfers) {
  return absl::StrCat(
      "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.11\"><CstmrPmtStsRpt><GrpHdr>"
      "<MsgId>R-",
      message, group.size(), transfers.size(), "</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>",
      message, "</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>", group,
      "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>", transfers,
      "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>");
}

v1::ImportBankStatementRequest ARequest(const std::string& file) {
  v1::ImportBankStatementRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_file(file);
  return request;
}

v1::ImportBankStatementResponse Import(const SettledWorld& world, const std::string& file) {
  return world.Get("anna", &Stub::ImportBankStatement, ARequest(file));
}

std::vector<v1::BankOutcome> OutcomesOf(const v1::ImportBankStatementResponse& imported) {
  std::vector<v1::BankOutcome> outcomes;
  for (const v1::BankEntry& entry : imported.entries()) outcomes.push_back(entry.outcome());
  return outcomes;
}

// What the books must say, whatever was imported: the bank has what came in less what went out;
// suspense is what entries say; receivables and payables are what is open of the obligations.
void CheckBooks(const SettledWorld& world) {
  const auto sum = [&](const std::string& query) { return world.db().Query(query)[0].Int(0); };
  CHECK(world.Balance("BANK") ==
        sum("select coalesce(sum(case when credit then amount else -amount end), 0)::bigint "
            "from settlement.bank_entries where outcome not in ('OTHER_ACCOUNT', 'OTHER_CURRENCY', "
            "'NOT_BOOKED', 'DUPLICATE')"));
  CHECK(-world.Balance("SUSPENSE") ==
        sum("select coalesce(sum(case when credit then suspense else -suspense end), 0)::bigint "
            "from settlement.bank_entries"));
  CHECK(world.Balance("PARTNER_RECEIVABLE") ==
        sum("select coalesce(sum(amount - paid - written_off), 0)::bigint "
            "from settlement.obligations where not partner_is_paid"));
  CHECK(-world.Balance("PARTNER_PAYABLE") ==
        sum("select coalesce(sum(amount - paid - written_off), 0)::bigint "
            "from settlement.obligations where partner_is_paid"));
}

TEST_CASE("ImportBankStatement: exact payments settle the obligations, and the settlement",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  CheckBooks(world);

  const auto imported = Import(
      world, AStatement("S-1", {{false, 5'796, "GLD-1-3"}, {true, 14'691, "", "GLD-1-2 thanks"}}));

  CHECK(OutcomesOf(imported) == std::vector{v1::BANK_OUTCOME_EXACT, v1::BANK_OUTCOME_EXACT});
  CHECK_FALSE(imported.imported_before());
  CHECK(imported.entries(0).obligation() == "settlements/1/obligations/florist");
  CHECK(imported.entries(0).counterparty_name() == "Somebody <b>");
  CHECK(world.ObligationOf("florist").state() == v1::OBLIGATION_STATE_PAID);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  v1::GetSettlementRequest settlement;
  settlement.set_name("settlements/1");
  CHECK(world.Get("auditor", &Stub::GetSettlement, settlement).settlement().state() ==
        v1::SETTLEMENT_STATE_SETTLED);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: part, rest and too much; what is over waits in suspense",
          "[service][settlement][inv-92]") {
  SettledWorld world;

  const auto part = Import(world, AStatement("S-1", {{true, 10'000, "", "INV-2026-000001"}}));

  CHECK(OutcomesOf(part) == std::vector{v1::BANK_OUTCOME_PARTIAL});
  const v1::Obligation grocer = world.ObligationOf("grocer");
  CHECK(grocer.state() == v1::OBLIGATION_STATE_PARTLY_PAID);
  CHECK(grocer.paid().minor_units() == 10'000);
  const auto over = Import(world, AStatement("S-2", {{true, 5'000, "GLD-1-2"}}));
  CHECK(OutcomesOf(over) == std::vector{v1::BANK_OUTCOME_OVER});
  CHECK(over.entries(0).applied_minor_units() == 4'691);
  CHECK(over.entries(0).suspense_minor_units() == 309);
  const auto again = Import(world, AStatement("S-3", {{true, 14'691, "GLD-1-2"}}));
  CHECK(OutcomesOf(again) == std::vector{v1::BANK_OUTCOME_ALREADY_PAID});
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: what names nothing that it can pay waits in suspense",
          "[service][settlement][inv-92]") {
  SettledWorld world;

  const auto imported = Import(world, AStatement("S-1", {{true, 100, "", "a gift"},
                                                         {true, 100, "GLD-9-9"},
                                                         {true, 100, "", "GLD-1-2 and GLD-1-3"},
                                                         {true, 100, "", "INV-2026-000404"},
                                                         {false, 14'691, "GLD-1-2"},
                                                         {false, 100, "", "bank charges"}}));

  CHECK(OutcomesOf(imported) ==
        std::vector{v1::BANK_OUTCOME_UNKNOWN, v1::BANK_OUTCOME_WRONG_REFERENCE,
                    v1::BANK_OUTCOME_WRONG_REFERENCE, v1::BANK_OUTCOME_WRONG_REFERENCE,
                    v1::BANK_OUTCOME_WRONG_REFERENCE, v1::BANK_OUTCOME_UNKNOWN});
  v1::ListBankEntriesRequest suspense;
  suspense.set_in_suspense(true);
  CHECK(world.Get("auditor", &Stub::ListBankEntries, suspense).bank_entries_size() == 6);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_OPEN);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: the same file and the same entry count once",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::string file = AStatement(
      "S-1", {{true, 5'000, "GLD-1-2", "", "", "B-1"}, {true, 5'000, "GLD-1-2", "", "", "B-1"}});

  const auto first = Import(world, file);

  CHECK(OutcomesOf(first) == std::vector{v1::BANK_OUTCOME_PARTIAL, v1::BANK_OUTCOME_DUPLICATE});
  const auto again = Import(world, file);
  CHECK(again.imported_before());
  CHECK(again.file().name() == first.file().name());
  const auto overlapping =
      Import(world, AStatement("S-2", {{true, 5'000, "GLD-1-2", "", "", "B-1"},
                                       {true, 5'000, "GLD-1-2", "", "", "B-2"}}));
  CHECK(OutcomesOf(overlapping) ==
        std::vector{v1::BANK_OUTCOME_DUPLICATE, v1::BANK_OUTCOME_PARTIAL});
  CHECK(world.ObligationOf("grocer").paid().minor_units() == 10'000);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: a payment that comes back is open again",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  Import(world, AStatement("S-1", {{false, 5'796, "GLD-1-3"}, {true, 14'691, "GLD-1-2"}}));

  const auto imported = Import(world, AStatement("S-2", {{true, 5'796, "GLD-1-3", "", "AC04"},
                                                         {false, 14'691, "GLD-1-2", "", "MD06"}}));

  CHECK(OutcomesOf(imported) == std::vector{v1::BANK_OUTCOME_RETURNED, v1::BANK_OUTCOME_RETURNED});
  CHECK(imported.entries(0).applied_minor_units() == -5'796);
  CHECK(imported.entries(0).return_reason() == "AC04");
  CHECK(world.ObligationOf("florist").state() == v1::OBLIGATION_STATE_OPEN);
  CHECK(world.ObligationOf("grocer").paid().minor_units() == 0);
  v1::GetSettlementRequest settlement;
  settlement.set_name("settlements/1");
  CHECK(world.Get("auditor", &Stub::GetSettlement, settlement).settlement().state() !=
        v1::SETTLEMENT_STATE_SETTLED);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: what comes back is first what was too much",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::string entry =
      Import(world, AStatement("S-1", {{true, 15'000, "GLD-1-2"}})).entries(0).name();

  // The bank takes all of it back: nothing is left in suspense that could pay anything.
  const auto returned = Import(world, AStatement("S-2", {{false, 15'000, "GLD-1-2", "", "MD06"}}));
  CHECK(OutcomesOf(returned) == std::vector{v1::BANK_OUTCOME_RETURNED});
  CHECK(returned.entries(0).applied_minor_units() == -14'691);
  CHECK(returned.entries(0).suspense_minor_units() == 0);
  CHECK(world.ObligationOf("grocer").paid().minor_units() == 0);
  v1::AllocateSuspenseRequest allocate;
  allocate.set_request_id(clients::NewRequestId());
  allocate.set_entry(entry);
  allocate.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, allocate) == Reason::kWrongState);
  CheckBooks(world);

  // A refund of what was too much leaves what was paid; one of more does, too.
  Import(world, AStatement("S-3", {{true, 15'000, "GLD-1-2"}}));
  const auto refunded =
      Import(world, AStatement("S-4", {{false, 300, "", "refund of GLD-1-2"},
                                       {false, 100, "", "refund of GLD-1-2 again"}}));
  CHECK(OutcomesOf(refunded) == std::vector{v1::BANK_OUTCOME_REFUNDED, v1::BANK_OUTCOME_REFUNDED});
  CHECK(refunded.entries(1).suspense_minor_units() == 91);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  CheckBooks(world);
}

TEST_CASE("AllocateSuspense: what went out is balanced by what came in, or takes a payment back",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const auto told = Import(world, AStatement("S-1", {{true, 500, "", "by mistake"},
                                                     {false, 400, "", "back"},
                                                     {true, 14'691, "GLD-1-2"},
                                                     {false, 691, "", "who knows"}}));
  v1::AllocateSuspenseRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_entry(told.entries(1).name());
  request.set_obligation(told.entries(3).name());
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kWrongState);
  request.set_obligation("bankEntries/99");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kNameNotFound);
  request.set_obligation(told.entries(0).name());
  for (int i = 0; i < 2; ++i) {
    CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() == 0);
  }
  request.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kRequestIdReused);
  CheckBooks(world);

  request.set_request_id(clients::NewRequestId());
  request.set_entry(told.entries(3).name());
  CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() == 0);
  CHECK(world.ObligationOf("grocer").paid().minor_units() == 14'000);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: what is not the programme's booked money is not posted",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::vector<Told> paid = {{true, 14'691, "GLD-1-2"}};

  const auto elsewhere = Import(world, AStatement("S-1", paid, "DE02500105170137075030"));
  const auto foreign = Import(world, AStatement("S-2", paid, SettledWorld::kIban, {'U', 'S', 'D'}));
  std::vector<Told> announced = paid;
  announced[0].booked = false;
  const auto pending = Import(world, AStatement("S-3", announced));

  CHECK(OutcomesOf(elsewhere) == std::vector{v1::BANK_OUTCOME_OTHER_ACCOUNT});
  CHECK(OutcomesOf(foreign) == std::vector{v1::BANK_OUTCOME_OTHER_CURRENCY});
  CHECK(OutcomesOf(pending) == std::vector{v1::BANK_OUTCOME_NOT_BOOKED});
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_OPEN);
  CHECK(world.Balance("BANK") == 0);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: a status report rejects, and settles nothing",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::string transfer = "<TxInfAndSts><OrgnlEndToEndId>GLD-1-3</OrgnlEndToEndId><TxSts>";

  const auto accepted =
      Import(world, AReport("GLD-1", "", absl::StrCat(transfer, "ACSC</TxSts></TxInfAndSts>")));

  CHECK(OutcomesOf(accepted) == std::vector{v1::BANK_OUTCOME_ACCEPTED});
  CHECK(world.ObligationOf("florist").state() == v1::OBLIGATION_STATE_INSTRUCTED);
  const auto rejected =
      Import(world, AReport("GLD-1", "",
                            absl::StrCat(transfer,
                                         "RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn>"
                                         "</StsRsnInf></TxInfAndSts>")));
  CHECK(OutcomesOf(rejected) == std::vector{v1::BANK_OUTCOME_REJECTED});
  CHECK(rejected.entries(0).return_reason() == "AC04");
  CHECK(world.ObligationOf("florist").state() == v1::OBLIGATION_STATE_OPEN);
  CheckBooks(world);
}

TEST_CASE("ImportBankStatement: a payment file that is rejected as a whole is open again",
          "[service][settlement][inv-92]") {
  SettledWorld world;

  const auto report = Import(world, AReport("GLD-1", "<GrpSts>RJCT</GrpSts>", ""));

  CHECK(report.file().kind() == v1::BANK_FILE_KIND_STATUS_REPORT);
  CHECK(OutcomesOf(report) == std::vector{v1::BANK_OUTCOME_REJECTED});
  CHECK(report.entries(0).end_to_end_id() == "GLD-1-3");
  CHECK(world.ObligationOf("florist").state() == v1::OBLIGATION_STATE_OPEN);
  Import(world, AReport("GLD-77", "<GrpSts>RJCT</GrpSts>", ""));
  Import(world, AReport("Unknown", "<GrpSts>RJCT</GrpSts>", ""));
}

TEST_CASE("ImportBankStatement: a report about an earlier payment file leaves a later one alone",
          "[service][settlement][inv-84][inv-92]") {
  SettledWorld world;
  const std::string rejects =
      "<TxInfAndSts><OrgnlEndToEndId>GLD-1-3</OrgnlEndToEndId><TxSts>RJCT</TxSts>";
  const std::string once = absl::StrCat(rejects, "</TxInfAndSts>");
  const std::string again =
      absl::StrCat(rejects, "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>");
  REQUIRE(OutcomesOf(Import(world, AReport("GLD-1", "", once))) ==
          std::vector{v1::BANK_OUTCOME_REJECTED});
  v1::ExportPaymentsRequest request;
  request.set_name("settlements/1");
  REQUIRE(world.Get("anna", &Stub::ExportPayments, request).file_number() == 2);

  for (const std::string& late :
       {AReport("GLD-1", "", again), AReport("GLD-1", "<GrpSts>RJCT</GrpSts>", "")}) {
    CHECK(OutcomesOf(Import(world, late)) == std::vector{v1::BANK_OUTCOME_SUPERSEDED});
    CHECK(world.ObligationOf("florist").state() == v1::OBLIGATION_STATE_INSTRUCTED);
    CHECK(world.Get("anna", &Stub::ExportPayments, request).file_number() == 2);
  }
  CHECK(OutcomesOf(Import(world, AReport("GLD-1.2", "", once))) ==
        std::vector{v1::BANK_OUTCOME_REJECTED});
  CHECK(world.Get("anna", &Stub::ExportPayments, request).file_number() == 3);
}

TEST_CASE("ImportBankStatement: the public samples import", "[service][settlement][inv-92]") {
  SettledWorld world;
  const char* source = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(source != nullptr);
  for (const char* const name : {"camt053_genkgo.v8.xml", "pain002_moov.v11.xml"}) {
    INFO(name);
    std::ifstream file(absl::StrCat(source, "/tests/data/", name), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};

    const auto imported = Import(world, bytes);

    CHECK(imported.file().name() != "");
    CHECK(world.Balance("BANK") == 0);
  }
  // On the programme's own account it counts.
  world.db().Query("update partner.partners set iban = 'NL26VAYB8060476890' where slug = 'club'");
  std::ifstream file(absl::StrCat(source, "/tests/data/camt053_genkgo.v8.xml"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  bytes.replace(bytes.find("8.85"), 4, "8.86");
  CHECK(OutcomesOf(Import(world, bytes)) == std::vector{v1::BANK_OUTCOME_UNKNOWN});
  CHECK(world.Balance("BANK") == 886);
}

TEST_CASE("ImportBankStatement: what is no file of a bank is refused, and only finance imports",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const auto refused = [&](const std::string& file) {
    return world.Refusal("anna", &Stub::ImportBankStatement, ARequest(file));
  };
  const std::string file = AStatement("S-1", {{true, 100, "GLD-1-2"}});

  CHECK(refused("") == Reason::kRequestMalformed);
  CHECK(refused("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>") == Reason::kRequestMalformed);
  CHECK(refused(file.substr(0, file.size() / 2)) == Reason::kRequestMalformed);
  v1::ImportBankStatementRequest request = ARequest(file);
  request.set_request_id("x");
  CHECK(world.Refusal("anna", &Stub::ImportBankStatement, request) == Reason::kRequestIdMalformed);
  for (const char* const who : {"auditor", "grocer"}) {
    CHECK(world.Refusal(who, &Stub::ImportBankStatement, ARequest(file)) ==
          Reason::kPermissionDenied);
    CHECK(world.Refusal(who, &Stub::AllocateSuspense, v1::AllocateSuspenseRequest()) ==
          Reason::kPermissionDenied);
    CHECK(world.Refusal(who, &Stub::ProposeWriteOff, v1::ProposeWriteOffRequest()) ==
          Reason::kPermissionDenied);
    CHECK(world.Refusal(who, &Stub::ApproveWriteOff, v1::ApproveWriteOffRequest()) ==
          Reason::kPermissionDenied);
  }
  for (const auto& refusal : {world.Refusal("grocer", &Stub::ListBankEntries, {}),
                              world.Refusal("grocer", &Stub::GetAgeing, {})}) {
    CHECK(refusal == Reason::kPermissionDenied);
  }
  request = ARequest(file);
  world.Get("anna", &Stub::ImportBankStatement, request);
  request.set_file(AStatement("S-2", {{true, 100, "GLD-1-2"}}));
  CHECK(world.Refusal("anna", &Stub::ImportBankStatement, request) == Reason::kRequestIdReused);
  v1::ListBankEntriesRequest list;
  list.set_parent("bankFiles/x");
  CHECK(world.Refusal("anna", &Stub::ListBankEntries, list) == Reason::kNameNotFound);
  list.Clear();
  list.set_page_token("forged");
  CHECK(world.Refusal("anna", &Stub::ListBankEntries, list) == Reason::kPageTokenInvalid);
}

TEST_CASE("AllocateSuspense: an operator says what a payment was for",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::string entry =
      Import(world, AStatement("S-1", {{true, 20'000, "", "for the points"}})).entries(0).name();
  v1::AllocateSuspenseRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_entry(entry);
  // What came in pays nobody, and takes nothing back that was not paid.
  request.set_obligation("settlements/1/obligations/florist");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kWrongState);
  request.set_obligation("settlements/1/obligations/nobody");
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kNameNotFound);
  request.set_obligation("settlements/1/obligations/grocer");
  request.set_amount_minor_units(20'001);
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kAmountOutOfRange);
  request.set_amount_minor_units(691);
  CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() ==
        19'309);
  // Repeated, it is the same allocation.
  CHECK(world.Get("anna", &Stub::AllocateSuspense, request).entry().suspense_minor_units() ==
        19'309);
  request.set_amount_minor_units(692);
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kRequestIdReused);
  CheckBooks(world);
  request.set_request_id(clients::NewRequestId());
  request.set_amount_minor_units(0);

  const v1::BankEntry rest = world.Get("anna", &Stub::AllocateSuspense, request).entry();

  CHECK(rest.suspense_minor_units() == 20'000 - 14'691);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  request.set_request_id(clients::NewRequestId());
  CHECK(world.Refusal("anna", &Stub::AllocateSuspense, request) == Reason::kWrongState);
  CheckBooks(world);
}

TEST_CASE("WriteOff: what is paid after it is a loss no more", "[service][settlement][inv-92]") {
  SettledWorld world;
  v1::ProposeWriteOffRequest propose;
  propose.set_obligation("settlements/1/obligations/grocer");
  propose.set_note("insolvent");
  world.Get("anna", &Stub::ProposeWriteOff, propose);
  v1::ApproveWriteOffRequest approve;
  approve.set_obligation("settlements/1/obligations/grocer");
  world.Get("bert", &Stub::ApproveWriteOff, approve);
  REQUIRE(world.Balance("LOSSES") == 14'691);

  const auto part = Import(world, AStatement("S-1", {{true, 4'691, "GLD-1-2"}}));
  CHECK(OutcomesOf(part) == std::vector{v1::BANK_OUTCOME_RECOVERED});
  CHECK(world.Balance("LOSSES") == 10'000);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_WRITTEN_OFF);
  CheckBooks(world);
  const auto rest = Import(world, AStatement("S-2", {{true, 10'500, "GLD-1-2"}}));
  CHECK(rest.entries(0).suspense_minor_units() == 500);
  CHECK(world.Balance("LOSSES") == 0);
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_PAID);
  CheckBooks(world);
}

TEST_CASE("WriteOff: one person proposes and another approves, and the loss is posted",
          "[service][settlement][inv-92][inv-97]") {
  SettledWorld world;
  Import(world, AStatement("S-1", {{true, 10'000, "GLD-1-2"}, {false, 5'796, "GLD-1-3"}}));
  v1::ApproveWriteOffRequest approve;
  approve.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("bert", &Stub::ApproveWriteOff, approve) == Reason::kWrongState);
  v1::ProposeWriteOffRequest propose;
  propose.set_obligation("settlements/1/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::ProposeWriteOff, propose) == Reason::kRequestMalformed);
  propose.set_note("insolvent");
  CHECK(world.Get("anna", &Stub::ProposeWriteOff, propose).write_off().amount().minor_units() ==
        4'691);
  CHECK(world.Refusal("anna", &Stub::ApproveWriteOff, approve) == Reason::kSamePerson);
  // Money that comes meanwhile makes it another write-off.
  Import(world, AStatement("S-2", {{true, 691, "GLD-1-2"}}));
  CHECK(world.Refusal("bert", &Stub::ApproveWriteOff, approve) == Reason::kWrongState);
  world.Get("anna", &Stub::ProposeWriteOff, propose);

  const v1::WriteOff approved = world.Get("bert", &Stub::ApproveWriteOff, approve).write_off();

  CHECK(approved.amount().minor_units() == 4'000);
  CHECK(approved.approved_by() == "bert");
  CHECK(world.Get("bert", &Stub::ApproveWriteOff, approve).write_off().SerializeAsString() ==
        approved.SerializeAsString());
  CHECK(world.ObligationOf("grocer").state() == v1::OBLIGATION_STATE_WRITTEN_OFF);
  CHECK(world.Balance("LOSSES") == 4'000);
  v1::GetSettlementRequest settlement;
  settlement.set_name("settlements/1");
  CHECK(world.Get("auditor", &Stub::GetSettlement, settlement).settlement().state() ==
        v1::SETTLEMENT_STATE_SETTLED);
  CHECK(world.Refusal("anna", &Stub::ProposeWriteOff, propose) == Reason::kWrongState);
  propose.set_obligation("settlements/9/obligations/grocer");
  CHECK(world.Refusal("anna", &Stub::ProposeWriteOff, propose) == Reason::kNameNotFound);
  CheckBooks(world);
}

TEST_CASE("GetAgeing: what partners owe stands under how long it is due",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  Import(world, AStatement("S-1", {{true, 4'691, "GLD-1-2"}}));
  const v1::GetAgeingResponse early = world.Get("auditor", &Stub::GetAgeing, {});
  REQUIRE(early.lines_size() == 1);
  CHECK(early.lines(0).partner() == "partners/grocer");
  CHECK(early.lines(0).not_due_minor_units() == 10'000);
  world.ledger().MoveClockTo(SettledWorld::Day(1 + 14 + 45));

  const v1::GetAgeingResponse late = world.Get("auditor", &Stub::GetAgeing, {});

  CHECK(late.lines(0).not_due_minor_units() == 0);
  CHECK(late.lines(0).days_31_to_60_minor_units() == 10'000);
  CHECK(late.lines(0).total_minor_units() == 10'000);
}

TEST_CASE("ImportBankStatement: a thousand payments are settled in transactions of some each",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  std::vector<Told> all;
  for (int i = 0; i < 1'000; ++i) all.push_back({true, 14, "GLD-1-2"});

  const auto imported = Import(world, AStatement("S-1", all));

  CHECK(imported.entries_size() == 1'000);
  REQUIRE(imported.file().outcomes_size() == 1);
  CHECK(imported.file().outcomes(0).outcome() == v1::BANK_OUTCOME_PARTIAL);
  CHECK(world.ObligationOf("grocer").paid().minor_units() == 14'000);
  CheckBooks(world);
}

}  // namespace
}  // namespace guilder::settlement
