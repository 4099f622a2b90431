#include "services/accrual/domain/purchase.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/decide.h"

namespace guilder::accrual {
namespace {

constexpr uint64_t kFormat = 1;
constexpr size_t kMaxText = 64;
constexpr size_t kMaxLineId = 32;
constexpr size_t kMaxLines = 500;
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
    sum += line.amount;
  }
  if (sum > kMaxAmount) return Refuse(Reason::kAmountOutOfRange, "the sum of the lines");
  return absl::OkStatus();
}

// What DecidePurchase finds out about the partner before it looks at the member.
struct Agreement {
  StoreId store;
  const ledger::Contract* contract;
};

absl::StatusOr<Agreement> CheckPartner(const Purchase& purchase, const ledger::Partner* partner,
                                       const ledger::Configuration& configuration, Timestamp now) {
  if (partner == nullptr) return Refuse(Reason::kPartnerNotFound);
  const auto store = partner->stores.find(purchase.receipt.store);
  if (store == partner->stores.end() || !store->second.open) return Refuse(Reason::kStoreNotFound);
  const std::string& terminal = purchase.receipt.terminal;
  if (!terminal.empty() && !store->second.terminals.contains(terminal)) {
    return Refuse(Reason::kTerminalNotFound);
  }
  if (purchase.currency != configuration.programme().currency) {
    return Refuse(Reason::kCurrencyNotSupported);
  }
  if (purchase.occurred_at.value() > now.value() + kMaxClockSkewUs) {
    return Refuse(Reason::kOccurredAtInFuture, {}, {{"clock", FormatTimestamp(now)}});
  }
  if (purchase.occurred_at.value() < now.value() - kMaxLatenessDays * kMicrosPerDay) {
    return Refuse(Reason::kOccurredTooLongAgo, {}, {{"clock", FormatTimestamp(now)}});
  }
  if (partner->state != ledger::PartnerState::kActive) return Refuse(Reason::kPartnerNotActive);
  const ledger::Contract* contract =
      partner->ContractAt(ledger::ContractKind::kIssuance, purchase.occurred_at);
  if (contract == nullptr) return Refuse(Reason::kNoContract, "issuance");
  return Agreement{store->second.id, contract};
}

absl::Status CheckCard(const ledger::DecisionContext& context, const ledger::Posting& posting) {
  if (!context.card.found || !context.account_found ||
      context.card.account != posting.account().id) {
    return Refuse(Reason::kCardNotFound);
  }
  if (context.card.blocked) return Refuse(Reason::kCardBlocked);
  return absl::OkStatus();
}

void AwardPoints(const Purchase& purchase, PartnerId partner, StoreId store, const RuleBook& book,
                 PurchaseOutcome& outcome) {
  outcome.line_points.assign(purchase.lines.size(), Points(0));
  const rules::CompiledRules* rules = book.At(purchase.occurred_at);
  if (rules == nullptr) return;
  rules::Workspace workspace;
  rules::Award award;
  rules::Evaluate(*rules, BasketOf(purchase, partner, store), {}, workspace, award);
  outcome.rule_set = rules->rule_set().version;
  outcome.points = award.total;
  for (size_t i = 0; i < award.lines.size(); ++i) outcome.line_points[i] = award.lines[i].points;
}

void DecodeReceipt(Decoder& in, ReceiptKey& receipt) {
  for (std::string* text : {&receipt.store, &receipt.terminal, &receipt.receipt_number,
                            &receipt.order_id, &receipt.business_date}) {
    *text = in.Bytes();
  }
}

}  // namespace

bool HasNul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

absl::Status Normalise(Purchase& purchase) {
  GUILDER_RETURN_IF_ERROR(CheckReceipt(purchase.receipt));
  if (purchase.occurred_at <= Timestamp(0)) return Malformed("occurred_at");
  if (purchase.cashier.size() > kMaxText) return Malformed("cashier is longer than 64");
  return NormaliseLines(purchase.lines);
}

std::string EncodePurchase(const Purchase& purchase) {
  Encoder out;
  const ReceiptKey& receipt = purchase.receipt;
  out.Unsigned(kFormat)
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
  }
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
  return out.Take();
}

absl::StatusOr<RecordedPurchase> DecodeRecorded(std::string_view content) {
  Decoder in(content);
  RecordedPurchase recorded;
  Purchase& purchase = recorded.purchase;
  const bool known = in.Unsigned() == kFormat;
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
    if (line.amount < MinorUnits(0) || line.amount > kMaxAmount) {
      return absl::InternalError("a purchase's content");
    }
  }
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
  if (!in.ok()) return absl::InternalError("a purchase's content");
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

rules::Basket BasketOf(const Purchase& purchase, PartnerId partner, StoreId store) {
  rules::Basket basket;
  basket.partner = partner;
  basket.store = store;
  basket.occurred_at = purchase.occurred_at;
  basket.lines.reserve(purchase.lines.size());
  for (const PurchaseLine& line : purchase.lines) {
    basket.lines.push_back({line.sku, line.category, line.quantity, line.amount});
  }
  return basket;
}

absl::StatusOr<PurchaseOutcome> DecidePurchase(const Purchase& purchase, PartnerId partner,
                                               const RuleBook& rules,
                                               const ledger::DecisionContext& context,
                                               ledger::Posting& posting) {
  const ledger::Configuration& configuration = context.configuration;
  GUILDER_ASSIGN_OR_RETURN(
      const Agreement agreement,
      CheckPartner(purchase, configuration.FindPartner(partner), configuration, posting.now()));
  GUILDER_RETURN_IF_ERROR(CheckCard(context, posting));

  PurchaseOutcome outcome;
  const ledger::Contract& contract = *agreement.contract;
  AwardPoints(purchase, partner, agreement.store, rules, outcome);
  if (contract.when_exhausted == ledger::WhenExhausted::kIssueNothing &&
      context.IsExhausted(contract.limit)) {
    outcome.points = Points(0);
    outcome.line_points.assign(purchase.lines.size(), Points(0));
    outcome.point_block_exhausted = true;
  }
  outcome.contract = contract.id;
  outcome.activates_at =
      Timestamp(purchase.occurred_at.value() + contract.activation_days * kMicrosPerDay);
  if (contract.lot_life_days > 0) {
    outcome.expires_at = configuration.EndOfDayAfter(purchase.occurred_at, contract.lot_life_days);
  }
  if (purchase.redemption) {
    // The member's hold is in the member's book; another book's hold is somebody else's.
    const bool same_book = purchase.redemption_book == ledger::BookOf(posting.account().id);
    if (!same_book) return Refuse(Reason::kRedemptionNotFound);
    GUILDER_ASSIGN_OR_RETURN(outcome.captured,
                             ledger::DecideCapture(posting, partner, purchase.redemption, Points(0),
                                                   /*final=*/true));
  }
  GUILDER_RETURN_IF_ERROR(ledger::DecideEarn(posting, {.issuer = partner,
                                                       .contract = contract.id,
                                                       .points = outcome.points,
                                                       .activates_at = outcome.activates_at,
                                                       .expires_at = outcome.expires_at,
                                                       .on_due = contract.on_due}));
  return outcome;
}

}  // namespace guilder::accrual
