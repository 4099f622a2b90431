// A bank's file as rows: what each payment in it is, before anybody asks what it pays. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/bank_matching.h"

namespace guilder::settlement {

// Names are those of settlement.bank_files.kind.
enum class BankFileKind { kStatement, kStatusReport };

// What the programme's own account is.
struct OwnAccount {
  // Empty when the operator-partner has none: then any account is taken for its.
  std::string iban;
  // The programme's.
  Currency currency{};
  // Those that settlements are of, and the digits of their minor units.
  std::map<Currency, int> exponents;
};

struct BankPayment {
  std::string account;
  std::string bank_reference;
  std::string booking_date;  // "2026-01-31"
  bool credit = false;
  Currency currency{};
  // Minor units of a currency that settlements are of; hundred-thousandths of another.
  MinorUnits amount;
  std::string end_to_end_id;
  std::string counterparty_name;
  std::string counterparty_account;
  std::string remittance;
  std::string return_reason;
  // kPending where it has to be matched.
  BankOutcome outcome = BankOutcome::kPending;
  // The same for the same payment in whichever file it comes.
  Digest identity{};
};

struct BankFile {
  BankFileKind kind = BankFileKind::kStatement;
  std::string message_id;
  // Of a status report: the message id of the payment file, and whether all of it is rejected.
  std::string original_message_id;
  bool all_rejected = false;
  std::string reason;  // Of that.
  std::vector<BankPayment> payments;
};

// Reads a camt.053 or pain.002 file. Errors: REQUEST_TOO_LARGE; REQUEST_MALFORMED, it is neither,
// and what is wrong with it.
absl::StatusOr<BankFile> ReadBankFile(std::string_view bytes, const OwnAccount& own);

// A payment of a payment file that `report` rejects as a whole.
BankPayment RejectedPayment(const BankFile& report, const std::string& end_to_end_id,
                            const Currency& currency);

}  // namespace guilder::settlement
