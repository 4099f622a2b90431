#include "services/settlement/domain/payments.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/iso20022/pain001.h"

namespace guilder::settlement {

namespace {

// "12", "12-2".
std::string Numbered(SettlementId settlement, int number) {
  const std::string first = absl::StrCat(settlement.value());
  return number == 1 ? first : absl::StrCat(first, "-", number);
}

}  // namespace

std::string PaymentFileName(SettlementId settlement, int number) {
  return absl::StrCat("settlement-", Numbered(settlement, number), ".xml");
}

absl::StatusOr<std::string> WritePaymentFile(const Settlement& settlement, int number, Timestamp at,
                                             int currency_exponent, const absl::TimeZone& time_zone,
                                             const Account& debtor,
                                             const std::vector<Payment>& payments) {
  iso20022::PaymentFile file;
  file.message_id = absl::StrCat("GLD-", Numbered(settlement.id, number));
  file.created_at = at;
  file.initiating_party = debtor.holder;
  file.debtor_name = debtor.holder;
  file.debtor_iban = debtor.iban;
  file.execution_date = absl::ToCivilDay(ToAbslTime(at), time_zone);
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
