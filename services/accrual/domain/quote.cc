#include "services/accrual/domain/quote.h"

#include <algorithm>
#include <optional>

#include "absl/strings/escaping.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/security/envelope.h"

namespace guilder::accrual {
namespace {

constexpr uint64_t kFormat = 1;
constexpr char kContext[] = "quote";

std::string Encode(const Quote& quote) {
  Encoder out;
  out.Unsigned(kFormat).Raw(AsView(quote.id)).Raw(AsView(quote.basket));
  out.Id(quote.partner).Signed(quote.rule_set);
  EncodeMember(quote.member, out);
  out.Quantity(quote.points).Quantity(quote.expires_at);
  return out.Take();
}

template <typename Array>
Array TakeArray(std::string_view& bytes) {
  Array array{};
  std::copy_n(bytes.begin(), array.size(), array.begin());
  bytes.remove_prefix(array.size());
  return array;
}

std::optional<Quote> Decode(std::string_view bytes) {
  Quote quote;
  const size_t fixed = 1 + quote.id.size() + quote.basket.size();
  if (bytes.size() < fixed || static_cast<uint8_t>(bytes[0]) != kFormat) return std::nullopt;
  bytes.remove_prefix(1);
  quote.id = TakeArray<Uuid>(bytes);
  quote.basket = TakeArray<Digest>(bytes);
  Decoder in(bytes);
  quote.partner = in.ReadId<PartnerId>();
  quote.rule_set = in.Signed();
  quote.member = DecodeMember(in);
  quote.points = in.ReadQuantity<Points>();
  quote.expires_at = in.ReadQuantity<Timestamp>();
  if (!in.ok() || !in.AtEnd()) return std::nullopt;
  return quote;
}

}  // namespace

Digest BasketDigest(const Purchase& purchase) {
  Purchase quoted;
  quoted.receipt.store = purchase.receipt.store;
  quoted.receipt.terminal = purchase.receipt.terminal;
  quoted.card = purchase.card;
  quoted.currency = purchase.currency;
  quoted.lines = purchase.lines;
  quoted.tenders = purchase.tenders;
  return Sha256({EncodePurchase(quoted)});
}

std::string QuoteSealer::Seal(const Quote& quote) const {
  std::string token;
  absl::WebSafeBase64Escape(ToAbsl(security::Seal(key_, kContext, Encode(quote))), &token);
  return token;
}

absl::StatusOr<Quote> QuoteSealer::Open(std::string_view token, PartnerId partner,
                                        const Purchase& purchase) const {
  std::string sealed;
  if (!absl::WebSafeBase64Unescape(ToAbsl(token), &sealed)) return Refuse(Reason::kQuoteInvalid);
  const std::optional<std::string> bytes = security::Open(key_, kContext, sealed);
  const std::optional<Quote> quote = bytes ? Decode(*bytes) : std::nullopt;
  if (!quote || quote->partner != partner) return Refuse(Reason::kQuoteInvalid);
  if (quote->basket != BasketDigest(purchase)) {
    return Refuse(Reason::kQuoteInvalid, "it is for another card, store, till or basket");
  }
  return *quote;
}

}  // namespace guilder::accrual
