#include "services/cli/output/format.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "libs/base/currency.h"
#include "libs/base/text.h"

namespace guilder::cli {
namespace {

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Puts commas between the groups of three of the leading digits.
std::string GroupDigits(std::string text) {
  const size_t first = text.find_first_of("0123456789");
  if (first == std::string::npos) return text;
  size_t at = text.find_first_not_of("0123456789", first);
  if (at == std::string::npos) at = text.size();
  while (at > first + 3) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

}  // namespace

std::string WithThousands(int64_t value) {
  return GroupDigits(absl::StrCat(value));
}

std::string MoneyText(int64_t minor_units, std::string_view currency_code) {
  const std::string amount =
      GroupDigits(FormatAmount(MinorUnits{minor_units}, guilder::CurrencyExponent(currency_code)));
  return currency_code.empty() ? amount : absl::StrCat(amount, " ", ToAbsl(currency_code));
}

std::string DurationText(double seconds) {
  if (seconds < 0.9995) return absl::StrFormat("%.0f ms", seconds * 1000);
  if (seconds < 59.95) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 3600) return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %02d min", whole / 3600, whole % 3600 / 60);
}

std::string Sparkline(const std::vector<double>& values, bool utf8) {
  static constexpr std::array<const char*, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 8> kAscii = {"_", ".", ":", "-", "=", "+", "*", "#"};
  if (values.empty()) return "";
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double range = *most - *least;
  std::string line;
  for (const double value : values) {
    const int level = range > 0 ? static_cast<int>((value - *least) / range * 7 + 0.5) : 0;
    line += utf8 ? kBlocks[level] : kAscii[level];
  }
  return line;
}

size_t DisplayWidth(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); });
}

std::string Ellipsize(std::string_view text, size_t width, bool utf8) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  size_t end = 0;
  for (size_t columns = 0; end < text.size(); ++end) {
    if (!IsContinuation(text[end]) && columns++ == width - 1) break;
  }
  return absl::StrCat(ToAbsl(text.substr(0, end)), utf8 ? "…" : "~");
}

}  // namespace guilder::cli
