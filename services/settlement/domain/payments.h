// The payments of a settlement, as a file for the operator's bank.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

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

// "settlement-12.xml"; the second file is "settlement-12-2.xml".
std::string PaymentFileName(SettlementId settlement, int number);

// The `number`th pain.001.001.09 file of a settlement, which pays each of `payments` from `debtor`.
// It is dated `at`, and is to be executed on that day.
//
// Errors: as iso20022::WritePain001.
absl::StatusOr<std::string> WritePaymentFile(const Settlement& settlement, int number, Timestamp at,
                                             int currency_exponent, absl::CivilDay execution_day,
                                             const Account& debtor,
                                             const std::vector<Payment>& payments);

}  // namespace guilder::settlement
