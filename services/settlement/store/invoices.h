// Reads and writes invoices. Each function runs in the caller's transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/invoice_document.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

// The invoices that a settlement's credits are for, by its lines: of each, the last one that billed
// the same contract version and leg.
std::map<int, std::string> FindCreditedInvoices(postgres::Transaction& transaction,
                                                SettlementId settlement);

// Numbers the drafts, in their order, and stores them with their parties. The numbers are taken in
// this transaction, so that none is lost when it fails. Whoever calls holds LockForWriting, and has
// stored the settlement's obligations. Gives the numbers.
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

// Keeps how the parties of a credit note are called now, that an adjustment of the partner gets.
void WriteNoteParties(postgres::Transaction& transaction, const std::string& number,
                      PartnerId partner);

// The numbers of the documents that a settlement's lines stand on, by line.
std::map<int, std::string> ReadInvoicesOfLines(postgres::Transaction& transaction,
                                               SettlementId settlement);

// An invoice or credit note of any kind.
std::optional<Invoice> FindInvoice(postgres::Transaction& transaction, const std::string& number);
// A partner's invoices of a settlement, and credit notes of what it took back, by number.
std::vector<Invoice> ReadInvoices(postgres::Transaction& transaction, SettlementId settlement,
                                  PartnerId partner);

}  // namespace guilder::settlement
