// Requests as they come from the wire: serialized messages, read into what the domain decides. The
// first byte chooses the message.
#include <set>
#include <string>

#include "libs/base/text.h"
#include "services/accrual/rpc/purchase_proto.h"
#include "services/redemption/rpc/redemption_proto.h"
#include "tests/fuzz/property.h"

namespace guilder {
namespace {

constexpr char kSlug[] = "fresh-market";

bool HasNul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

template <typename Message>
bool Parse(std::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void CheckReceipt(const accrual::ReceiptKey& receipt) {
  FUZZ_CHECK(!receipt.store.empty());
  FUZZ_CHECK(receipt.receipt_number.empty() != receipt.order_id.empty());
  // What is parked is kept as text, which cannot hold NUL.
  FUZZ_CHECK(!HasNul(receipt.terminal) && !HasNul(receipt.receipt_number) &&
             !HasNul(receipt.order_id));
  // A date in a second spelling would make a second purchase of one receipt.
  const std::string& date = receipt.business_date;
  if (date.empty()) return;
  FUZZ_CHECK(date.size() == 10 && date[4] == '-' && date[7] == '-');
  for (const size_t digit : {0, 1, 2, 3, 5, 6, 8, 9}) {
    FUZZ_CHECK(date[digit] >= '0' && date[digit] <= '9');
  }
}

void CheckPurchase(std::string_view bytes) {
  accrual::v1::RecordPurchaseRequest request;
  if (!Parse(bytes, request)) return;
  const auto purchase = accrual::FromProto(request, kSlug);
  if (!purchase.ok()) return;
  CheckReceipt(purchase->receipt);
  FUZZ_CHECK(LuhnIsValid(std::to_string(purchase->card.value())));
  FUZZ_CHECK(purchase->occurred_at > Timestamp(0));
  FUZZ_CHECK(!purchase->lines.empty() && purchase->lines.size() <= 500);
  std::set<std::string> ids;
  MinorUnits sum;
  for (const accrual::PurchaseLine& line : purchase->lines) {
    FUZZ_CHECK(ids.insert(line.line_id).second);
    FUZZ_CHECK(line.quantity >= 1 && line.amount >= MinorUnits(1));
    FUZZ_CHECK(!HasNul(line.line_id) && !HasNul(line.sku) && !HasNul(line.category));
    sum += line.amount;
  }
  FUZZ_CHECK(sum <= kMaxAmount);

  // What is kept of it is all of it.
  accrual::PurchaseOutcome outcome;
  outcome.line_points.resize(purchase->lines.size());
  const std::string encoded = accrual::EncodePurchase(*purchase);
  const auto kept = accrual::DecodeRecorded(accrual::EncodeRecorded(encoded, outcome));
  FUZZ_CHECK(kept.ok() && accrual::EncodePurchase(kept->purchase) == encoded);
}

void CheckReturn(std::string_view bytes) {
  accrual::v1::RecordReturnRequest request;
  if (!Parse(bytes, request)) return;
  const auto returned = accrual::FromProto(request, kSlug);
  if (!returned.ok()) return;
  FUZZ_CHECK(!returned->lines.empty() && !HasNul(returned->return_number));
  for (const accrual::ReturnLine& line : returned->lines) {
    FUZZ_CHECK(line.quantity >= 1 && !HasNul(line.line_id));
  }
  const std::string encoded = accrual::EncodeReturn(*returned, BookId(3), RecordNumber(7));
  const auto kept = accrual::DecodeReturn(encoded);
  FUZZ_CHECK(kept.ok());
  FUZZ_CHECK(accrual::EncodeReturn(*kept, BookId(3), RecordNumber(7)) == encoded);
}

void CheckAuthorization(std::string_view bytes) {
  redemption::v1::AuthorizeRedemptionRequest request;
  if (!Parse(bytes, request)) return;
  const auto asked = redemption::FromProto(request);
  if (!asked.ok()) return;
  FUZZ_CHECK(asked->points >= Points(1) && asked->points <= kMaxPointsPerCommand);
  FUZZ_CHECK(asked->time_to_live_seconds >= 1 && asked->time_to_live_seconds <= 86'400);
  FUZZ_CHECK(LuhnIsValid(std::to_string(asked->card.value())));
  FUZZ_CHECK(asked->basket.size() <= 500);
  MinorUnits sum;
  for (const ledger::BasketLine& line : asked->basket) {
    FUZZ_CHECK(line.amount >= MinorUnits(1));
    sum += line.amount;
  }
  FUZZ_CHECK(sum <= kMaxAmount);
  // What the till shows of the member's PIN makes no other request.
  request.set_pin("0000");
  const auto shown = redemption::FromProto(request);
  FUZZ_CHECK(shown.ok() && redemption::Encode(*shown) == redemption::Encode(*asked));
}

// Captures, voids and refunds of one redemption: the contents of two kinds are never the same
// bytes, so that no request id serves both.
void CheckFollowUps(std::string_view bytes) {
  redemption::v1::CaptureRedemptionRequest capture;
  redemption::v1::VoidRedemptionRequest voiding;
  redemption::v1::RefundRedemptionRequest refund;
  std::set<std::string> contents;
  size_t read = 0;
  if (Parse(bytes, capture)) {
    if (const auto asked = redemption::FromProto(capture); asked.ok()) {
      FUZZ_CHECK(asked->points >= Points(0) && asked->redemption.number.value() >= 1);
      contents.insert(redemption::Encode(*asked));
      ++read;
    }
  }
  if (Parse(bytes, voiding)) {
    if (const auto asked = redemption::FromProto(voiding); asked.ok()) {
      contents.insert(redemption::Encode(*asked));
      ++read;
    }
  }
  if (Parse(bytes, refund)) {
    if (const auto asked = redemption::FromProto(refund); asked.ok()) {
      FUZZ_CHECK(asked->points >= Points(1));
      contents.insert(redemption::Encode(*asked));
      ++read;
    }
  }
  FUZZ_CHECK(contents.size() == read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = fuzz::View(data, size);
  switch (fuzz::TakeByte(bytes)) {
    case 'p':
      CheckPurchase(bytes);
      break;
    case 'r':
      CheckReturn(bytes);
      break;
    case 'a':
      CheckAuthorization(bytes);
      break;
    default:
      CheckFollowUps(bytes);
  }
  return 0;
}

}  // namespace guilder
