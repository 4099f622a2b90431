#include "services/redemption/rpc/redemption_proto.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"

namespace guilder::redemption {
namespace {

constexpr char kStoreName[] = "partners/{}/stores/{}";
constexpr int kDefaultTimeToLiveSeconds = 900;
constexpr size_t kMaxText = 64;
constexpr int kMaxLines = 500;
constexpr size_t kMaxCode = 16;

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

absl::StatusOr<Points> CheckedPoints(int64_t points, int64_t least) {
  if (points < least || Points(points) > kMaxPointsPerCommand) {
    return Refuse(Reason::kAmountOutOfRange, "points", {{"field", "points"}});
  }
  return Points(points);
}

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// What can be stored and compared: without NUL.
bool IsText(const std::string& text) {
  return Characters(text) <= kMaxText && text.find('\0') == std::string::npos;
}

// The lines of a basket, and what they are in. None with no lines.
template <typename Request>
absl::Status AddBasket(const Request& request, Authorization& asked) {
  if (request.lines_size() > kMaxLines) return Malformed("lines");
  MinorUnits sum;
  for (const v1::BasketLine& line : request.lines()) {
    if (!IsText(line.sku())) return Malformed("lines.sku");
    if (!IsText(line.category())) return Malformed("lines.category");
    const MinorUnits amount(line.amount_minor_units());
    if (amount < MinorUnits(1) || amount > kMaxAmount || sum > kMaxAmount - amount) {
      return Refuse(Reason::kAmountOutOfRange, "amount_minor_units", {{"field", "lines"}});
    }
    sum += amount;
    asked.basket.push_back({line.sku(), line.category(), amount});
  }
  if (asked.basket.empty()) return absl::OkStatus();
  const std::optional<Currency> currency = ParseCurrency(request.currency_code());
  if (!currency) return Refuse(Reason::kCurrencyNotSupported);
  asked.currency = *currency;
  return absl::OkStatus();
}

// The form of what every request but the first says of itself.
absl::Status CheckForm(const std::string& name, const std::string& request_id) {
  if (name.empty()) return Malformed("name");
  return rpc::ParseRequestId(request_id).status();
}

}  // namespace

absl::StatusOr<Authorization> ParseStore(const std::string& name) {
  const auto store = rpc::ParseName(kStoreName, name);
  if (!store) return Malformed("store");
  Authorization asked;
  asked.partner_slug = (*store)[0];
  asked.store_code = (*store)[1];
  return asked;
}

absl::StatusOr<Authorization> FromProto(const v1::AuthorizeRedemptionRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(Authorization asked, ParseStore(request.store()));
  asked.time_to_live_seconds = request.time_to_live_seconds();
  if (asked.time_to_live_seconds == 0) asked.time_to_live_seconds = kDefaultTimeToLiveSeconds;
  if (asked.time_to_live_seconds < 1 || asked.time_to_live_seconds > kLongestTimeToLiveSeconds) {
    return Malformed("time_to_live_seconds");
  }
  asked.reference = request.reference();
  if (!IsText(asked.reference)) return Malformed("reference");
  asked.device = request.device_id();
  if (!IsText(asked.device)) return Malformed("device_id");
  asked.capture = request.capture();
  if (request.has_occurred_at()) {
    asked.occurred_at = rpc::FromProto(request.occurred_at());
    if (!asked.occurred_at) return Malformed("occurred_at");
  }
  GUILDER_RETURN_IF_ERROR(CheckShown(request));
  GUILDER_RETURN_IF_ERROR(rpc::ParseRequestId(request.request_id()).status());
  GUILDER_ASSIGN_OR_RETURN(asked.points, CheckedPoints(request.points(), 1));
  GUILDER_RETURN_IF_ERROR(AddBasket(request, asked));
  GUILDER_ASSIGN_OR_RETURN(asked.card, rpc::ParseCardNumber(request.card_number()));
  return asked;
}

absl::Status CheckShown(const v1::AuthorizeRedemptionRequest& request) {
  const auto digits = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (request.pin().size() > kMaxCode || !digits(request.pin())) return Malformed("pin");
  if (request.one_time_code().size() > kMaxCode || !digits(request.one_time_code())) {
    return Malformed("one_time_code");
  }
  return absl::OkStatus();
}

absl::StatusOr<Authorization> FromProto(const v1::QuoteRedemptionRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(Authorization asked, ParseStore(request.store()));
  if (request.lines().empty()) return Malformed("lines");
  GUILDER_RETURN_IF_ERROR(AddBasket(request, asked));
  GUILDER_ASSIGN_OR_RETURN(asked.card, rpc::ParseCardNumber(request.card_number()));
  return asked;
}

absl::StatusOr<Capture> FromProto(const v1::CaptureRedemptionRequest& request) {
  Capture asked;
  GUILDER_RETURN_IF_ERROR(CheckForm(request.name(), request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(asked.points, CheckedPoints(request.points(), 0));
  GUILDER_ASSIGN_OR_RETURN(asked.redemption, ParseRedemptionName(request.name()));
  asked.final = request.final();
  return asked;
}

absl::StatusOr<Void> FromProto(const v1::VoidRedemptionRequest& request) {
  GUILDER_RETURN_IF_ERROR(CheckForm(request.name(), request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(const RedemptionId redemption, ParseRedemptionName(request.name()));
  return Void{redemption};
}

absl::StatusOr<Refund> FromProto(const v1::RefundRedemptionRequest& request) {
  Refund asked;
  GUILDER_RETURN_IF_ERROR(CheckForm(request.name(), request.request_id()));
  GUILDER_ASSIGN_OR_RETURN(asked.points, CheckedPoints(request.points(), 1));
  GUILDER_ASSIGN_OR_RETURN(asked.redemption, ParseRedemptionName(request.name()));
  return asked;
}

absl::StatusOr<RedemptionId> ParseRedemptionName(std::string_view name) {
  if (name.empty()) return Malformed("name");
  const auto parts = rpc::ParseName("redemptions/{}", name);
  if (!parts) return Refuse(Reason::kRedemptionNotFound);
  const std::string_view id = (*parts)[0];
  const size_t hyphen = id.find('-');
  if (hyphen == std::string_view::npos) return Refuse(Reason::kRedemptionNotFound);
  const auto book = rpc::ParseNumber(id.substr(0, hyphen));
  const auto number = rpc::ParseNumber(id.substr(hyphen + 1));
  if (!book || *book >= ledger::kBooksPerSerial || !number) {
    return Refuse(Reason::kRedemptionNotFound);
  }
  return RedemptionId{BookId(static_cast<int32_t>(*book)), RecordNumber(*number)};
}

std::string RedemptionName(const RedemptionId& redemption) {
  return ledger::RecordName(ledger::RecordKind::kAuthorization, redemption.book, redemption.number);
}

v1::RedemptionState ToProto(ledger::HoldState state) {
  switch (state) {
    case ledger::HoldState::kOpen:
      return v1::REDEMPTION_STATE_AUTHORIZED;
    case ledger::HoldState::kCaptured:
      return v1::REDEMPTION_STATE_CAPTURED;
    case ledger::HoldState::kVoided:
      return v1::REDEMPTION_STATE_VOIDED;
    case ledger::HoldState::kExpired:
      return v1::REDEMPTION_STATE_EXPIRED;
    case ledger::HoldState::kInReview:
      return v1::REDEMPTION_STATE_IN_REVIEW;
  }
  return v1::REDEMPTION_STATE_UNSPECIFIED;
}

guilder::type::v1::Money ToProto(const Currency& currency, MinorUnits amount) {
  guilder::type::v1::Money money;
  money.set_currency_code(FormatCurrency(currency));
  money.set_minor_units(amount.value());
  return money;
}

v1::Redemption ToProto(const RedemptionId& id, const RedemptionRow& row,
                       const ledger::Configuration& configuration) {
  v1::Redemption redemption;
  redemption.set_name(RedemptionName(id));
  redemption.set_store(absl::StrCat("partners/", row.partner_slug, "/stores/", row.store_code));
  redemption.set_state(ToProto(row.state));
  redemption.set_authorized_points(row.authorized.value());
  redemption.set_captured_points(row.captured.value());
  redemption.set_refunded_points(row.refunded.value());
  *redemption.mutable_expires_at() = rpc::ToProto(row.expires_at);
  *redemption.mutable_value() =
      ToProto(row.currency, configuration.Price(row.authorized, row.rate_micros, row.currency));
  for (const RedemptionPartRow& part : row.parts) {
    v1::RedemptionPart& out = *redemption.add_parts();
    out.set_issuer(absl::StrCat("partners/", part.issuer_slug));
    out.set_held_points(part.held.value());
    out.set_captured_points(part.captured.value());
    out.set_refunded_points(part.refunded.value());
    if (part.expires_at != kNever) *out.mutable_expires_at() = rpc::ToProto(part.expires_at);
    if (part.restored_until != Timestamp()) {
      *out.mutable_restored_until() = rpc::ToProto(part.restored_until);
    }
  }
  return redemption;
}

}  // namespace guilder::redemption
