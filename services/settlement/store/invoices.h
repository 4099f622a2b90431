// Reads and writes invoices. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

struct Invoice {
  std::string number;
  InvoiceKind kind = InvoiceKind::kInvoice;
  PartnerId partner;
  SettlementId settlement;
  Currency currency{};
  Timestamp issued_at;
  MinorUnits net;
  MinorUnits tax;
  std::vector<Line> lines;  // Of the settlement, in order.
};

// Numbers the drafts, in their order, and stores them. The numbers are taken in this transaction,
// so that none is lost when it fails. Whoever calls holds LockForWriting. Gives the numbers.
std::vector<std::string> WriteInvoices(postgres::Transaction& transaction,
                                       const Settlement& settlement, int year,
                                       const std::vector<InvoiceDraft>& drafts);

// Of all partners' invoices of a settlement, in the order in which WriteInvoices gave them.
std::vector<std::string> ReadInvoiceNumbers(postgres::Transaction& transaction,
                                            SettlementId settlement);
// The numbers of a settlement's invoices with their partners, by number.
struct PartnerInvoice {
  std::string partner_slug;
  std::string number;
};
std::vector<PartnerInvoice> ReadPartnerInvoices(postgres::Transaction& transaction,
                                                SettlementId settlement);
std::optional<Invoice> FindInvoice(postgres::Transaction& transaction, const std::string& number);
// A partner's invoices of a settlement, by number.
std::vector<Invoice> ReadInvoices(postgres::Transaction& transaction, SettlementId settlement,
                                  PartnerId partner);

}  // namespace guilder::settlement
