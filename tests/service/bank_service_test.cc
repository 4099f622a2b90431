// What a bank says of payments, from its file to the obligations and the money ledger.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/service/bank_world.h"

namespace guilder::settlement {
namespace {

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

TEST_CASE("ImportBankStatement: what is not the programme's booked money is not posted",
          "[service][settlement][inv-92]") {
  SettledWorld world;
  const std::vector<Told> paid = {{true, 14'691, "GLD-1-2"}};

  const auto elsewhere = Import(world, AStatement("S-1", paid, "DE02500105170137075030"));
  const auto foreign = Import(world, AStatement("S-2", paid, SettledWorld::kIban, {'U', 'S', 'D'}));
  const auto yen = Import(
      world, AStatement("S-4", {{true, 50'000, "GLD-1-2"}}, SettledWorld::kIban, {'J', 'P', 'Y'}));
  const auto nothing = Import(world, AStatement("S-5", {{true, 0, "GLD-1-2"}}));
  std::vector<Told> announced = paid;
  announced[0].booked = false;
  const auto pending = Import(world, AStatement("S-3", announced));

  CHECK(OutcomesOf(elsewhere) == std::vector{v1::BANK_OUTCOME_OTHER_ACCOUNT});
  CHECK(OutcomesOf(foreign) == std::vector{v1::BANK_OUTCOME_OTHER_CURRENCY});
  CHECK(foreign.entries(0).amount().minor_units() == 14'691);
  CHECK(foreign.entries(0).amount().currency_code() == "USD");
  // 500.00 in the file are 500 of a currency without a smaller unit.
  CHECK(yen.entries(0).amount().minor_units() == 500);
  CHECK(OutcomesOf(nothing) == std::vector{v1::BANK_OUTCOME_NO_AMOUNT});
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
