#include "libs/ledger/core/record.h"

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/text.h"
#include "libs/ledger/core/digest.h"
#include "libs/ledger/core/merkle.h"

namespace guilder::ledger {
namespace {

constexpr uint64_t kLeafFormat = 1;

void EncodeSide(const Side& side, Encoder& encoder) {
  encoder.Id(side.account).Unsigned(static_cast<uint64_t>(side.bucket)).Id(side.lot);
}

void EncodeTerms(const Lot& lot, Encoder& encoder) {
  encoder.Id(lot.id)
      .Id(lot.issuer)
      .Id(lot.contract)
      .Quantity(lot.issued)
      .Quantity(lot.activates_at)
      .Quantity(lot.expires_at)
      .Unsigned(static_cast<uint64_t>(lot.on_due));
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
  }
  return "UNKNOWN";
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
    default:
      break;
  }
  return absl::StrCat(collection, "/", book.value(), "-", number.value());
}

Digest LeafOf(const Record& record, std::string_view book_secret) {
  Encoder encoder;
  encoder.Raw(AsView(HmacSha256(book_secret, std::to_string(record.number.value()))))
      .Unsigned(kLeafFormat)
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
  return LeafHash(encoder.str());
}

}  // namespace guilder::ledger
