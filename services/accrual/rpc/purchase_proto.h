// Between the wire's messages and the domain.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/record.h"
#include "services/accrual/domain/return.h"
#include "services/accrual/store/parked_items.h"

namespace guilder::accrual {

// A store's name as the partner's slug and its own code of the store.
struct StoreName {
  std::string partner_slug;
  std::string code;
};
// Error: kRequestMalformed.
absl::StatusOr<StoreName> ParseStoreName(std::string_view name);

// Errors: kRequestMalformed; kNotYours when the receipt's store is another partner's than `slug`.
absl::StatusOr<ReceiptKey> FromProto(const v1::ReceiptKey& receipt, const std::string& slug);

// Errors: kRequestMalformed, kAmountOutOfRange, kCurrencyNotSupported for no currency at all,
// kCardMissing, kCardNumberMistyped, kNotYours.
absl::StatusOr<Purchase> FromProto(const v1::RecordPurchaseRequest& request,
                                   const std::string& slug);

// The purchase that is quoted, without a receipt's key. Errors as above.
absl::StatusOr<Purchase> FromProto(const v1::QuotePurchaseRequest& request,
                                   const std::string& slug);

// Without the lines' sale, which is not part of it. Errors: kRequestMalformed, kAmountOutOfRange,
// kNotYours.
absl::StatusOr<Return> FromProto(const v1::RecordReturnRequest& request, const std::string& slug);

// The book and record number of "purchases/3-1042"; nothing for another name.
struct RecordId {
  BookId book;
  RecordNumber number;
};
std::optional<RecordId> ParseRecordName(std::string_view collection, std::string_view name);

// The partner and request id of "parkedItems/3-…"; nothing for another name.
struct ParkedItemId {
  PartnerId partner;
  Uuid request_id{};
};
std::optional<ParkedItemId> ParseParkedItemName(std::string_view name);

// `taken` is what returns have taken back so far. Without the member, whose name depends on who
// asks.
v1::Purchase ToProto(const Sale& sale, const TakenBack& taken, const std::string& partner_slug);

void FillSettlement(const Sale& sale, const ReturnOutcome& outcome,
                    const ledger::Configuration& configuration, v1::ReturnSettlement& out);

// "partners/{slug}"; empty for no partner.
std::string PartnerName(PartnerId partner, const ledger::Configuration& configuration);

// What a return, posted or not, came to: the fields that RecordReturnResponse and
// PreviewReturnResponse have in common.
template <typename Response>
void FillReturn(const Sale& sale, const ReturnOutcome& outcome,
                const ledger::Configuration& configuration, Response& response) {
  response.set_purchase(ledger::RecordName(ledger::RecordKind::kPurchase, sale.book, sale.number));
  response.set_points_reversed(outcome.points.value());
  for (const Points points : outcome.line_points) response.add_line_points(points.value());
  response.set_points_owed(outcome.owed.value());
  FillSettlement(sale, outcome, configuration, *response.mutable_settlement());
}
v1::ParkedItem ToProto(const ParkedItem& item);
// Digests what was proposed for a parked return, and the request; empty where nothing was.
std::string EtagOf(const ParkedItem& item);

// A purchase as text, for people who look at a parked one.
std::string DescribePurchase(const Purchase& purchase);

}  // namespace guilder::accrual
