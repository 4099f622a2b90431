#include "services/accrual/domain/purchase.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::accrual {
namespace {

constexpr uint64_t kFormat = 1;
constexpr uint64_t kFormatWithTenders = 2;
constexpr uint64_t kFormatWithNumber = 3;
constexpr uint64_t kFormatWithOffset = 4;
constexpr uint64_t kOutcomeFormat = 1;
constexpr uint64_t kOutcomeFormatWithContract = 2;
constexpr uint64_t kOutcomeOfBaseRates = 3;
constexpr uint64_t kOutcomeWithParts = 4;
constexpr uint64_t kOutcomeWithIssuers = 5;
constexpr size_t kMaxTenders = 20;
constexpr size_t kMaxSegments = 1'000;  // that rules of one set ask for
constexpr size_t kMaxText = 64;
constexpr size_t kMaxLineId = 32;
constexpr size_t kMaxLines = 500;
constexpr size_t kMaxParts = rules::kMaxUses;
constexpr int64_t kMaxQuantity = 1'000'000'000;

absl::Status Malformed(std::string_view what) {
  return Refuse(Reason::kRequestMalformed, what);
}

// The one spelling of a date: parsing forgives spaces, signs and missing digits, and another
// spelling would make another receipt of the same one.
bool IsDate(const std::string& text) {
  absl::CivilDay day;
  return absl::ParseCivilTime(text, &day) && absl::FormatCivilTime(day) == text;
}

absl::Status CheckReceipt(const ReceiptKey& receipt) {
  if (receipt.store.empty()) return Malformed("receipt.store");
  if (receipt.receipt_number.empty() == receipt.order_id.empty()) {
    return Malformed("receipt.receipt_number or receipt.order_id");
  }
  for (const std::string* text : {&receipt.terminal, &receipt.receipt_number, &receipt.order_id}) {
    if (text->size() > kMaxText) return Malformed("a part of the receipt is longer than 64");
    if (HasNul(*text)) return Malformed("a part of the receipt holds the character NUL");
  }
  const bool needed = !receipt.receipt_number.empty() || !receipt.business_date.empty();
  if (needed && !IsDate(receipt.business_date)) return Malformed("receipt.business_date");
  return absl::OkStatus();
}

absl::Status NormaliseLines(std::vector<PurchaseLine>& lines) {
  if (lines.empty() || lines.size() > kMaxLines) return Malformed("a purchase has 1 to 500 lines");
  std::set<std::string_view> ids;
  MinorUnits sum;
  for (size_t i = 0; i < lines.size(); ++i) {
    PurchaseLine& line = lines[i];
    if (line.line_id.empty()) line.line_id = absl::StrCat(i + 1);
    const std::string where = absl::StrCat("line ", line.line_id);
    if (line.line_id.size() > kMaxLineId || line.sku.size() > kMaxText ||
        line.category.size() > kMaxText) {
      return Malformed(absl::StrCat(where, " has a text that is too long"));
    }
    if (HasNul(line.line_id) || HasNul(line.sku) || HasNul(line.category)) {
      return Malformed(absl::StrCat("line ", i + 1, " holds the character NUL"));
    }
    if (!ids.insert(line.line_id).second) return Malformed(absl::StrCat(where, " stands twice"));
    if (line.quantity < 1 || line.quantity > kMaxQuantity) {
      return Refuse(Reason::kAmountOutOfRange, absl::StrCat(where, ", quantity"));
    }
    if (line.amount <= MinorUnits(0) || line.amount > kMaxAmount) {
      return Refuse(Reason::kAmountOutOfRange, absl::StrCat(where, ", amount"));
    }
    if (line.tax < MinorUnits(0) || line.tax > line.amount) {
      return Refuse(Reason::kAmountOutOfRange, absl::StrCat(where, ", tax"));
    }
    sum += line.amount;
  }
  if (sum > kMaxAmount) return Refuse(Reason::kAmountOutOfRange, "the sum of the lines");
  return absl::OkStatus();
}

absl::Status CheckTenders(const Purchase& purchase) {
  if (purchase.tenders.empty()) return absl::OkStatus();
  if (purchase.tenders.size() > kMaxTenders) return Malformed("a purchase has at most 20 tenders");
  MinorUnits left;
  for (const PurchaseLine& line : purchase.lines) left += line.amount;
  for (const Tender& tender : purchase.tenders) {
    if (tender.amount < MinorUnits(1) || tender.amount > kMaxAmount) {
      return Refuse(Reason::kAmountOutOfRange, "a tender's amount");
    }
    left -= tender.amount;
  }
  if (left == MinorUnits(0)) return absl::OkStatus();
  return Refuse(Reason::kAmountOutOfRange, "the tenders do not sum to the lines");
}

bool StatesTaxOrTenders(const Purchase& purchase) {
  return !purchase.tenders.empty() || purchase.sequence_number != 0 ||
         purchase.clock_offset_us != 0 ||
         std::any_of(purchase.lines.begin(), purchase.lines.end(),
                     [](const PurchaseLine& line) { return line.tax != MinorUnits(0); });
}

// Whether the outcome has what the first purchases did not: then it is written after it.
bool HasMore(const PurchaseOutcome& outcome) {
  return outcome.member != rules::MemberFacts() || !outcome.bound_caps.empty() ||
         outcome.quote != QuoteOutcome::kNone || outcome.redemption_contract ||
         outcome.base_rates_only || !outcome.parts.empty();
}

bool HasIssuers(const PurchaseOutcome& outcome) {
  return !outcome.parts.empty() && outcome.parts[0].issuer;
}

void EncodePart(const EarnedPart& part, Encoder& out) {
  out.Unsigned(part.spent_only.on_gifts ? 1 : 0).Unsigned(part.spent_only.at.size());
  for (const PartnerId partner : part.spent_only.at) out.Id(partner);
  for (const Points points : part.line_points) out.Quantity(points);
  if (!part.issuer) return;
  out.Id(part.issuer).Id(part.contract).Quantity(part.activates_at).Quantity(part.expires_at);
}

// Nothing when it is none of a purchase with so many lines.
std::optional<EarnedPart> DecodePart(size_t lines, bool with_issuer, Decoder& in) {
  EarnedPart part;
  part.spent_only.on_gifts = in.Unsigned() == 1;
  const uint64_t partners = in.Unsigned();
  if (partners > rules::kMaxSpentAt) return std::nullopt;
  for (uint64_t i = 0; i < partners; ++i) part.spent_only.at.push_back(in.ReadId<PartnerId>());
  for (size_t i = 0; in.ok() && i < lines; ++i) {
    const auto points = in.ReadQuantity<Points>();
    if (points < Points(0) || points > kMaxPointsPerCommand) return std::nullopt;
    part.line_points.push_back(points);
  }
  if (with_issuer) {
    part.issuer = in.ReadId<PartnerId>();
    part.contract = in.ReadId<ContractId>();
    part.activates_at = in.ReadQuantity<Timestamp>();
    part.expires_at = in.ReadQuantity<Timestamp>();
    if (!part.issuer) return std::nullopt;
  }
  if (!in.ok()) return std::nullopt;
  return part;
}

// False when the parts are not those of the lines' points.
bool DecodeParts(Decoder& in, bool with_issuers, PurchaseOutcome& outcome) {
  const uint64_t parts = in.Unsigned();
  if (parts == 0 || parts > kMaxParts) return false;
  std::vector<Points> sums(outcome.line_points.size());
  for (uint64_t i = 0; i < parts; ++i) {
    std::optional<EarnedPart> part = DecodePart(sums.size(), with_issuers, in);
    if (!part) return false;
    for (size_t line = 0; line < sums.size(); ++line) sums[line] += part->line_points[line];
    outcome.parts.push_back(*std::move(part));
  }
  return sums == outcome.line_points;
}

bool DecodeAbsentFunders(Decoder& in, PurchaseOutcome& outcome) {
  const uint64_t funders = in.Unsigned();
  if (funders > kMaxParts) return false;
  for (uint64_t i = 0; i < funders; ++i) {
    const auto funder = in.ReadId<PartnerId>();
    const uint64_t why = in.Unsigned();
    if (why < 1 || why > static_cast<uint64_t>(WhyNotPaid::kExhausted)) return false;
    outcome.absent_funders.push_back({funder, static_cast<WhyNotPaid>(why)});
  }
  return true;
}

bool DecodeMore(Decoder& in, PurchaseOutcome& outcome) {
  const uint64_t format = in.Unsigned();
  outcome.base_rates_only = format == kOutcomeOfBaseRates;
  outcome.member = DecodeMember(in);
  const uint64_t caps = in.Unsigned();
  for (uint64_t i = 0; in.ok() && i < caps; ++i) {
    const uint64_t cap = in.Unsigned();
    outcome.bound_caps.push_back({static_cast<size_t>(cap), in.ReadQuantity<Points>()});
  }
  outcome.quote = static_cast<QuoteOutcome>(in.Unsigned());
  outcome.quoted = in.ReadQuantity<Points>();
  if (format >= kOutcomeFormatWithContract) outcome.redemption_contract = in.ReadId<ContractId>();
  if (format < kOutcomeWithParts) return true;
  outcome.base_rates_only = in.Unsigned() == 1;
  const bool with_issuers = format == kOutcomeWithIssuers;
  return DecodeParts(in, with_issuers, outcome) &&
         (!with_issuers || DecodeAbsentFunders(in, outcome));
}

void DecodeReceipt(Decoder& in, ReceiptKey& receipt) {
  for (std::string* text : {&receipt.store, &receipt.terminal, &receipt.receipt_number,
                            &receipt.order_id, &receipt.business_date}) {
    *text = in.Bytes();
  }
}

// What EncodePurchase wrote; further bytes stay.
absl::StatusOr<Purchase> ReadPurchase(Decoder& in) {
  Purchase purchase;
  const uint64_t format = in.Unsigned();
  const bool known = format >= kFormat && format <= kFormatWithOffset;
  const bool with_tenders = format != kFormat;
  DecodeReceipt(in, purchase.receipt);
  purchase.card = in.ReadId<CardNumber>();
  purchase.occurred_at = in.ReadQuantity<Timestamp>();
  purchase.currency = ParseCurrency(in.Bytes()).value_or(Currency{});
  purchase.cashier = in.Bytes();
  purchase.redemption_book = in.ReadId<BookId>();
  purchase.redemption = in.ReadId<RecordNumber>();
  const uint64_t lines = in.Unsigned();
  if (!known || !in.ok() || lines > kMaxLines) return absl::InternalError("a purchase's content");
  for (uint64_t i = 0; i < lines; ++i) {
    PurchaseLine& line = purchase.lines.emplace_back();
    line.line_id = in.Bytes();
    line.sku = in.Bytes();
    line.quantity = in.Signed();
    line.amount = in.ReadQuantity<MinorUnits>();
    line.category = in.Bytes();
    if (with_tenders) line.tax = in.ReadQuantity<MinorUnits>();
    const bool possible = line.amount >= MinorUnits(0) && line.amount <= kMaxAmount &&
                          line.tax >= MinorUnits(0) && line.tax <= line.amount;
    if (!possible) return absl::InternalError("a purchase's content");
  }
  if (with_tenders) {
    const uint64_t tenders = in.Unsigned();
    if (tenders > kMaxTenders) return absl::InternalError("a purchase's content");
    for (uint64_t i = 0; in.ok() && i < tenders; ++i) {
      const auto kind = static_cast<TenderKind>(in.Unsigned());
      const auto amount = in.ReadQuantity<MinorUnits>();
      if (amount < MinorUnits(0) || amount > kMaxAmount) {
        return absl::InternalError("a purchase's content");
      }
      purchase.tenders.push_back({kind, amount});
    }
  }
  if (format >= kFormatWithNumber) purchase.sequence_number = in.Signed();
  if (format == kFormatWithOffset) purchase.clock_offset_us = in.Signed();
  const bool numbered = format != kFormatWithNumber || purchase.sequence_number > 0;
  const int64_t offset = purchase.clock_offset_us;
  const bool off = format != kFormatWithOffset ||
                   (offset != 0 && offset <= kMaxClockOffsetUs && offset >= -kMaxClockOffsetUs &&
                    purchase.sequence_number >= 0);
  if (!in.ok() || !numbered || !off) return absl::InternalError("a purchase's content");
  return purchase;
}

}  // namespace

Points EarnedPart::points() const {
  return std::accumulate(line_points.begin(), line_points.end(), Points(0));
}

bool HasNul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

absl::Status Normalise(Purchase& purchase) {
  GUILDER_RETURN_IF_ERROR(CheckReceipt(purchase.receipt));
  if (purchase.occurred_at <= Timestamp(0)) return Malformed("occurred_at");
  if (purchase.cashier.size() > kMaxText) return Malformed("cashier is longer than 64");
  if (purchase.sequence_number < 0) return Malformed("sequence_number");
  GUILDER_RETURN_IF_ERROR(NormaliseLines(purchase.lines));
  return CheckTenders(purchase);
}

bool NormaliseClock(Purchase& purchase, Timestamp terminal_time, Timestamp now) {
  const int64_t offset = now.value() - terminal_time.value();
  if (offset > kMaxClockOffsetUs || offset < -kMaxClockOffsetUs) return false;
  if (offset <= kClockToleranceUs && offset >= -kClockToleranceUs) return true;
  purchase.occurred_at += Timestamp(offset);
  purchase.clock_offset_us = offset;
  return true;
}

Purchase AsStated(const Purchase& purchase) {
  Purchase stated = purchase;
  stated.occurred_at = purchase.occurred_at - Timestamp(purchase.clock_offset_us);
  stated.clock_offset_us = 0;
  stated.sequence_number = 0;
  return stated;
}

std::string EncodePurchase(const Purchase& purchase) {
  Encoder out;
  const ReceiptKey& receipt = purchase.receipt;
  const bool with_tenders = StatesTaxOrTenders(purchase);
  const bool with_number = purchase.sequence_number != 0;
  const bool with_offset = purchase.clock_offset_us != 0;
  out.Unsigned(with_offset    ? kFormatWithOffset
               : with_number  ? kFormatWithNumber
               : with_tenders ? kFormatWithTenders
                              : kFormat)
      .Bytes(receipt.store)
      .Bytes(receipt.terminal)
      .Bytes(receipt.receipt_number)
      .Bytes(receipt.order_id)
      .Bytes(receipt.business_date)
      .Id(purchase.card)
      .Quantity(purchase.occurred_at)
      .Bytes(AsView(purchase.currency))
      .Bytes(purchase.cashier)
      .Id(purchase.redemption_book)
      .Id(purchase.redemption)
      .Unsigned(purchase.lines.size());
  for (const PurchaseLine& line : purchase.lines) {
    out.Bytes(line.line_id)
        .Bytes(line.sku)
        .Signed(line.quantity)
        .Quantity(line.amount)
        .Bytes(line.category);
    if (with_tenders) out.Quantity(line.tax);
  }
  if (!with_tenders) return out.Take();
  out.Unsigned(purchase.tenders.size());
  for (const Tender& tender : purchase.tenders) {
    out.Unsigned(static_cast<uint64_t>(tender.kind)).Quantity(tender.amount);
  }
  if (with_number || with_offset) out.Signed(purchase.sequence_number);
  if (with_offset) out.Signed(purchase.clock_offset_us);
  return out.Take();
}

std::string EncodeRecorded(const std::string& encoded_purchase, const PurchaseOutcome& outcome) {
  Encoder out;
  out.Raw(encoded_purchase);
  for (const Points points : outcome.line_points) out.Quantity(points);
  out.Signed(outcome.rule_set)
      .Id(outcome.contract)
      .Quantity(outcome.activates_at)
      .Quantity(outcome.expires_at)
      .Quantity(outcome.captured);
  if (!HasMore(outcome)) return out.Take();
  const uint64_t format = HasIssuers(outcome)           ? kOutcomeWithIssuers
                          : !outcome.parts.empty()      ? kOutcomeWithParts
                          : outcome.base_rates_only     ? kOutcomeOfBaseRates
                          : outcome.redemption_contract ? kOutcomeFormatWithContract
                                                        : kOutcomeFormat;
  out.Unsigned(format);
  EncodeMember(outcome.member, out);
  out.Unsigned(outcome.bound_caps.size());
  for (const BoundCap& bound : outcome.bound_caps) out.Unsigned(bound.cap).Quantity(bound.left);
  out.Unsigned(static_cast<uint64_t>(outcome.quote)).Quantity(outcome.quoted);
  if (format >= kOutcomeFormatWithContract) out.Id(outcome.redemption_contract);
  if (format < kOutcomeWithParts) return out.Take();
  out.Unsigned(outcome.base_rates_only ? 1 : 0).Unsigned(outcome.parts.size());
  for (const EarnedPart& part : outcome.parts) EncodePart(part, out);
  if (format != kOutcomeWithIssuers) return out.Take();
  out.Unsigned(outcome.absent_funders.size());
  for (const AbsentFunder& absent : outcome.absent_funders) {
    out.Id(absent.funder).Unsigned(static_cast<uint64_t>(absent.why));
  }
  return out.Take();
}

void EncodeMember(const rules::MemberFacts& member, Encoder& out) {
  const bool near_birthday = !member.birthday_windows.empty();
  out.Unsigned((member.first_at_partner ? 1 : 0) + (member.first_in_programme ? 2 : 0) +
               (near_birthday ? 4 : 0))
      .Bytes(member.tier)
      .Unsigned(member.segments.size());
  for (const std::string& segment : member.segments) out.Bytes(segment);
  if (!near_birthday) return;
  out.Unsigned(member.birthday_windows.size());
  for (const rules::BirthdayWindow& window : member.birthday_windows) {
    out.Unsigned(static_cast<uint64_t>(window.days_before))
        .Unsigned(static_cast<uint64_t>(window.days_after));
  }
}

rules::MemberFacts DecodeMember(Decoder& in) {
  rules::MemberFacts member;
  const uint64_t flags = in.Unsigned();
  member.first_at_partner = (flags & 1) != 0;
  member.first_in_programme = (flags & 2) != 0;
  member.tier = in.Bytes();
  const uint64_t segments = in.Unsigned();
  for (uint64_t i = 0; in.ok() && i < std::min<uint64_t>(segments, kMaxSegments); ++i) {
    member.segments.emplace_back(in.Bytes());
  }
  if ((flags & 4) == 0) return member;
  const uint64_t windows = in.Unsigned();
  for (uint64_t i = 0; in.ok() && i < std::min<uint64_t>(windows, rules::kMaxRules); ++i) {
    const uint64_t before = in.Unsigned();
    const uint64_t after = in.Unsigned();
    constexpr uint64_t kYear = 366;
    member.birthday_windows.push_back(
        {static_cast<int>(std::min(before, kYear)), static_cast<int>(std::min(after, kYear))});
  }
  return member;
}

absl::StatusOr<Purchase> DecodePurchase(std::string_view encoded) {
  Decoder in(encoded);
  return ReadPurchase(in);
}

absl::StatusOr<RecordedPurchase> DecodeRecorded(std::string_view content) {
  Decoder in(content);
  RecordedPurchase recorded;
  GUILDER_ASSIGN_OR_RETURN(recorded.purchase, ReadPurchase(in));
  const size_t lines = recorded.purchase.lines.size();
  PurchaseOutcome& outcome = recorded.outcome;
  for (uint64_t i = 0; i < lines; ++i) {
    const auto points = in.ReadQuantity<Points>();
    // Whoever can write to the database can write any number; sums of these stay in range.
    if (points < Points(0) || points > kMaxPointsPerCommand) {
      return absl::InternalError("a purchase's content");
    }
    outcome.line_points.push_back(points);
    outcome.points += points;
  }
  outcome.rule_set = in.Signed();
  outcome.contract = in.ReadId<ContractId>();
  outcome.activates_at = in.ReadQuantity<Timestamp>();
  outcome.expires_at = in.ReadQuantity<Timestamp>();
  outcome.captured = in.ReadQuantity<Points>();
  const bool whole = !in.ok() || in.AtEnd() || DecodeMore(in, outcome);
  if (!whole || !in.ok()) return absl::InternalError("a purchase's content");
  return recorded;
}

std::string NaturalKeyOf(const ReceiptKey& receipt) {
  Encoder out;
  // An order id is unique in its partner, a receipt's number in its till and day.
  if (!receipt.order_id.empty()) {
    out.Bytes("order").Bytes(receipt.order_id);
  } else {
    out.Bytes("receipt")
        .Bytes(receipt.store)
        .Bytes(receipt.terminal)
        .Bytes(receipt.receipt_number)
        .Bytes(receipt.business_date);
  }
  return out.Take();
}

}  // namespace guilder::accrual
