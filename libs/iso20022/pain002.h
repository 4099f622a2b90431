// Reads what a bank says about a payment file: ISO 20022 pain.002.001, versions 03, 10 and 11.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace guilder::iso20022 {

// What a bank says of a payment, of a batch or of a file, as far as it says anything.
struct PaymentStatus {
  // "ACCP", "ACSC", "RJCT", …; empty when it is said of the parts only.
  std::string code;
  // Why, as in "AC04"; and in words. Empty when not said.
  std::string reason;
  std::string text;
};

// Whether nothing will come of it: RJCT, or CANC.
bool IsRejected(const PaymentStatus& status);
// Whether the money has left: ACSC or ACCC.
bool IsSettled(const PaymentStatus& status);

struct TransferReport {
  std::string end_to_end_id;
  // Its own, or else that of its batch, or else that of its file.
  PaymentStatus status;
};

struct StatusReport {
  std::string message_id;
  // The message id of the payment file, and its kind, as in "pain.001.001.09".
  std::string original_message_id;
  std::string original_kind;
  // Of the file as a whole.
  PaymentStatus group;
  // Those that are named. A rejected file may name none: then all are meant.
  std::vector<TransferReport> transfers;
};

// Errors, first match wins: `REQUEST_TOO_LARGE`; `REQUEST_MALFORMED`, what the first thing is that
// is wrong with the file.
absl::StatusOr<StatusReport> ReadPain002(std::string_view bytes);

}  // namespace guilder::iso20022
