#include "services/settlement/domain/html.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"

namespace guilder::settlement {
std::string CsvField(std::string_view text) {
  std::string field(text);
  if (!field.empty() && std::string_view("=+-@\t\r").find(field[0]) != std::string_view::npos) {
    field.insert(0, 1, '\'');
  }
  if (field.find_first_of("\",\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string Grouped(std::string_view number) {
  std::string text(number);
  const size_t first = text.find_first_of("0123456789");
  if (first == std::string::npos) return text;
  size_t at = text.find('.');
  if (at == std::string::npos) at = text.size();
  while (at > first + 3) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string MoneyText(MinorUnits amount, int exponent, const Currency& currency) {
  return absl::StrCat(Grouped(FormatAmount(amount, exponent)), " ", FormatCurrency(currency));
}

}  // namespace guilder::settlement
