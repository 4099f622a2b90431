// Files of banks for a settled world, and what the books must say after each.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/iso20022/camt053.h"
#include "tests/service/settled_world.h"

namespace guilder::settlement {

using Stub = SettledWorld::Stub;

inline constexpr Currency kEuro{'E', 'U', 'R'};

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

inline std::string AStatement(const std::string& id, const std::vector<Told>& all,
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

inline std::string AReport(const std::string& message, const std::string& group,
                           const std::string& transfers) {
  return absl::StrCat(
      "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.11\"><CstmrPmtStsRpt><GrpHdr>"
      "<MsgId>R-",
      message, group.size(), transfers.size(), "</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>",
      message, "</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>", group,
      "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>", transfers,
      "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>");
}

inline v1::ImportBankStatementRequest ARequest(const std::string& file) {
  v1::ImportBankStatementRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_file(file);
  return request;
}

inline v1::ImportBankStatementResponse Import(const SettledWorld& world, const std::string& file) {
  return world.Get("anna", &Stub::ImportBankStatement, ARequest(file));
}

inline std::vector<v1::BankOutcome> OutcomesOf(const v1::ImportBankStatementResponse& imported) {
  std::vector<v1::BankOutcome> outcomes;
  for (const v1::BankEntry& entry : imported.entries()) outcomes.push_back(entry.outcome());
  return outcomes;
}

// What the books must say, whatever was imported: the bank has what came in less what went out;
// suspense is what entries say; receivables and payables are what is open of the obligations.
inline void CheckBooks(const SettledWorld& world) {
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

}  // namespace guilder::settlement
