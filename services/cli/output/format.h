// Numbers, money and time as people read them. For display only: nothing here is parsed again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace guilder::cli {

// 1234567 → "1,234,567".
std::string WithThousands(int64_t value);

// Minor units as an amount with its currency: 123456, "EUR" → "1,234.56 EUR"; 500, "JPY" → "500
// JPY". Without a currency two digits follow the point.
std::string MoneyText(int64_t minor_units, std::string_view currency_code);

// "850 ms", "12.3 s", "4 min 05 s", "2 h 03 min".
std::string DurationText(double seconds);

// One character for each value, its height between the smallest and the largest: "▁▃█". ASCII
// without `utf8`.
std::string Sparkline(const std::vector<double>& values, bool utf8);

// Columns that the UTF-8 text takes, counting each code point as one.
size_t DisplayWidth(std::string_view text);

// The text cut to at most `width` columns, its last one an ellipsis where something was cut.
std::string Ellipsize(std::string_view text, size_t width, bool utf8);

}  // namespace guilder::cli
