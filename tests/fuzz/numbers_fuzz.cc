// Amounts, whole numbers, currencies, UUIDs, and numbers of cards. The first byte is the number of
// digits of the currency's minor unit.
#include <algorithm>
#include <cstring>
#include <string>

#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "services/cli/demo/csv.h"
#include "services/member/domain/card_number.h"
#include "tests/fuzz/property.h"

namespace guilder {
namespace {

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void CheckAmount(std::string_view text, int exponent) {
  const auto decimal = cli::demo::ParseDecimal(text, exponent);
  if (const auto amount = ParseAmount(text, exponent)) {
    FUZZ_CHECK(ParseAmount(FormatAmount(*amount, exponent), exponent) == amount);
    // Two readers that share no code agree.
    FUZZ_CHECK(decimal == amount->value());
  }
  if (decimal) {
    const std::string formatted = FormatAmount(MinorUnits(*decimal), exponent);
    FUZZ_CHECK(cli::demo::ParseDecimal(formatted, exponent) == decimal);
  }
  if (const auto number = ParseInt(text)) {
    FUZZ_CHECK(ParseInt(std::to_string(*number)) == number);
  }
}

void CheckCard(std::string_view text) {
  const auto card = rpc::ParseCardNumber(text);
  if (!card.ok()) return;
  FUZZ_CHECK(text.size() >= 12 && text.size() <= 19 && IsDigits(text));
  FUZZ_CHECK(std::to_string(card->value()) == text);
  FUZZ_CHECK(LuhnIsValid(text));
  // Luhn's check finds every single digit that is mistyped.
  for (size_t i = 0; i < text.size(); ++i) {
    std::string mistyped(text);
    mistyped[i] = mistyped[i] == '9' ? '0' : static_cast<char>(mistyped[i] + 1);
    FUZZ_CHECK(!rpc::ParseCardNumber(mistyped).ok());
  }
}

void CheckLuhn(std::string_view text) {
  if (!IsDigits(text)) {
    FUZZ_CHECK(!LuhnIsValid(text));
    return;
  }
  std::string digits(text);
  digits.push_back(LuhnCheckDigit(text));
  FUZZ_CHECK(LuhnIsValid(digits));
}

void CheckMadeCard(std::string_view bytes) {
  uint64_t serial = 0;
  std::memcpy(&serial, bytes.data(), std::min(bytes.size(), sizeof(serial)));
  const CardNumber card =
      member::MakeCardNumber(static_cast<int64_t>(serial % member::kMaxCardSerial) + 1);
  const auto parsed = rpc::ParseCardNumber(std::to_string(card.value()));
  FUZZ_CHECK(parsed.ok() && *parsed == card);
}

void CheckForms(std::string_view text) {
  if (const auto currency = ParseCurrency(text)) FUZZ_CHECK(FormatCurrency(*currency) == text);
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (const auto uuid = ParseUuid(text)) FUZZ_CHECK(FormatUuid(*uuid) == lower);
  if (const auto bytes = FromHex(text)) FUZZ_CHECK(ToHex(*bytes) == lower);
  FUZZ_CHECK(FromHex(ToHex(text)) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text = fuzz::View(data, size);
  const int exponent = fuzz::TakeByte(text) % 5;
  CheckAmount(text, exponent);
  CheckCard(text);
  CheckLuhn(text);
  CheckMadeCard(text);
  CheckForms(text);
  return 0;
}

}  // namespace guilder
