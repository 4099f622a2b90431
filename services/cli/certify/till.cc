#include "services/cli/certify/till.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace guilder::cli::certify {
namespace {

namespace v1 = accrual::v1;

constexpr int64_t kPieces = 4;
constexpr int64_t kAmount = 4'000;

void SetTime(absl::Time time, google::protobuf::Timestamp& out) {
  out.set_seconds(absl::ToUnixSeconds(time));
}

}  // namespace

v1::RecordPurchaseRequest Till::ASale(int minutes) {
  const absl::Time at = place_.now - absl::Minutes(minutes);
  v1::RecordPurchaseRequest sale;
  sale.set_request_id(clients::NewRequestId());
  // Till tests of other days have used the same numbers, so the receipt has the request id in it.
  sale.mutable_receipt()->set_order_id(
      absl::StrCat("certify-", ++receipts_, "-", sale.request_id()));
  sale.mutable_receipt()->set_store(place_.store);
  sale.set_card_number(place_.card);
  SetTime(at, *sale.mutable_occurred_at());
  sale.set_currency_code(place_.currency);
  for (const char* const sku : {"certify-a", "certify-b"}) {
    v1::PurchaseLine& line = *sale.add_lines();
    line.set_sku(sku);
    line.set_quantity(kPieces);
    line.set_amount_minor_units(kAmount);
  }
  return sale;
}

absl::StatusOr<v1::RecordPurchaseResponse> Till::Send(const v1::RecordPurchaseRequest& sale,
                                                      bool* replayed) const {
  clients::Answered answered;
  auto answer = accrual_.Invoke(&v1::AccrualService::Stub::RecordPurchase, sale, {}, &answered);
  if (replayed != nullptr) *replayed = answered.replayed;
  return answer;
}

absl::StatusOr<v1::RecordReturnResponse> Till::Return(const std::string& purchase,
                                                      int64_t pieces) const {
  v1::RecordReturnRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_store(place_.store);
  SetTime(place_.now, *request.mutable_occurred_at());
  request.set_purchase(purchase);
  request.add_lines()->set_line_id("1");
  request.mutable_lines(0)->set_quantity(pieces);
  return accrual_.Invoke(&v1::AccrualService::Stub::RecordReturn, request);
}

}  // namespace guilder::cli::certify
