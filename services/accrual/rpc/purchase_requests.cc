// What partners ask, from messages to the domain. Needs neither a server nor a database.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/purchase_proto.h"

namespace guilder::accrual {
namespace {

absl::Status Malformed(std::string_view what) {
  return Refuse(Reason::kRequestMalformed, what);
}

absl::StatusOr<std::string> OwnStore(std::string_view name, const std::string& slug) {
  GUILDER_ASSIGN_OR_RETURN(StoreName store, ParseStoreName(name));
  if (store.partner_slug != slug) return Refuse(Reason::kNotYours, "the store");
  return std::move(store.code);
}

std::string Trimmed(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

template <typename Lines>
void AddLines(const Lines& lines, Purchase& purchase) {
  for (const v1::PurchaseLine& line : lines) {
    purchase.lines.push_back({line.line_id(), line.sku(), line.quantity(),
                              MinorUnits(line.amount_minor_units()), line.category(),
                              MinorUnits(line.tax_minor_units())});
  }
}

template <typename Tenders>
absl::Status AddTenders(const Tenders& tenders, Purchase& purchase) {
  for (const v1::Tender& tender : tenders) {
    if (tender.kind() < v1::TENDER_KIND_MONEY || tender.kind() > v1::TENDER_KIND_VOUCHER) {
      return Malformed("a tender's kind");
    }
    purchase.tenders.push_back(
        {static_cast<TenderKind>(tender.kind()), MinorUnits(tender.amount_minor_units())});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoreName> ParseStoreName(std::string_view name) {
  const auto parts = rpc::ParseName("partners/{}/stores/{}", name);
  if (!parts) return Malformed("store: write partners/PARTNER/stores/STORE");
  return StoreName{(*parts)[0], (*parts)[1]};
}

absl::StatusOr<ReceiptKey> FromProto(const v1::ReceiptKey& receipt, const std::string& slug) {
  ReceiptKey key;
  GUILDER_ASSIGN_OR_RETURN(key.store, OwnStore(receipt.store(), slug));
  key.terminal = Trimmed(receipt.terminal());
  key.receipt_number = Trimmed(receipt.receipt_number());
  key.order_id = Trimmed(receipt.order_id());
  key.business_date = receipt.business_date();
  return key;
}

absl::StatusOr<Purchase> FromProto(const v1::RecordPurchaseRequest& request,
                                   const std::string& slug) {
  Purchase purchase;
  GUILDER_ASSIGN_OR_RETURN(purchase.receipt, FromProto(request.receipt(), slug));
  purchase.occurred_at = rpc::FromProto(request.occurred_at()).value_or(Timestamp(0));
  purchase.cashier = request.cashier();
  purchase.sequence_number = request.sequence_number();
  if (!request.redemption().empty()) {
    const std::optional<RecordId> hold = ParseRecordName("redemptions", request.redemption());
    if (!hold) return Refuse(Reason::kRedemptionNotFound);
    purchase.redemption_book = hold->book;
    purchase.redemption = hold->number;
  }
  AddLines(request.lines(), purchase);
  GUILDER_RETURN_IF_ERROR(AddTenders(request.tenders(), purchase));
  GUILDER_RETURN_IF_ERROR(Normalise(purchase));
  const std::optional<Currency> currency = ParseCurrency(request.currency_code());
  if (!currency) return Refuse(Reason::kCurrencyNotSupported);
  purchase.currency = *currency;
  GUILDER_ASSIGN_OR_RETURN(purchase.card, rpc::ParseCardNumber(request.card_number()));
  return purchase;
}

absl::StatusOr<Purchase> FromProto(const v1::QuotePurchaseRequest& request,
                                   const std::string& slug) {
  Purchase purchase;
  GUILDER_ASSIGN_OR_RETURN(purchase.receipt.store, OwnStore(request.store(), slug));
  purchase.receipt.terminal = Trimmed(request.terminal());
  // A quote needs no receipt yet; one that is well formed passes the checks of a purchase.
  purchase.receipt.order_id = "quote";
  purchase.occurred_at = rpc::FromProto(request.occurred_at()).value_or(Timestamp(0));
  AddLines(request.lines(), purchase);
  GUILDER_RETURN_IF_ERROR(AddTenders(request.tenders(), purchase));
  GUILDER_RETURN_IF_ERROR(Normalise(purchase));
  const std::optional<Currency> currency = ParseCurrency(request.currency_code());
  if (!currency) return Refuse(Reason::kCurrencyNotSupported);
  purchase.currency = *currency;
  GUILDER_ASSIGN_OR_RETURN(purchase.card, rpc::ParseCardNumber(request.card_number()));
  return purchase;
}

absl::StatusOr<Return> FromProto(const v1::RecordReturnRequest& request, const std::string& slug) {
  Return returned;
  GUILDER_ASSIGN_OR_RETURN(returned.store, OwnStore(request.store(), slug));
  returned.return_number = Trimmed(request.return_number());
  returned.occurred_at = rpc::FromProto(request.occurred_at()).value_or(Timestamp(0));
  for (const v1::ReturnLine& line : request.lines()) {
    if (HasNul(line.sku())) return Malformed("a line's sku holds the character NUL");
    returned.lines.push_back({line.line_id(), line.quantity(), line.sku()});
  }
  GUILDER_RETURN_IF_ERROR(CheckReturn(returned));
  return returned;
}

std::optional<RecordId> ParseRecordName(std::string_view collection, std::string_view name) {
  const auto parts = rpc::ParseName(absl::StrCat(ToAbsl(collection), "/{}"), name);
  if (!parts) return std::nullopt;
  const size_t dash = (*parts)[0].find('-');
  if (dash == std::string::npos) return std::nullopt;
  const std::optional<int64_t> book = rpc::ParseNumber((*parts)[0].substr(0, dash));
  const std::optional<int64_t> number = rpc::ParseNumber((*parts)[0].substr(dash + 1));
  if (!book || !number || *book > 65'535) return std::nullopt;
  return RecordId{BookId(static_cast<int32_t>(*book)), RecordNumber(*number)};
}

std::optional<ParkedItemId> ParseParkedItemName(std::string_view name) {
  const auto parts = rpc::ParseName("parkedItems/{}", name);
  const size_t dash = parts ? (*parts)[0].find('-') : std::string::npos;
  if (dash == std::string::npos) return std::nullopt;
  const std::optional<int64_t> partner = rpc::ParseNumber((*parts)[0].substr(0, dash));
  const std::optional<Uuid> request_id = ParseUuid((*parts)[0].substr(dash + 1));
  if (!partner || !request_id || *partner > INT32_MAX) return std::nullopt;
  return ParkedItemId{PartnerId(static_cast<int32_t>(*partner)), *request_id};
}

}  // namespace guilder::accrual
