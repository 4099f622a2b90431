// CSV that shows any text as it is, and amounts for people. Pure.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/html.h"
#include "libs/base/types.h"

namespace guilder::settlement {

// A field of a CSV file (RFC 4180), in quotation marks where it needs them. Text that a spreadsheet
// would take for a formula gets an apostrophe in front; numbers are not text and go in as they are.
std::string CsvField(std::string_view text);

// "12,345.67": for people.
std::string Grouped(std::string_view number);
// "1,234.56 EUR", in the programme's minor units.
std::string MoneyText(MinorUnits amount, int exponent, const Currency& currency);

}  // namespace guilder::settlement
