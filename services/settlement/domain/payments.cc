#include "services/settlement/domain/payments.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/iso20022/pain001.h"

namespace guilder::settlement {

std::string PaymentFileName(SettlementId settlement) {
  return absl::StrCat("settlement-", settlement.value(), ".xml");
}

absl::StatusOr<std::string> WritePaymentFile(const Settlement& settlement, int currency_exponent,
                                             const absl::TimeZone& time_zone, const Account& debtor,
                                             const std::vector<Payment>& payments) {
  if (!settlement.approved_at) return absl::InternalError("the settlement is not approved");
  iso20022::PaymentFile file;
  file.message_id = absl::StrCat("GLD-", settlement.id.value());
  file.created_at = *settlement.approved_at;
  file.initiating_party = debtor.holder;
  file.debtor_name = debtor.holder;
  file.debtor_iban = debtor.iban;
  file.execution_date = absl::ToCivilDay(ToAbslTime(*settlement.approved_at), time_zone);
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
