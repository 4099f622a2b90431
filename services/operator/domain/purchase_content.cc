#include "services/operator/domain/purchase_content.h"

#include "libs/base/codec.h"

namespace guilder::operator_ {
namespace {

constexpr uint64_t kFormat = 1;
constexpr uint64_t kFormatWithTenders = 2;
constexpr uint64_t kFormatWithNumber = 3;
constexpr uint64_t kFormatWithOffset = 4;
constexpr int64_t kMostLines = 1'000'000;

}  // namespace

std::optional<PurchaseFacts> ReadPurchase(std::string_view content) {
  Decoder in(content);
  PurchaseFacts facts;
  const uint64_t format = in.Unsigned();
  const bool with_tenders = format >= kFormatWithTenders && format <= kFormatWithOffset;
  if (format != kFormat && !with_tenders) return std::nullopt;
  facts.store = in.Bytes();
  in.Bytes();  // terminal
  facts.receipt = in.Bytes();
  const std::string_view order = in.Bytes();
  if (facts.receipt.empty()) facts.receipt = order;
  in.Bytes();   // business date
  in.Signed();  // card
  facts.occurred_at = in.ReadQuantity<Timestamp>();
  in.Bytes();   // currency
  in.Bytes();   // cashier
  in.Signed();  // the redemption's book
  in.Signed();  // the redemption's record
  facts.lines = static_cast<int64_t>(in.Unsigned());
  if (!in.ok() || facts.lines < 0 || facts.lines > kMostLines) return std::nullopt;
  for (int64_t i = 0; i < facts.lines && in.ok(); ++i) {
    in.Bytes();   // line id
    in.Bytes();   // sku
    in.Signed();  // quantity
    const auto amount = in.ReadQuantity<MinorUnits>();
    if (amount < MinorUnits(0) || amount > kMaxAmount) return std::nullopt;
    facts.amount += amount;
    in.Bytes();                     // category
    if (with_tenders) in.Signed();  // tax
  }
  if (with_tenders) {
    const uint64_t tenders = in.Unsigned();
    for (uint64_t i = 0; i < tenders && in.ok(); ++i) {
      in.Unsigned();  // kind
      in.Signed();    // amount
    }
  }
  if (format >= kFormatWithNumber) in.Signed();                      // the terminal's number of it
  if (format == kFormatWithOffset) in.Signed();                      // by what its clock was off
  for (int64_t i = 0; i < facts.lines && in.ok(); ++i) in.Signed();  // the line's points
  facts.rule_set = in.Signed();
  if (!in.ok()) return std::nullopt;
  return facts;
}

}  // namespace guilder::operator_
