#include "services/settlement/domain/payments.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/iso20022/pain001.h"
#include "services/settlement/domain/bank_matching.h"

namespace guilder::settlement {

std::string PaymentFileName(SettlementId settlement, int number) {
  const std::string first = absl::StrCat("settlement-", settlement.value());
  return number == 1 ? absl::StrCat(first, ".xml") : absl::StrCat(first, "-", number, ".xml");
}

absl::StatusOr<std::string> WritePaymentFile(const Settlement& settlement, int number, Timestamp at,
                                             int currency_exponent, absl::CivilDay execution_day,
                                             const Account& debtor,
                                             const std::vector<Payment>& payments) {
  iso20022::PaymentFile file;
  file.message_id = MessageIdOf({settlement.id, number});
  file.created_at = at;
  file.initiating_party = debtor.holder;
  file.debtor_name = debtor.holder;
  file.debtor_iban = debtor.iban;
  file.execution_date = execution_day;
  file.currency = settlement.currency;
  file.currency_exponent = currency_exponent;
  for (const Payment& payment : payments) {
    file.transfers.push_back(
        {.end_to_end_id = payment.end_to_end_id,
         .amount = payment.amount,
         .creditor_name = payment.creditor.holder,
         .creditor_iban = payment.creditor.iban,
         .remittance = absl::StrCat("Loyalty points, settlement ", settlement.id.value())});
  }
  return iso20022::WritePain001(file);
}

}  // namespace guilder::settlement
