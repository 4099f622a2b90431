// Answers the calls of guilder.redemption.v1.CatalogService about vouchers.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/catalog_service.pb.h"

#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/names.h"
#include "libs/security/lookup_watch.h"
#include "services/redemption/rpc/catalog_commands.h"
#include "services/redemption/rpc/catalog_service.h"

namespace guilder::redemption {

// Thread safe. The reading ones block on the database; the others answer later.
class VoucherHandlers {
 public:
  // The rows outlive what the lanes still have to do.
  VoucherHandlers(const CatalogServiceDependencies& dependencies, CatalogRows& rows);

  void IssueVoucher(std::shared_ptr<const rpc::Call> call, const v1::IssueVoucherRequest& request,
                    rpc::Responder<v1::IssueVoucherResponse> respond);
  void RedeemVoucher(std::shared_ptr<const rpc::Call> call, const v1::RedeemVoucherRequest& request,
                     rpc::Responder<v1::RedeemVoucherResponse> respond);
  void RefundVoucher(std::shared_ptr<const rpc::Call> call, const v1::RefundVoucherRequest& request,
                     rpc::Responder<v1::RefundVoucherResponse> respond);
  absl::StatusOr<v1::GetVoucherResponse> GetVoucher(const rpc::Call& call,
                                                    const v1::GetVoucherRequest& request);
  absl::StatusOr<v1::ListVouchersResponse> ListVouchers(const rpc::Call& call,
                                                        const v1::ListVouchersRequest& request);

 private:
  // The voucher of a code, which is no use to somebody who tries one after the other. Errors:
  // kVoucherCodeMistyped, kRateLimited, kVoucherNotFound.
  absl::StatusOr<VoucherRow> FindByTypedCode(const rpc::Call& call, const std::string& typed);
  void NoteLookup(const rpc::Call& call, bool found);
  absl::StatusOr<VoucherRow> ReadRow(const RecordKey& key, absl::Time deadline);
  absl::StatusOr<std::unique_ptr<ledger::Command>> MakeRefund(
      const rpc::Call& call, const v1::RefundVoucherRequest& request, const Uuid& request_id);
  absl::StatusOr<MinorUnits> AmountOf(const guilder::type::v1::Money& money) const;
  v1::Voucher Shown(const rpc::Call& call, const VoucherRow& row) const;

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  rpc::WorkerPool& workers_;
  CatalogRows& rows_;
  security::LookupWatch lookups_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::redemption
