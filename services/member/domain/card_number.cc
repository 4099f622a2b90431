#include "services/member/domain/card_number.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::member {
namespace {

// Ends in a digit that has no factor in common with 10, so that multiplying by it modulo a power of
// ten is a bijection. The digits of the golden ratio spread neighbours widest.
constexpr int64_t kMultiplier = 618'033'988'749;

constexpr size_t kMostPrefixDigits = 10;
constexpr int kFewestSerialDigits = 3;

int SerialDigits(const CardForm& form) {
  return form.digits - 1 - static_cast<int>(form.prefix.size());
}

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

}  // namespace

absl::Status CheckForm(const CardForm& form) {
  const bool are_digits = std::all_of(form.prefix.begin(), form.prefix.end(),
                                      [](char c) { return '0' <= c && c <= '9'; });
  if (form.prefix.empty() || form.prefix.size() > kMostPrefixDigits || !are_digits ||
      form.prefix.front() == '0') {
    return Malformed("range.prefix");
  }
  if (form.digits < kFewestCardDigits || form.digits > kMostCardDigits ||
      SerialDigits(form) < kFewestSerialDigits) {
    return Malformed("range.digits");
  }
  return absl::OkStatus();
}

int64_t SerialsOf(const CardForm& form) {
  int64_t serials = 1;
  for (int i = 0; i < SerialDigits(form); ++i) serials *= 10;
  return serials;
}

CardNumber MakeCardNumber(const CardForm& form, int64_t serial) {
  const int64_t serials = SerialsOf(form);
  const auto scrambled =
      static_cast<int64_t>(static_cast<__int128>(serial) * kMultiplier % serials);
  std::string digits = form.prefix + absl::StrFormat("%0*d", SerialDigits(form), scrambled);
  digits.push_back(LuhnCheckDigit(digits));
  return CardNumber(*ParseInt(digits));
}

const CardForm& OwnCardForm() {
  static const auto* const form = new CardForm{"978", 16};
  return *form;
}

CardNumber MakeCardNumber(int64_t serial) {
  return MakeCardNumber(OwnCardForm(), serial);
}

bool Overlap(const CardForm& a, const CardForm& b) {
  const size_t common = std::min(a.prefix.size(), b.prefix.size());
  return a.digits == b.digits && a.prefix.compare(0, common, b.prefix, 0, common) == 0;
}

}  // namespace guilder::member
