// International bank account numbers, ISO 13616.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace guilder::iso20022 {

// The electronic form of an IBAN as people write it: without spaces. Letters keep their case.
std::string NormaliseIban(std::string_view text);

// Checks an IBAN in electronic form: its country, length and structure against the SWIFT registry,
// and its check digits. Does not say that the account exists.
//
// Errors: `IBAN_INVALID`, with what is wrong; the IBAN itself is not repeated.
absl::Status CheckIban(std::string_view iban);

// Whether the check digits fit (ISO 7064, mod 97-10), of any country. Digits 00, 01 and 99 never
// do: another pair gives the same remainder.
bool IbanCheckDigitsFit(std::string_view iban);

// What follows the check digits in a country: runs of n (digits), a (capital letters) and c
// (either), as in "4a14n". Nothing for a country that has no IBANs.
std::optional<std::string_view> IbanStructure(std::string_view country_code);

}  // namespace guilder::iso20022
