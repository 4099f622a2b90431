// Reads statements of bank accounts: ISO 20022 camt.053.001, versions 02, 04 and 08.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

#include "libs/base/types.h"
#include "libs/iso20022/bank_amount.h"

namespace guilder::iso20022 {

// One payment in an entry.
struct StatementPayment {
  std::string end_to_end_id;  // Empty when there is none ("NOTPROVIDED").
  BankAmount amount;
  bool credit = false;               // Whether it came in.
  std::string counterparty_name;     // Who paid, or was paid.
  std::string counterparty_account;  // Its IBAN, or what the bank calls it.
  std::string remittance;            // What was written for the receiver, at most 500 characters.
  // The code of the reason, as in "AC04", when it came back; "UNSTATED" when the bank gives none.
  std::string return_reason;
};

// One movement on the account.
struct StatementEntry {
  // What the bank calls it; empty when it does not.
  std::string bank_reference;
  BankAmount amount;
  bool credit = false;
  bool reversal = false;  // It takes back an earlier entry.
  bool booked = false;    // Otherwise it is announced only.
  absl::CivilDay booked_on;
  // At least one; their amounts come to the entry's. Where the bank's details do not add up, one
  // payment stands for the entry as a whole, without an end-to-end id.
  std::vector<StatementPayment> payments;
};

// What an account had at the beginning or the end. Negative: overdrawn.
struct StatementBalance {
  BankAmount amount;
  bool credit = false;
};

struct BankStatement {
  std::string id;       // The bank's, unique for the account.
  std::string account;  // Its IBAN, or what the bank calls it.
  std::optional<StatementBalance> opening;
  std::optional<StatementBalance> closing;
  std::vector<StatementEntry> entries;
};

struct StatementFile {
  std::string message_id;
  std::vector<BankStatement> statements;
};

// Errors, first match wins: `REQUEST_TOO_LARGE`; `REQUEST_MALFORMED`, what the first thing is that
// is wrong with the file. Nothing of a file that is wrong is read.
absl::StatusOr<StatementFile> ReadCamt053(std::string_view bytes);

// Writes what a bank would, in version 08: for demonstrations and tests. Texts must be UTF-8
// without control characters. Accounts are written as IBANs, entries without a date as of 1970,
// balances as of `day`; what ReadCamt053 then gives is `file`.
std::string WriteCamt053(const StatementFile& file, Timestamp created_at, absl::CivilDay day);

}  // namespace guilder::iso20022
