// Writes customer credit transfer initiations: ISO 20022 pain.001.001.09, as SEPA uses it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

#include "libs/base/types.h"

namespace guilder::iso20022 {

struct CreditTransfer {
  std::string end_to_end_id;  // Unique in its file. At most 35 characters of the SEPA set.
  MinorUnits amount;          // Above zero.
  std::string creditor_name;
  std::string creditor_iban;  // Electronic form.
  std::string remittance;     // What the creditor reads on its statement; may be empty.
};

struct PaymentFile {
  std::string message_id;  // Unique for the bank, for ever. At most 35 characters of the SEPA set.
  Timestamp created_at;
  std::string initiating_party;
  std::string debtor_name;
  std::string debtor_iban;
  std::string debtor_bic;  // May be empty: the bank knows its customer's.
  absl::CivilDay execution_date;
  bool batch_booking = true;  // One debit for the whole file.
  Currency currency{};
  int currency_exponent = 2;  // Digits of the minor unit.
  std::vector<CreditTransfer> transfers;
};

// The file's bytes: UTF-8, indented, the same for the same input. Names and remittance are brought
// to the SEPA character set and cut to 70 and 140 characters; ids are never changed.
//
// Errors, first match wins: `REQUEST_MALFORMED`, there is no transfer, an id is empty, too long,
// not of the SEPA set, begins or ends with "/" or has "//", or stands twice, a name is empty, or
// the BIC or currency is malformed; `IBAN_INVALID`; `AMOUNT_OUT_OF_RANGE`, an amount is not above
// zero, or the amounts or their sum are larger than the format allows.
absl::StatusOr<std::string> WritePain001(const PaymentFile& file);

// UTF-8 text in the SEPA character set (a-z A-Z 0-9 / - ? : ( ) . , ' + and space), at most
// `max_length` characters: accents are dropped, "&" becomes "+", "_" becomes "-", what has no
// likeness becomes ".".
std::string ToSepaText(std::string_view utf8, size_t max_length);

}  // namespace guilder::iso20022
