#include "libs/ledger/core/record.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/text.h"
#include "libs/ledger/core/merkle.h"

namespace guilder::ledger {
namespace {

// What a record with a few entries comes to besides its content and response.
constexpr size_t kUsualFixedBytes = 384;

void EncodeSide(const Side& side, Encoder& encoder) {
  encoder.Id(side.account).Unsigned(static_cast<uint64_t>(side.bucket)).Id(side.lot);
}

// Added to the code of what happens on the date where the lot has an origin, which follows.
constexpr uint64_t kHasOrigin = 16;

void EncodeTerms(const Lot& lot, Encoder& encoder) {
  const bool has_origin = static_cast<bool>(lot.origin.account);
  encoder.Id(lot.id)
      .Id(lot.issuer)
      .Id(lot.contract)
      .Quantity(lot.issued)
      .Quantity(lot.activates_at)
      .Quantity(lot.expires_at)
      .Unsigned(static_cast<uint64_t>(lot.on_due) + (has_origin ? kHasOrigin : 0));
  if (has_origin) encoder.Id(lot.origin.account).Id(lot.origin.lot);
}

// What the hold takes from which lot stands in the record's entries.
void EncodeTerms(const Hold& hold, Encoder& encoder) {
  encoder.Id(hold.partner)
      .Id(hold.store)
      .Id(hold.contract)
      .Quantity(hold.authorized)
      .Quantity(hold.expires_at);
}

bool NamesSeveralPartners(const Lot& lot) {
  return !lot.restricted_to.listed().empty();
}

// Which terms a leaf digests: those of format 3 to 5 the first records could not have.
uint64_t LeafFormatOf(const Record& record) {
  const auto any_lot = [&record](const auto& is) {
    return std::any_of(record.new_lots.begin(), record.new_lots.end(), is);
  };
  const bool lives = any_lot([](const Lot& lot) { return lot.lives_by_activity; });
  if (lives || record.active_until) return 5;
  if (any_lot(NamesSeveralPartners)) return 4;
  const bool restricted =
      any_lot([](const Lot& lot) { return static_cast<bool>(lot.restricted_to); });
  const bool reviewed = record.new_hold && record.new_hold->reviewed;
  return record.restored_until || reviewed || restricted ? 3 : 2;
}

// Of each lot that names several partners, whom, after how many they are.
void EncodeListedPartners(const std::vector<Lot>& lots, Encoder& encoder) {
  for (const Lot& lot : lots) {
    if (!NamesSeveralPartners(lot)) continue;
    encoder.Unsigned(lot.restricted_to.listed().size());
    for (const PartnerId partner : lot.restricted_to.listed()) encoder.Id(partner);
  }
}

}  // namespace

std::string_view RecordKindName(RecordKind kind) {
  switch (kind) {
    case RecordKind::kPurchase:
      return "PURCHASE";
    case RecordKind::kReturn:
      return "RETURN";
    case RecordKind::kConfirmation:
      return "CONFIRMATION";
    case RecordKind::kEnrolment:
      return "ENROLMENT";
    case RecordKind::kAuthorization:
      return "AUTHORIZATION";
    case RecordKind::kCapture:
      return "CAPTURE";
    case RecordKind::kVoid:
      return "VOID";
    case RecordKind::kRefund:
      return "REFUND";
    case RecordKind::kOrder:
      return "ORDER";
    case RecordKind::kOrderUpdate:
      return "ORDER_UPDATE";
    case RecordKind::kOrderCancellation:
      return "ORDER_CANCELLATION";
    case RecordKind::kVoucher:
      return "VOUCHER";
    case RecordKind::kVoucherUse:
      return "VOUCHER_USE";
    case RecordKind::kVoucherRefund:
      return "VOUCHER_REFUND";
    case RecordKind::kVoucherUseRefund:
      return "VOUCHER_USE_REFUND";
    case RecordKind::kReviewRelease:
      return "REVIEW_RELEASE";
    case RecordKind::kTransfer:
      return "TRANSFER";
    case RecordKind::kMerge:
      return "MERGE";
    case RecordKind::kPart:
      return "PART";
    case RecordKind::kAdjustment:
      return "ADJUSTMENT";
    case RecordKind::kExpiry:
      return "EXPIRY";
    case RecordKind::kReinstatement:
      return "REINSTATEMENT";
    case RecordKind::kBonus:
      return "BONUS";
    case RecordKind::kTransferReversal:
      return "TRANSFER_REVERSAL";
    case RecordKind::kClosure:
      return "CLOSURE";
    case RecordKind::kErasure:
      return "ERASURE";
    case RecordKind::kOpeningBalance:
      return "OPENING_BALANCE";
    case RecordKind::kCardActivation:
      return "CARD_ACTIVATION";
    case RecordKind::kResidence:
      return "RESIDENCE";
  }
  return "UNKNOWN";
}

std::string EncodeLeaving(AccountId account, bool closes) {
  constexpr uint64_t kFormat = 1;
  return Encoder().Unsigned(kFormat).Id(account).Unsigned(closes ? 1 : 0).Take();
}

bool ClosesAccount(RecordKind kind, std::string_view content) {
  if (kind != RecordKind::kClosure && kind != RecordKind::kErasure) return false;
  Decoder decoder(content);
  decoder.Unsigned();
  decoder.Signed();
  return decoder.Unsigned() == 1 && decoder.ok();
}

std::string EncodeSparing(const Sparing& sparing) {
  constexpr uint64_t kFormat = 1;
  return Encoder().Unsigned(kFormat).Quantity(sparing.from).Quantity(sparing.until).Take();
}

std::optional<Sparing> DecodeSparing(std::string_view content) {
  Decoder decoder(content);
  const bool known = decoder.Unsigned() == 1;
  const auto from = decoder.ReadQuantity<Timestamp>();
  const auto until = decoder.ReadQuantity<Timestamp>();
  if (!known || !decoder.ok() || !decoder.AtEnd()) return std::nullopt;
  return Sparing{from, until};
}

bool EndsHold(RecordKind kind) {
  return kind == RecordKind::kVoid || kind == RecordKind::kOrderCancellation ||
         kind == RecordKind::kVoucherRefund;
}

std::string RecordName(RecordKind kind, BookId book, RecordNumber number) {
  const char* collection = "records";
  switch (kind) {
    case RecordKind::kPurchase:
      collection = "purchases";
      break;
    case RecordKind::kReturn:
      collection = "returns";
      break;
    case RecordKind::kAuthorization:
      collection = "redemptions";
      break;
    case RecordKind::kOrder:
      collection = "orders";
      break;
    case RecordKind::kVoucher:
      collection = "vouchers";
      break;
    case RecordKind::kVoucherUse:
      collection = "voucherUses";
      break;
    case RecordKind::kTransfer:
      collection = "transfers";
      break;
    case RecordKind::kMerge:
      collection = "merges";
      break;
    case RecordKind::kAdjustment:
      collection = "adjustments";
      break;
    default:
      break;
  }
  return absl::StrCat(collection, "/", book.value(), "-", number.value());
}

Digest LeafOf(const Record& record, std::string_view book_secret) {
  return LeafOf(record, HmacKey(book_secret));
}

Digest LeafOf(const Record& record, const HmacKey& book_key) {
  const uint64_t format = LeafFormatOf(record);
  Encoder encoder;
  encoder.Reserve(kUsualFixedBytes + record.content.size() + record.response.size());
  encoder.Raw(AsView(book_key.Of(std::to_string(record.number.value()))))
      .Unsigned(format)
      .Id(record.book)
      .Id(record.number)
      .Quantity(record.posted_at)
      .Unsigned(static_cast<uint64_t>(record.kind))
      .Id(record.partner)
      .Id(record.account)
      .Id(record.refers_to)
      .Signed(record.config_version)
      .Raw(AsView(record.request_id))
      .Raw(AsView(record.fingerprint))
      .Bytes(record.content)
      .Bytes(record.response)
      .Unsigned(record.entries.size());
  for (const Entry& entry : record.entries) {
    EncodeSide(entry.debit, encoder);
    EncodeSide(entry.credit, encoder);
    encoder.Quantity(entry.points).Id(entry.contract);
  }
  encoder.Unsigned(record.new_lots.size());
  for (const Lot& lot : record.new_lots) EncodeTerms(lot, encoder);
  encoder.Unsigned(record.new_hold ? 1 : 0);
  if (record.new_hold) EncodeTerms(*record.new_hold, encoder);
  encoder.Unsigned(record.natural_key ? 1 : 0);
  if (record.natural_key) encoder.Raw(AsView(*record.natural_key));
  if (format >= 3) {
    for (const Lot& lot : record.new_lots) encoder.Id(lot.restricted_to.where());
    encoder.Unsigned(record.new_hold && record.new_hold->reviewed ? 1 : 0)
        .Quantity(record.restored_until.value_or(Timestamp()));
  }
  if (format >= 4) EncodeListedPartners(record.new_lots, encoder);
  if (format == 5) {
    for (const Lot& lot : record.new_lots) encoder.Unsigned(lot.lives_by_activity ? 1 : 0);
    encoder.Quantity(record.active_until.value_or(Timestamp()));
  }
  return LeafHash(encoder.str());
}

}  // namespace guilder::ledger
