// HTML and CSV that show any text as it is. Pure.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/types.h"

namespace guilder::settlement {

// For text and for attributes in quotation marks: nothing of it is markup.
std::string EscapeHtml(std::string_view text);

// A field of a CSV file (RFC 4180), in quotation marks where it needs them. Text that a spreadsheet
// would take for a formula gets an apostrophe in front; numbers are not text and go in as they are.
std::string CsvField(std::string_view text);

// A whole page with a title: everything it needs is in it, and it loads and runs nothing.
std::string HtmlPage(std::string_view title, std::string_view body);

// "12,345.67": for people.
std::string Grouped(std::string_view number);
// "1,234.56 EUR", in the programme's minor units.
std::string MoneyText(MinorUnits amount, int exponent, const Currency& currency);

}  // namespace guilder::settlement
