// Answers the calls of guilder.settlement.v1.SettlementService: translates, asks domain and store,
// translates.
#pragma once

#include <optional>
#include <string>
#include <vector>

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
class SettlementHandlers {
 public:
  // The pool outlives the handlers.
  SettlementHandlers(postgres::Pool& pool, const security::Secrets& secrets);

  // window_handlers.cc.
  absl::StatusOr<v1::ListWindowsResponse> ListWindows(const rpc::Call& call,
                                                      const v1::ListWindowsRequest& request);
  absl::StatusOr<v1::GetWindowResponse> GetWindow(const rpc::Call& call,
                                                  const v1::GetWindowRequest& request);
  absl::StatusOr<v1::CloseWindowResponse> CloseWindow(const rpc::Call& call,
                                                      const v1::CloseWindowRequest& request);

  // holiday_handlers.cc.
  absl::StatusOr<v1::ListHolidaysResponse> ListHolidays(const rpc::Call& call,
                                                        const v1::ListHolidaysRequest& request);
  absl::StatusOr<v1::AddHolidaysResponse> AddHolidays(const rpc::Call& call,
                                                      const v1::AddHolidaysRequest& request);
  absl::StatusOr<v1::RemoveHolidayResponse> RemoveHoliday(const rpc::Call& call,
                                                          const v1::RemoveHolidayRequest& request);

  // settlement_handlers.cc: a settlement's life.
  absl::StatusOr<v1::ComputeSettlementResponse> ComputeSettlement(
      const rpc::Call& call, const v1::ComputeSettlementRequest& request);
  absl::StatusOr<v1::ApproveSettlementResponse> ApproveSettlement(
      const rpc::Call& call, const v1::ApproveSettlementRequest& request);
  absl::StatusOr<v1::RejectSettlementResponse> RejectSettlement(
      const rpc::Call& call, const v1::RejectSettlementRequest& request);

  // obligation_handlers.cc.
  absl::StatusOr<v1::ExportPaymentsResponse> ExportPayments(
      const rpc::Call& call, const v1::ExportPaymentsRequest& request);
  absl::StatusOr<v1::DefaultObligationResponse> DefaultObligation(
      const rpc::Call& call, const v1::DefaultObligationRequest& request);
  absl::StatusOr<v1::GetSettlementPolicyResponse> GetSettlementPolicy(
      const rpc::Call& call, const v1::GetSettlementPolicyRequest& request);
  absl::StatusOr<v1::UpdateSettlementPolicyResponse> UpdateSettlementPolicy(
      const rpc::Call& call, const v1::UpdateSettlementPolicyRequest& request);

  // reading_handlers.cc.
  absl::StatusOr<v1::GetSettlementResponse> GetSettlement(const rpc::Call& call,
                                                          const v1::GetSettlementRequest& request);
  absl::StatusOr<v1::ListSettlementsResponse> ListSettlements(
      const rpc::Call& call, const v1::ListSettlementsRequest& request);
  absl::StatusOr<v1::ListObligationsResponse> ListObligations(
      const rpc::Call& call, const v1::ListObligationsRequest& request);
  absl::StatusOr<v1::GetPartnerStatementResponse> GetPartnerStatement(
      const rpc::Call& call, const v1::GetPartnerStatementRequest& request);
  absl::StatusOr<v1::GetInvoiceResponse> GetInvoice(const rpc::Call& call,
                                                    const v1::GetInvoiceRequest& request);

  // money_handlers.cc.
  absl::StatusOr<v1::GetBalanceSheetResponse> GetBalanceSheet(
      const rpc::Call& call, const v1::GetBalanceSheetRequest& request);
  absl::StatusOr<v1::ListMoneyEntriesResponse> ListMoneyEntries(
      const rpc::Call& call, const v1::ListMoneyEntriesRequest& request);

  // liability_handlers.cc.
  absl::StatusOr<v1::GetLiabilityResponse> GetLiability(const rpc::Call& call,
                                                        const v1::GetLiabilityRequest& request);

 private:
  postgres::Pool& pool_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::settlement
