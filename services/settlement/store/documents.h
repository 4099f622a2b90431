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

// How a partner's account moved in the money ledger from the approval of the settlement before, of
// the same currency, to that of this one.
StatementBalance ReadStatementBalance(postgres::Transaction& transaction,
                                      const Settlement& settlement, PartnerId partner);

// The numbers of the credit notes by which it was credited in that time.
std::vector<std::string> ReadNotesSince(postgres::Transaction& transaction,
                                        const Settlement& settlement, PartnerId partner);

// Points issued and redeemed in the windows of a settlement by the day on which they were, of the
// programme's zone; days on which none were are left out.
std::vector<ReportDay> ReadDays(postgres::Transaction& transaction, SettlementId settlement);

struct InvoiceFilter {
  std::optional<SettlementId> settlement;
  std::optional<PartnerId> partner;
};
// The numbers of invoices in the order in which they were issued, those after that number.
std::vector<std::string> ListInvoiceNumbers(postgres::Transaction& transaction,
                                            const InvoiceFilter& filter, const std::string& after,
                                            int limit);

}  // namespace guilder::settlement
