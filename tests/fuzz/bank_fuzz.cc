// Files from a bank: statements and status reports.
#include <string>

#include "libs/iso20022/camt053.h"
#include "libs/iso20022/pain002.h"
#include "tests/fuzz/property.h"

namespace guilder {
namespace {

constexpr int64_t kMostOfAmount = INT64_MAX;

void CheckText(const std::string& text, size_t most_bytes) {
  FUZZ_CHECK(text.size() <= most_bytes);
  FUZZ_CHECK(text.find('\0') == std::string::npos);
}

// The parts of an entry come to the whole, whatever the file says.
void CheckEntry(const iso20022::StatementEntry& entry) {
  CheckText(entry.bank_reference, 35 * 4);
  FUZZ_CHECK(!entry.payments.empty());
  int64_t sum = 0;
  for (const iso20022::StatementPayment& payment : entry.payments) {
    CheckText(payment.end_to_end_id, 35 * 4);
    CheckText(payment.counterparty_name, 140 * 4);
    CheckText(payment.remittance, 500);
    FUZZ_CHECK(payment.amount.currency == entry.amount.currency);
    FUZZ_CHECK(payment.credit == entry.credit);
    FUZZ_CHECK(payment.amount.hundred_thousandths >= 0);
    FUZZ_CHECK(payment.amount.hundred_thousandths <= kMostOfAmount - sum);
    sum += payment.amount.hundred_thousandths;
  }
  FUZZ_CHECK(sum == entry.amount.hundred_thousandths);
}

void CheckStatement(std::string_view bytes) {
  const auto file = iso20022::ReadCamt053(bytes);
  if (!file.ok()) return;
  FUZZ_CHECK(!file->message_id.empty() && !file->statements.empty());
  for (const iso20022::BankStatement& statement : file->statements) {
    FUZZ_CHECK(!statement.id.empty() && !statement.account.empty());
    for (const iso20022::StatementEntry& entry : statement.entries) CheckEntry(entry);
  }
  // Written again it is a statement of as many entries.
  const auto again = iso20022::ReadCamt053(
      iso20022::WriteCamt053(*file, Timestamp(0), absl::CivilDay(2026, 1, 1)));
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->statements.size() == file->statements.size());
  FUZZ_CHECK(again->statements[0].entries.size() == file->statements[0].entries.size());
}

void CheckReport(std::string_view bytes) {
  const auto report = iso20022::ReadPain002(bytes);
  if (!report.ok()) return;
  FUZZ_CHECK(!report->original_message_id.empty());
  for (const iso20022::TransferReport& transfer : report->transfers) {
    FUZZ_CHECK(!(iso20022::IsRejected(transfer.status) && iso20022::IsSettled(transfer.status)));
    CheckText(transfer.end_to_end_id, 35 * 4);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = fuzz::View(data, size);
  CheckStatement(bytes);
  CheckReport(bytes);
  return 0;
}

}  // namespace guilder
