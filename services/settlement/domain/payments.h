// The payments of a settlement, as a file for the operator's bank.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

struct Account {
  std::string holder;
  std::string iban;
};

struct Payment {
  PartnerId partner;
  std::string end_to_end_id;
  MinorUnits amount;
  Account creditor;
};

// "settlement-12.xml".
std::string PaymentFileName(SettlementId settlement);

// A pain.001.001.09 file that pays each of `payments` from `debtor`. Everything in it follows from
// the approved settlement, so that it can be written again to the byte: it is dated by the
// approval, and is to be executed on the approval's local day.
//
// Errors: as iso20022::WritePain001.
absl::StatusOr<std::string> WritePaymentFile(const Settlement& settlement, int currency_exponent,
                                             const absl::TimeZone& time_zone, const Account& debtor,
                                             const std::vector<Payment>& payments);

}  // namespace guilder::settlement
