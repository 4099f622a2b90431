#include "libs/iso20022/pain001.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

#include <pugixml.hpp>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/iso20022/iban.h"

namespace guilder::iso20022 {
namespace {

constexpr char kNamespace[] = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
constexpr size_t kMaxIdLength = 35;
constexpr size_t kMaxNameLength = 70;
constexpr size_t kMaxRemittanceLength = 140;
// The format's 18 digits, of which SEPA uses eleven for an amount.
constexpr int64_t kMaxTransferAmount = 99'999'999'999;
constexpr int64_t kMaxControlSum = 999'999'999'999'999'999;
constexpr int kMaxFractionDigits = 5;

absl::Status Malformed(std::string_view what) {
  return Refuse(Reason::kRequestMalformed, what);
}

absl::Status CheckId(const std::string& id, std::string_view what) {
  if (id.empty() || id.size() > kMaxIdLength || ToSepaText(id, kMaxIdLength) != id ||
      id.front() == '/' || id.back() == '/' || id.find("//") != std::string::npos) {
    return Malformed(absl::StrCat(ToAbsl(what), " is not 1 to 35 characters of the SEPA set"));
  }
  return absl::OkStatus();
}

absl::Status CheckName(const std::string& name, std::string_view what) {
  const std::string text = ToSepaText(name, kMaxNameLength);
  const bool says_something =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c); });
  return says_something ? absl::OkStatus() : Malformed(absl::StrCat(ToAbsl(what), " is empty"));
}

// ISO 9362: four letters or digits, the country, two for the place, and three for the branch or
// none.
absl::Status CheckBic(std::string_view bic) {
  const bool has_length = bic.size() == 8 || bic.size() == 11;
  for (size_t i = 0; has_length && i < bic.size(); ++i) {
    const bool letter = bic[i] >= 'A' && bic[i] <= 'Z';
    const bool digit = bic[i] >= '0' && bic[i] <= '9';
    if (!letter && (!digit || i == 4 || i == 5)) return Malformed("the debtor's BIC is malformed");
  }
  return has_length ? absl::OkStatus() : Malformed("the debtor's BIC is malformed");
}

absl::Status CheckFile(const PaymentFile& file) {
  if (file.transfers.empty()) return Malformed("a payment file needs a transfer");
  GUILDER_RETURN_IF_ERROR(CheckId(file.message_id, "the message id"));
  GUILDER_RETURN_IF_ERROR(CheckName(file.initiating_party, "the initiating party's name"));
  GUILDER_RETURN_IF_ERROR(CheckName(file.debtor_name, "the debtor's name"));
  if (!file.debtor_bic.empty()) GUILDER_RETURN_IF_ERROR(CheckBic(file.debtor_bic));
  if (!ParseCurrency(FormatCurrency(file.currency)) || file.currency_exponent < 0 ||
      file.currency_exponent > kMaxFractionDigits) {
    return Malformed("the currency is malformed");
  }
  std::set<std::string_view> ids;
  for (const CreditTransfer& transfer : file.transfers) {
    GUILDER_RETURN_IF_ERROR(CheckId(transfer.end_to_end_id, "an end-to-end id"));
    if (!ids.insert(transfer.end_to_end_id).second) {
      return Malformed(absl::StrCat("end-to-end id ", transfer.end_to_end_id, " stands twice"));
    }
    GUILDER_RETURN_IF_ERROR(CheckName(transfer.creditor_name, "a creditor's name"));
  }
  GUILDER_RETURN_IF_ERROR(CheckIban(file.debtor_iban));
  for (const CreditTransfer& transfer : file.transfers) {
    GUILDER_RETURN_IF_ERROR(CheckIban(transfer.creditor_iban));
  }
  return absl::OkStatus();
}

absl::StatusOr<MinorUnits> ControlSum(const PaymentFile& file) {
  int64_t sum = 0;
  for (const CreditTransfer& transfer : file.transfers) {
    const int64_t amount = transfer.amount.value();
    if (amount <= 0 || amount > kMaxTransferAmount || amount > kMaxControlSum - sum) {
      return Refuse(Reason::kAmountOutOfRange, absl::StrCat("transfer ", transfer.end_to_end_id));
    }
    sum += amount;
  }
  return MinorUnits(sum);
}

// Appends <name>text</name> and gives it back.
pugi::xml_node Add(pugi::xml_node parent, const char* name, const std::string& text) {
  pugi::xml_node node = parent.append_child(name);
  node.text().set(text.c_str());
  return node;
}

void AddName(pugi::xml_node parent, const char* party, const std::string& name) {
  Add(parent.append_child(party), "Nm", ToSepaText(name, kMaxNameLength));
}

void AddAccount(pugi::xml_node parent, const char* account, const std::string& iban) {
  Add(parent.append_child(account).append_child("Id"), "IBAN", iban);
}

void AddTransfer(pugi::xml_node payment, const PaymentFile& file, const CreditTransfer& transfer) {
  pugi::xml_node node = payment.append_child("CdtTrfTxInf");
  Add(node.append_child("PmtId"), "EndToEndId", transfer.end_to_end_id);
  Add(node.append_child("Amt"), "InstdAmt", FormatAmount(transfer.amount, file.currency_exponent))
      .append_attribute("Ccy")
      .set_value(FormatCurrency(file.currency).c_str());
  AddName(node, "Cdtr", transfer.creditor_name);
  AddAccount(node, "CdtrAcct", transfer.creditor_iban);
  const std::string remittance = ToSepaText(transfer.remittance, kMaxRemittanceLength);
  if (!remittance.empty()) Add(node.append_child("RmtInf"), "Ustrd", remittance);
}

void AddPayment(pugi::xml_node initiation, const PaymentFile& file, const std::string& count,
                const std::string& control_sum) {
  pugi::xml_node payment = initiation.append_child("PmtInf");
  Add(payment, "PmtInfId", file.message_id);
  Add(payment, "PmtMtd", "TRF");
  Add(payment, "BtchBookg", file.batch_booking ? "true" : "false");
  Add(payment, "NbOfTxs", count);
  Add(payment, "CtrlSum", control_sum);
  // SEPA pays in euros only.
  const bool sepa = file.currency == Currency{'E', 'U', 'R'};
  if (sepa) Add(payment.append_child("PmtTpInf").append_child("SvcLvl"), "Cd", "SEPA");
  Add(payment.append_child("ReqdExctnDt"), "Dt", absl::FormatCivilTime(file.execution_date));
  AddName(payment, "Dbtr", file.debtor_name);
  AddAccount(payment, "DbtrAcct", file.debtor_iban);
  pugi::xml_node agent = payment.append_child("DbtrAgt").append_child("FinInstnId");
  if (file.debtor_bic.empty()) {
    Add(agent.append_child("Othr"), "Id", "NOTPROVIDED");
  } else {
    Add(agent, "BICFI", file.debtor_bic);
  }
  Add(payment, "ChrgBr", sepa ? "SLEV" : "SHAR");
  for (const CreditTransfer& transfer : file.transfers) AddTransfer(payment, file, transfer);
}

}  // namespace

absl::StatusOr<std::string> WritePain001(const PaymentFile& file) {
  GUILDER_RETURN_IF_ERROR(CheckFile(file));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits sum, ControlSum(file));
  const std::string count = absl::StrCat(file.transfers.size());
  const std::string control_sum = FormatAmount(sum, file.currency_exponent);

  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  pugi::xml_node root = document.append_child("Document");
  root.append_attribute("xmlns").set_value(kNamespace);
  pugi::xml_node initiation = root.append_child("CstmrCdtTrfInitn");
  pugi::xml_node header = initiation.append_child("GrpHdr");
  Add(header, "MsgId", file.message_id);
  Add(header, "CreDtTm", FormatTimestamp(file.created_at));
  Add(header, "NbOfTxs", count);
  Add(header, "CtrlSum", control_sum);
  AddName(header, "InitgPty", file.initiating_party);
  AddPayment(initiation, file, count, control_sum);

  std::ostringstream bytes;
  document.save(bytes, "  ", pugi::format_indent, pugi::encoding_utf8);
  return bytes.str();
}

}  // namespace guilder::iso20022
