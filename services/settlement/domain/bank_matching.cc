#include "services/settlement/domain/bank_matching.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"

namespace guilder::settlement {
namespace {

constexpr std::string_view kPaymentPrefix = "GLD-";

struct OutcomeText {
  BankOutcome outcome;
  std::string_view name;
};
constexpr OutcomeText kOutcomes[] = {{BankOutcome::kPending, "PENDING"},
                                     {BankOutcome::kExact, "EXACT"},
                                     {BankOutcome::kPartial, "PARTIAL"},
                                     {BankOutcome::kOver, "OVER"},
                                     {BankOutcome::kAlreadyPaid, "ALREADY_PAID"},
                                     {BankOutcome::kReturned, "RETURNED"},
                                     {BankOutcome::kWrongReference, "WRONG_REFERENCE"},
                                     {BankOutcome::kUnknown, "UNKNOWN"},
                                     {BankOutcome::kOtherAccount, "OTHER_ACCOUNT"},
                                     {BankOutcome::kOtherCurrency, "OTHER_CURRENCY"},
                                     {BankOutcome::kNotBooked, "NOT_BOOKED"},
                                     {BankOutcome::kDuplicate, "DUPLICATE"},
                                     {BankOutcome::kAccepted, "ACCEPTED"},
                                     {BankOutcome::kRejected, "REJECTED"},
                                     {BankOutcome::kRefunded, "REFUNDED"},
                                     {BankOutcome::kRecovered, "RECOVERED"},
                                     {BankOutcome::kSuperseded, "SUPERSEDED"},
                                     {BankOutcome::kNoAmount, "NO_AMOUNT"}};

bool IsWordCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

// The runs of letters, digits and hyphens.
std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at < text.size();) {
    if (!IsWordCharacter(text[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && IsWordCharacter(text[at])) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

// A number in its one spelling that fits an id.
std::optional<int32_t> ParseId(std::string_view digits) {
  const bool plain =
      !digits.empty() && digits.front() != '0' &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  const std::optional<int64_t> number = plain ? ParseInt(digits) : std::nullopt;
  if (!number || *number > INT32_MAX) return std::nullopt;
  return static_cast<int32_t>(*number);
}

std::optional<ObligationKey> ParseEndToEndId(std::string_view word) {
  if (word.substr(0, kPaymentPrefix.size()) != kPaymentPrefix) return std::nullopt;
  word.remove_prefix(kPaymentPrefix.size());
  const size_t dash = word.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto settlement = ParseId(word.substr(0, dash));
  const auto partner = ParseId(word.substr(dash + 1));
  if (!settlement || !partner) return std::nullopt;
  return ObligationKey{SettlementId(*settlement), PartnerId(*partner)};
}

template <typename T>
void AddOnce(std::vector<T>& all, T value) {
  if (std::find(all.begin(), all.end(), value) == all.end()) all.push_back(std::move(value));
}

// "INV-2026-000001": the letters of a kind, the year and at least six digits.
bool IsInvoiceNumber(std::string_view word) {
  for (const std::string_view kind : {"INV-", "SB-", "CN-"}) {
    if (word.substr(0, kind.size()) != kind) continue;
    const std::string_view rest = word.substr(kind.size());
    return rest.size() >= 11 && rest.size() <= 14 && rest[4] == '-' && ParseId(rest.substr(0, 4)) &&
           std::all_of(rest.begin() + 5, rest.end(), [](char c) { return c >= '0' && c <= '9'; });
  }
  return false;
}

BankMatch MatchOtherWay(const BookedPayment& payment, const Owed& owed,
                        MinorUnits countersuspense) {
  BankMatch match;
  match.from_suspense = std::min(payment.amount, countersuspense);
  const MinorUnits rest = payment.amount - match.from_suspense;
  // Nobody pays the programme under a payout's name; a partner's money may be refunded by hand.
  const bool came_back = payment.returned || owed.partner_is_paid;
  // What was written off in part has been closed by two people; they must look at it again.
  const bool may_open = came_back && owed.written_off == MinorUnits();
  const MinorUnits taken_back = may_open ? std::min(rest, owed.paid) : MinorUnits();
  match.applied = -taken_back;
  match.suspense = rest - taken_back;
  const bool nothing = taken_back + match.from_suspense == MinorUnits();
  match.outcome = nothing     ? BankOutcome::kWrongReference
                  : came_back ? BankOutcome::kReturned
                              : BankOutcome::kRefunded;
  return match;
}

}  // namespace

std::vector<ObligationKey> ObligationsNamedIn(std::string_view text) {
  std::vector<ObligationKey> keys;
  for (const std::string_view word : Words(text)) {
    if (const auto key = ParseEndToEndId(word)) AddOnce(keys, *key);
  }
  return keys;
}

std::vector<std::string> InvoicesNamedIn(std::string_view text) {
  std::vector<std::string> numbers;
  for (const std::string_view word : Words(text)) {
    if (IsInvoiceNumber(word)) AddOnce(numbers, std::string(word));
  }
  return numbers;
}

std::optional<PaymentFileKey> FileOfMessage(std::string_view message_id) {
  if (message_id.substr(0, kPaymentPrefix.size()) != kPaymentPrefix) return std::nullopt;
  message_id.remove_prefix(kPaymentPrefix.size());
  // Files that were written before the dot have a hyphen.
  const size_t end = message_id.find_first_of(".-");
  const auto settlement = ParseId(message_id.substr(0, end));
  const auto number = end == std::string_view::npos ? std::optional<int32_t>(1)
                                                    : ParseId(message_id.substr(end + 1));
  if (!settlement || !number) return std::nullopt;
  return PaymentFileKey{SettlementId(*settlement), *number};
}

std::string MessageIdOf(const PaymentFileKey& file) {
  const std::string first = absl::StrCat("GLD-", file.settlement.value());
  return file.number == 1 ? first : absl::StrCat(first, ".", file.number);
}

std::string_view BankOutcomeName(BankOutcome outcome) {
  for (const OutcomeText& text : kOutcomes) {
    if (text.outcome == outcome) return text.name;
  }
  return "";
}

std::optional<BankOutcome> BankOutcomeFromName(std::string_view name) {
  for (const OutcomeText& text : kOutcomes) {
    if (text.name == name) return text.outcome;
  }
  return std::nullopt;
}

BankMatch MatchPayment(const BookedPayment& payment, bool named, const std::optional<Owed>& owed,
                       MinorUnits countersuspense) {
  if (!owed) {
    return {named ? BankOutcome::kWrongReference : BankOutcome::kUnknown, {}, {}, payment.amount};
  }
  if (payment.credit == owed->partner_is_paid)
    return MatchOtherWay(payment, *owed, countersuspense);
  // One that came back, and pays nothing.
  if (payment.returned) return {BankOutcome::kWrongReference, {}, {}, payment.amount};
  const MinorUnits open = owed->Open();
  if (open <= MinorUnits()) {
    const MinorUnits recovered = std::min(payment.amount, owed->written_off);
    const auto outcome =
        recovered > MinorUnits() ? BankOutcome::kRecovered : BankOutcome::kAlreadyPaid;
    return {outcome, recovered, {}, payment.amount - recovered};
  }
  if (payment.amount < open) return {BankOutcome::kPartial, payment.amount, {}, {}};
  if (payment.amount == open) return {BankOutcome::kExact, open, {}, {}};
  return {BankOutcome::kOver, open, {}, payment.amount - open};
}

}  // namespace guilder::settlement
