// What ISO 4217 says of currencies.
#pragma once

#include <string_view>

namespace guilder {

// Digits after the point of a currency: 0, 2 or 3.
int CurrencyExponent(std::string_view currency_code);

}  // namespace guilder
