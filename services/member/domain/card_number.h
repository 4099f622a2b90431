// The numbers of cards.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "libs/base/types.h"

namespace guilder::member {

// Numbers that begin alike and are equally long: a prefix, digits that follow from a serial, and a
// Luhn check digit.
struct CardForm {
  std::string prefix;
  int digits = 0;
  friend bool operator==(const CardForm&, const CardForm&) = default;
};

inline constexpr int kFewestCardDigits = 12;
inline constexpr int kMostCardDigits = 18;

// Refuses: kRequestMalformed, naming the field: a prefix has 1 to 10 digits, the first of them not
// zero, and leaves three digits at least between it and the check digit.
absl::Status CheckForm(const CardForm& form);

// How many serials a form has: those from 1 to this less one give numbers.
int64_t SerialsOf(const CardForm& form);

// The number of the card with that serial of a form. Different serials give different numbers, and
// neighbouring ones do not look alike, so that nobody guesses a card from the one beside it on the
// counter. It is no secret.
CardNumber MakeCardNumber(const CardForm& form, int64_t serial);

// The form of the cards that members are given without a range: "978" and 16 digits.
const CardForm& OwnCardForm();
// A number of that form; serials go from 1 to kMaxCardSerial.
inline constexpr int64_t kMaxCardSerial = 999'999'999'999;
CardNumber MakeCardNumber(int64_t serial);

// Whether two forms have a number in common.
bool Overlap(const CardForm& a, const CardForm& b);

}  // namespace guilder::member
