// Amounts as banks write them.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/types.h"

namespace guilder::iso20022 {

// The largest file that is read, in bytes.
inline constexpr size_t kMaxFileBytes = 16'000'000;

// An amount of ISO 20022: at most five digits after the point, never negative. How many of them a
// currency has is not the bank's to say, so it is kept in hundred-thousandths of the major unit.
struct BankAmount {
  Currency currency{};
  int64_t hundred_thousandths = 0;
  friend bool operator==(const BankAmount&, const BankAmount&) = default;
};

// In minor units of `exponent` digits, 0 to 5; nothing when it is not a whole number of them.
std::optional<MinorUnits> InMinorUnits(const BankAmount& amount, int exponent);

}  // namespace guilder::iso20022
