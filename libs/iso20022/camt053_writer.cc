#include <sstream>

#include <pugixml.hpp>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/iso20022/camt053.h"

namespace guilder::iso20022 {
namespace {

constexpr char kNamespace[] = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";
constexpr int kFractionDigits = 5;

pugi::xml_node Add(pugi::xml_node parent, const char* name, const std::string& text) {
  pugi::xml_node node = parent.append_child(name);
  node.text().set(text.c_str());
  return node;
}

void AddAmount(pugi::xml_node parent, const BankAmount& amount, bool credit) {
  Add(parent, "Amt", FormatAmount(MinorUnits(amount.hundred_thousandths), kFractionDigits))
      .append_attribute("Ccy")
      .set_value(FormatCurrency(amount.currency).c_str());
  Add(parent, "CdtDbtInd", credit ? "CRDT" : "DBIT");
}

void AddBalance(pugi::xml_node parent, const char* kind,
                const std::optional<StatementBalance>& balance, absl::CivilDay day) {
  if (!balance) return;
  pugi::xml_node node = parent.append_child("Bal");
  Add(node.append_child("Tp").append_child("CdOrPrtry"), "Cd", kind);
  AddAmount(node, balance->amount, balance->credit);
  Add(node.append_child("Dt"), "Dt", absl::FormatCivilTime(day));
}

void AddPayment(pugi::xml_node parent, const StatementEntry& entry,
                const StatementPayment& payment) {
  pugi::xml_node node = parent.append_child("TxDtls");
  Add(node.append_child("Refs"), "EndToEndId",
      payment.end_to_end_id.empty() ? "NOTPROVIDED" : payment.end_to_end_id);
  AddAmount(node, payment.amount, payment.credit);
  const bool from_debtor = entry.credit != entry.reversal;
  if (!payment.counterparty_name.empty() || !payment.counterparty_account.empty()) {
    pugi::xml_node parties = node.append_child("RltdPties");
    if (!payment.counterparty_name.empty()) {
      Add(parties.append_child(from_debtor ? "Dbtr" : "Cdtr").append_child("Pty"), "Nm",
          payment.counterparty_name);
    }
    if (!payment.counterparty_account.empty()) {
      Add(parties.append_child(from_debtor ? "DbtrAcct" : "CdtrAcct").append_child("Id"), "IBAN",
          payment.counterparty_account);
    }
  }
  if (!payment.remittance.empty()) Add(node.append_child("RmtInf"), "Ustrd", payment.remittance);
  if (!payment.return_reason.empty() && payment.return_reason.size() <= 4) {
    Add(node.append_child("RtrInf").append_child("Rsn"), "Cd", payment.return_reason);
  }
}

void AddEntry(pugi::xml_node parent, const StatementEntry& entry) {
  pugi::xml_node node = parent.append_child("Ntry");
  AddAmount(node, entry.amount, entry.credit);
  if (entry.reversal) Add(node, "RvslInd", "true");
  Add(node.append_child("Sts"), "Cd", entry.booked ? "BOOK" : "PDNG");
  Add(node.append_child("BookgDt"), "Dt", absl::FormatCivilTime(entry.booked_on));
  if (!entry.bank_reference.empty()) Add(node, "AcctSvcrRef", entry.bank_reference);
  Add(node.append_child("BkTxCd").append_child("Prtry"), "Cd", "TRF");
  pugi::xml_node details = node.append_child("NtryDtls");
  for (const StatementPayment& payment : entry.payments) AddPayment(details, entry, payment);
}

}  // namespace

std::string WriteCamt053(const StatementFile& file, Timestamp created_at, absl::CivilDay day) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  pugi::xml_node root = document.append_child("Document");
  root.append_attribute("xmlns").set_value(kNamespace);
  pugi::xml_node body = root.append_child("BkToCstmrStmt");
  pugi::xml_node header = body.append_child("GrpHdr");
  Add(header, "MsgId", file.message_id);
  Add(header, "CreDtTm", FormatTimestamp(created_at));
  for (const BankStatement& statement : file.statements) {
    pugi::xml_node node = body.append_child("Stmt");
    Add(node, "Id", statement.id);
    Add(node, "CreDtTm", FormatTimestamp(created_at));
    Add(node.append_child("Acct").append_child("Id"), "IBAN", statement.account);
    AddBalance(node, "OPBD", statement.opening, day);
    AddBalance(node, "CLBD", statement.closing, day);
    for (const StatementEntry& entry : statement.entries) AddEntry(node, entry);
  }
  std::ostringstream bytes;
  document.save(bytes, "  ", pugi::format_indent, pugi::encoding_utf8);
  return bytes.str();
}

}  // namespace guilder::iso20022
