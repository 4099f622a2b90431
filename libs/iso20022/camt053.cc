#include "libs/iso20022/camt053.h"

#include <algorithm>

#include "libs/base/status_macros.h"
#include "libs/iso20022/xml_document.h"

namespace guilder::iso20022 {
namespace {

constexpr size_t kMaxName = 140;
constexpr size_t kMaxRemittance = 500;
constexpr char kUnstated[] = "UNSTATED";

std::string Account(XmlDocument& document, pugi::xml_node node, std::string_view path) {
  const pugi::xml_node id = document.At(node, path);
  std::string account = document.Text(id, "IBAN");
  return account.empty() ? document.Text(id, "Othr/Id") : account;
}

// Since version 08 a party stands one level deeper.
std::string PartyName(XmlDocument& document, pugi::xml_node parties, std::string_view role) {
  const pugi::xml_node party = document.At(parties, role);
  std::string name = document.Text(party, "Pty/Nm", kMaxName);
  return name.empty() ? document.Text(party, "Nm", kMaxName) : name;
}

void AppendWords(std::string& text, const std::string& words) {
  if (words.empty() || text.size() + words.size() >= kMaxRemittance) return;
  if (!text.empty()) text += ' ';
  text += words;
}

std::string Remittance(XmlDocument& document, pugi::xml_node node) {
  const pugi::xml_node remittance = document.At(node, "RmtInf");
  std::string text;
  for (const pugi::xml_node words : document.All(remittance, "Ustrd")) {
    AppendWords(text, document.Text(words, "", kMaxName));
  }
  for (const pugi::xml_node structured : document.All(remittance, "Strd")) {
    AppendWords(text, document.Text(structured, "CdtrRefInf/Ref"));
  }
  return text;
}

// RRTN is the family of returns, ARET of their rejection.
bool IsReturn(XmlDocument& document, pugi::xml_node node) {
  return document.Text(node, "BkTxCd/Domn/Fmly/SubFmlyCd", 4) == "RRTN";
}

struct Details {
  StatementPayment payment;
  bool has_amount = false;
};

// The details of one payment. Where they give no amount, it is that of the entry.
Details ReadDetails(XmlDocument& document, pugi::xml_node node, const StatementEntry& entry,
                    bool entry_is_return) {
  Details details;
  StatementPayment& payment = details.payment;
  payment.end_to_end_id = document.Text(node, "Refs/EndToEndId");
  if (payment.end_to_end_id == "NOTPROVIDED") payment.end_to_end_id.clear();
  payment.amount = entry.amount;
  for (const char* const place : {"Amt", "AmtDtls/TxAmt/Amt"}) {
    if (details.has_amount || !document.At(node, place)) continue;
    payment.amount = document.Amount(node, place);
    details.has_amount = true;
  }
  payment.credit = document.At(node, "CdtDbtInd") ? document.IsCredit(node) : entry.credit;
  const bool from_debtor = entry.credit != entry.reversal;
  const pugi::xml_node parties = document.At(node, "RltdPties");
  payment.counterparty_name = PartyName(document, parties, from_debtor ? "Dbtr" : "Cdtr");
  payment.counterparty_account =
      Account(document, parties, from_debtor ? "DbtrAcct/Id" : "CdtrAcct/Id");
  payment.remittance = Remittance(document, node);
  payment.return_reason = document.Text(node, "RtrInf/Rsn/Cd", 4);
  if (payment.return_reason.empty())
    payment.return_reason = document.Text(node, "RtrInf/Rsn/Prtry");
  const bool returned =
      document.At(node, "RtrInf") || entry.reversal || entry_is_return || IsReturn(document, node);
  if (payment.return_reason.empty() && returned) payment.return_reason = kUnstated;
  return details;
}

// Whether the details say how the entry's amount is made up.
bool AddUp(const std::vector<Details>& all, const StatementEntry& entry) {
  int64_t sum = 0;
  for (const Details& details : all) {
    const StatementPayment& payment = details.payment;
    if (!details.has_amount || payment.amount.currency != entry.amount.currency ||
        payment.amount.hundred_thousandths > entry.amount.hundred_thousandths ||
        payment.credit != entry.credit) {
      return false;
    }
    sum += payment.amount.hundred_thousandths;
    if (sum > entry.amount.hundred_thousandths) return false;
  }
  return sum == entry.amount.hundred_thousandths;
}

StatementEntry ReadEntry(XmlDocument& document, pugi::xml_node node) {
  StatementEntry entry;
  entry.bank_reference = document.Text(node, "AcctSvcrRef");
  if (entry.bank_reference.empty()) entry.bank_reference = document.Text(node, "NtryRef");
  entry.amount = document.Amount(node, "Amt");
  entry.credit = document.IsCredit(node);
  const std::string reversal = document.Text(node, "RvslInd");
  entry.reversal = reversal == "true" || reversal == "1";
  // Before version 08 the status is the element's own text.
  std::string state = document.Text(node, "Sts/Cd", 4);
  if (state.empty()) state = document.Text(node, "Sts", 4);
  entry.booked = state == "BOOK";
  entry.booked_on = document.Day(node, "BookgDt");

  const bool is_return = IsReturn(document, node);
  std::vector<Details> all;
  for (const pugi::xml_node group : document.All(node, "NtryDtls")) {
    for (const pugi::xml_node details : document.All(group, "TxDtls")) {
      all.push_back(ReadDetails(document, details, entry, is_return));
    }
  }
  if (all.size() == 1) {
    // What is booked is the entry; the payment's own amount may be in another currency.
    all[0].payment.amount = entry.amount;
    all[0].payment.credit = entry.credit;
  } else if (all.empty() || !AddUp(all, entry)) {
    Details whole;
    whole.payment.amount = entry.amount;
    whole.payment.credit = entry.credit;
    if (entry.reversal || is_return) whole.payment.return_reason = kUnstated;
    all = {whole};
  }
  for (Details& details : all) entry.payments.push_back(std::move(details.payment));
  return entry;
}

BankStatement ReadStatement(XmlDocument& document, pugi::xml_node node) {
  BankStatement statement;
  statement.id = document.Required(node, "Id");
  statement.account = Account(document, node, "Acct/Id");
  if (statement.account.empty()) document.Fail("<Acct> has no number");
  for (const pugi::xml_node balance : document.All(node, "Bal")) {
    const std::string kind = document.Text(balance, "Tp/CdOrPrtry/Cd", 4);
    const StatementBalance read{document.Amount(balance, "Amt"), document.IsCredit(balance)};
    if (kind == "OPBD" || kind == "PRCD") statement.opening = read;
    if (kind == "CLBD") statement.closing = read;
  }
  for (const pugi::xml_node entry : document.All(node, "Ntry")) {
    statement.entries.push_back(ReadEntry(document, entry));
  }
  return statement;
}

}  // namespace

absl::StatusOr<StatementFile> ReadCamt053(std::string_view bytes) {
  XmlDocument document(bytes, "camt.053.001.", {"02", "04", "08"});
  GUILDER_RETURN_IF_ERROR(document.status());
  const pugi::xml_node body = document.Body("BkToCstmrStmt");
  StatementFile file;
  file.message_id = document.Required(body, "GrpHdr/MsgId");
  for (const pugi::xml_node statement : document.All(body, "Stmt")) {
    file.statements.push_back(ReadStatement(document, statement));
  }
  if (file.statements.empty()) document.Fail("there is no <Stmt>");
  GUILDER_RETURN_IF_ERROR(document.status());
  return file;
}

}  // namespace guilder::iso20022
