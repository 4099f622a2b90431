// The numbers of cards.
#pragma once

#include <cstdint>

#include "libs/base/types.h"

namespace guilder::member {

inline constexpr int64_t kMaxCardSerial = 999'999'999'999;

// The number of the card with a serial from 1 to kMaxCardSerial: "978", twelve digits and a Luhn
// check digit. Different serials give different numbers, and neighbouring ones do not look alike,
// so that nobody guesses a card from the one beside it on the counter. It is no secret.
CardNumber MakeCardNumber(int64_t serial);

}  // namespace guilder::member
