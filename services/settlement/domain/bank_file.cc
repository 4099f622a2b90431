#include "services/settlement/domain/bank_file.h"

#include <algorithm>

#include "absl/time/civil_time.h"

#include "libs/base/codec.h"
#include "libs/base/currency.h"
#include "libs/base/digest.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/iso20022/camt053.h"
#include "libs/iso20022/iban.h"
#include "libs/iso20022/pain002.h"

namespace guilder::settlement {
namespace {

// How much of a file is looked at for what kind it says it is.
constexpr size_t kHead = 4'096;
// Of amounts in hundred-thousandths.
constexpr int kBankDigits = 5;

// What banks write where they have no reference.
bool IsReference(const std::string& text) {
  return !text.empty() && text != "NONREF" && text != "NOTPROVIDED";
}

// With a reference of the bank, the payment is the same in any file; without, only in a repetition
// of the same statement.
Digest IdentityOf(const BankPayment& payment, const std::string& statement, size_t entry,
                  size_t part) {
  Encoder content;
  content.Unsigned(1).Bytes(payment.account);
  if (IsReference(payment.bank_reference)) {
    content.Bytes("reference").Bytes(payment.bank_reference);
  } else {
    content.Bytes("statement").Bytes(statement).Unsigned(entry);
  }
  content.Unsigned(part)
      .Bytes(payment.booking_date)
      .Unsigned(payment.credit ? 1 : 0)
      .Bytes(FormatCurrency(payment.currency))
      .Quantity(payment.amount)
      .Bytes(payment.end_to_end_id);
  return Sha256({content.str()});
}

// What a report says of a payment.
Digest IdentityOf(const std::string& message_id, const std::string& end_to_end_id,
                  const std::string& code) {
  Encoder content;
  content.Unsigned(2).Bytes(message_id).Bytes(end_to_end_id).Bytes(code);
  return Sha256({content.str()});
}

BankOutcome FirstOutcome(const BankPayment& payment, const iso20022::StatementEntry& entry,
                         const OwnAccount& own) {
  if (!own.iban.empty() && payment.account != own.iban) return BankOutcome::kOtherAccount;
  if (!own.exponents.contains(payment.currency)) return BankOutcome::kOtherCurrency;
  if (!entry.booked) return BankOutcome::kNotBooked;
  if (payment.amount == MinorUnits()) return BankOutcome::kNoAmount;
  return BankOutcome::kPending;
}

// Without what is less than a minor unit.
MinorUnits WholeUnits(const iso20022::BankAmount& amount, int exponent) {
  iso20022::BankAmount whole = amount;
  int64_t unit = 1;
  for (int i = exponent; i < kBankDigits; ++i) unit *= 10;
  whole.hundred_thousandths -= whole.hundred_thousandths % unit;
  return InMinorUnits(whole, exponent).value_or(MinorUnits());
}

BankPayment PaymentOf(const iso20022::BankStatement& statement, size_t entry_index, size_t part,
                      const OwnAccount& own) {
  const iso20022::StatementEntry& entry = statement.entries[entry_index];
  const iso20022::StatementPayment& told = entry.payments[part];
  BankPayment payment;
  payment.account = iso20022::NormaliseIban(statement.account);
  payment.bank_reference = entry.bank_reference;
  payment.booking_date = absl::FormatCivilTime(entry.booked_on);
  payment.credit = told.credit;
  payment.currency = told.amount.currency;
  // In the minor unit of its own currency, also where nothing is done with it.
  const auto known = own.exponents.find(payment.currency);
  const int exponent = known != own.exponents.end()
                           ? known->second
                           : CurrencyExponent(FormatCurrency(payment.currency));
  const std::optional<MinorUnits> minor = InMinorUnits(told.amount, exponent);
  payment.amount = minor.value_or(WholeUnits(told.amount, exponent));
  payment.end_to_end_id = told.end_to_end_id;
  payment.counterparty_name = told.counterparty_name;
  payment.counterparty_account = told.counterparty_account;
  payment.remittance = told.remittance;
  payment.return_reason = told.return_reason;
  payment.outcome = FirstOutcome(payment, entry, own);
  // A fraction of a minor unit is nobody's money.
  if (!minor && payment.outcome == BankOutcome::kPending) {
    payment.outcome = BankOutcome::kOtherCurrency;
  }
  payment.identity = IdentityOf(payment, statement.id, entry_index, part);
  return payment;
}

BankFile FromStatements(const iso20022::StatementFile& read, const OwnAccount& own) {
  BankFile file;
  file.kind = BankFileKind::kStatement;
  file.message_id = read.message_id;
  for (const iso20022::BankStatement& statement : read.statements) {
    for (size_t entry = 0; entry < statement.entries.size(); ++entry) {
      for (size_t part = 0; part < statement.entries[entry].payments.size(); ++part) {
        file.payments.push_back(PaymentOf(statement, entry, part, own));
      }
    }
  }
  return file;
}

BankFile FromReport(const iso20022::StatusReport& read, const OwnAccount& own) {
  BankFile file;
  file.kind = BankFileKind::kStatusReport;
  file.message_id = read.message_id;
  file.original_message_id = read.original_message_id;
  file.all_rejected = read.transfers.empty() && iso20022::IsRejected(read.group);
  file.reason = read.group.reason.empty() ? read.group.code : read.group.reason;
  for (const iso20022::TransferReport& transfer : read.transfers) {
    BankPayment payment;
    payment.currency = own.currency;
    payment.end_to_end_id = transfer.end_to_end_id;
    payment.remittance = transfer.status.text;
    payment.return_reason = transfer.status.reason;
    if (iso20022::IsRejected(transfer.status)) {
      if (payment.return_reason.empty()) payment.return_reason = transfer.status.code;
    } else {
      payment.outcome = BankOutcome::kAccepted;
    }
    payment.identity = IdentityOf(read.message_id, transfer.end_to_end_id, transfer.status.code);
    file.payments.push_back(std::move(payment));
  }
  return file;
}

}  // namespace

BankPayment RejectedPayment(const BankFile& report, const std::string& end_to_end_id,
                            const Currency& currency) {
  BankPayment payment;
  payment.currency = currency;
  payment.end_to_end_id = end_to_end_id;
  payment.return_reason = report.reason;
  payment.identity = IdentityOf(report.message_id, end_to_end_id, report.reason);
  return payment;
}

absl::StatusOr<BankFile> ReadBankFile(std::string_view bytes, const OwnAccount& own) {
  // Which of the two it is, its namespace says; the readers look whether that is so.
  if (bytes.substr(0, kHead).find("pain.002.001.") != std::string_view::npos) {
    GUILDER_ASSIGN_OR_RETURN(const iso20022::StatusReport report, iso20022::ReadPain002(bytes));
    return FromReport(report, own);
  }
  GUILDER_ASSIGN_OR_RETURN(const iso20022::StatementFile file, iso20022::ReadCamt053(bytes));
  return FromStatements(file, own);
}

}  // namespace guilder::settlement
