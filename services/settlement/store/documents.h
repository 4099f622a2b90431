// Reads what statements and reports show beside the settlement itself.
//
// Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/report_document.h"
#include "services/settlement/domain/statement_document.h"
#include "services/settlement/store/invoices.h"

namespace guilder::settlement {

// How a partner's account stood before and after an approved settlement, by the money ledger.
StatementBalance ReadStatementBalance(postgres::Transaction& transaction,
                                      const Settlement& settlement, PartnerId partner);

// Points issued and redeemed by the windows of a settlement, in their order.
std::vector<ReportDay> ReadWindowPoints(postgres::Transaction& transaction,
                                        SettlementId settlement);

struct InvoiceFilter {
  std::optional<SettlementId> settlement;
  std::optional<PartnerId> partner;
};
// The numbers of invoices in the order in which they were issued, those after that number.
std::vector<std::string> ListInvoiceNumbers(postgres::Transaction& transaction,
                                            const InvoiceFilter& filter, const std::string& after,
                                            int limit);

}  // namespace guilder::settlement
