// Answers with documents: lists of invoices, statements, reports.
#pragma once

#include "absl/status/statusor.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"

namespace guilder::security {
class Secrets;
}

namespace guilder::settlement {

// Thread safe. Handlers block on the database: they run on the runtime's workers.
class DocumentHandlers {
 public:
  // The pool outlives the handlers.
  DocumentHandlers(postgres::Pool& pool, const security::Secrets& secrets);

  absl::StatusOr<v1::ListInvoicesResponse> ListInvoices(const rpc::Call& call,
                                                        const v1::ListInvoicesRequest& request);
  absl::StatusOr<v1::RenderStatementResponse> RenderStatement(
      const rpc::Call& call, const v1::RenderStatementRequest& request);
  absl::StatusOr<v1::RenderInvoiceResponse> RenderInvoice(const rpc::Call& call,
                                                          const v1::RenderInvoiceRequest& request);
  absl::StatusOr<v1::RenderSettlementReportResponse> RenderSettlementReport(
      const rpc::Call& call, const v1::RenderSettlementReportRequest& request);

 private:
  postgres::Pool& pool_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::settlement
