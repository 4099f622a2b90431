#include "services/partner/domain/vat_number.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/strings/ascii.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::partner {
namespace {

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

bool IsDigits(std::string_view text, size_t count) {
  return text.size() == count && AllDigits(text);
}

int Digit(std::string_view text, size_t index) {
  return text[index] - '0';
}

int64_t Number(std::string_view digits) {
  int64_t number = 0;
  for (const char c : digits) number = 10 * number + (c - '0');
  return number;
}

int WeightedSum(std::string_view digits, std::initializer_list<int> weights) {
  int sum = 0;
  size_t index = 0;
  for (const int weight : weights) sum += weight * Digit(digits, index++);
  return sum;
}

// The sum of the decimal digits of a product below 100.
int CrossSum(int product) {
  return product / 10 + product % 10;
}

bool IsLuhn(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool doubled = (digits.size() - i) % 2 == 0;
    sum += doubled ? CrossSum(2 * Digit(digits, i)) : Digit(digits, i);
  }
  return sum % 10 == 0;
}

// ISO 7064, MOD 11,10.
bool IsMod1110(std::string_view digits) {
  int check = 10;
  for (size_t i = 0; i + 1 < digits.size(); ++i) {
    const int sum = (check + Digit(digits, i)) % 10;
    check = 2 * (sum == 0 ? 10 : sum) % 11;
  }
  return (11 - check) % 10 == Digit(digits, digits.size() - 1);
}

bool IsAustrian(std::string_view n) {
  if (n.empty() || n[0] != 'U' || !IsDigits(n.substr(1), 8)) return false;
  n.remove_prefix(1);
  int sum = 4;
  for (size_t i = 0; i < 7; ++i) sum += i % 2 == 0 ? Digit(n, i) : CrossSum(2 * Digit(n, i));
  return (10 - sum % 10) % 10 == Digit(n, 7);
}

bool IsBelgian(std::string_view n) {
  return IsDigits(n, 10) && n[0] <= '1' && 97 - Number(n.substr(0, 8)) % 97 == Number(n.substr(8));
}

bool IsBulgarian(std::string_view n) {
  if (n.size() == 10) return AllDigits(n);
  if (!IsDigits(n, 9)) return false;
  int check = WeightedSum(n, {1, 2, 3, 4, 5, 6, 7, 8}) % 11;
  if (check == 10) check = WeightedSum(n, {3, 4, 5, 6, 7, 8, 9, 10}) % 11 % 10;
  return check == Digit(n, 8);
}

bool IsCypriot(std::string_view n) {
  if (n.size() != 9 || !AllDigits(n.substr(0, 8)) || n.substr(0, 2) == "12") return false;
  constexpr std::array<int, 10> kOdd{1, 0, 5, 7, 9, 13, 15, 17, 19, 21};
  int sum = 0;
  for (size_t i = 0; i < 8; ++i) sum += i % 2 == 0 ? kOdd[Digit(n, i)] : Digit(n, i);
  return n[8] == 'A' + sum % 26;
}

bool IsCzech(std::string_view n) {
  if (n.size() == 9 || n.size() == 10) return AllDigits(n);
  if (!IsDigits(n, 8) || n[0] == '9') return false;
  const int check = 11 - WeightedSum(n, {8, 7, 6, 5, 4, 3, 2}) % 11;
  return check % 10 == Digit(n, 7);
}

bool IsGerman(std::string_view n) {
  return IsDigits(n, 9) && n[0] != '0' && IsMod1110(n);
}

bool IsDanish(std::string_view n) {
  return IsDigits(n, 8) && n[0] != '0' && WeightedSum(n, {2, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

bool IsEstonian(std::string_view n) {
  return IsDigits(n, 9) && WeightedSum(n, {3, 7, 1, 3, 7, 1, 3, 7, 1}) % 10 == 0;
}

bool IsGreek(std::string_view n) {
  return IsDigits(n, 9) && WeightedSum(n, {256, 128, 64, 32, 16, 8, 4, 2}) % 11 % 10 == Digit(n, 8);
}

bool IsSpanish(std::string_view n) {
  if (n.size() != 9 || !AllDigits(n.substr(1, 7))) return false;
  constexpr std::string_view kPersons = "TRWAGMYFPDXBNJZSQVHLCKE";
  constexpr std::string_view kForeigners = "XYZ";
  const size_t foreigner = kForeigners.find(n[0]);
  if (absl::ascii_isdigit(n[0]) || foreigner != std::string_view::npos) {
    const int64_t lead = foreigner == std::string_view::npos ? Digit(n, 0) : foreigner;
    return n[8] == kPersons[(lead * 10'000'000 + Number(n.substr(1, 7))) % 23];
  }
  constexpr std::string_view kCompanies = "ABCDEFGHJNPQRSUVWKLM";
  if (kCompanies.find(n[0]) == std::string_view::npos) return false;
  int sum = 0;
  for (size_t i = 1; i < 8; ++i) sum += i % 2 == 1 ? CrossSum(2 * Digit(n, i)) : Digit(n, i);
  const int check = (10 - sum % 10) % 10;
  return n[8] == '0' + check || n[8] == std::string_view("JABCDEFGHI")[check];
}

bool IsFinnish(std::string_view n) {
  if (!IsDigits(n, 8)) return false;
  const int rest = WeightedSum(n, {7, 9, 10, 5, 8, 4, 2}) % 11;
  return rest != 1 && (11 - rest) % 11 == Digit(n, 7);
}

bool IsFrench(std::string_view n) {
  if (n.size() != 11 || !AllDigits(n.substr(2))) return false;
  // Companies of Monaco have no number in the French register, whose numbers have a Luhn digit.
  const std::string_view siren = n.substr(2);
  if (siren.substr(0, 3) != "000" && !IsLuhn(siren)) return false;
  if (AllDigits(n.substr(0, 2)))
    return (12 + 3 * (Number(siren) % 97)) % 97 == Number(n.substr(0, 2));
  return std::all_of(n.begin(), n.begin() + 2, [](char c) {
    return absl::ascii_isdigit(c) || (absl::ascii_isupper(c) && c != 'O' && c != 'I');
  });
}

bool IsCroatian(std::string_view n) {
  return IsDigits(n, 11) && IsMod1110(n);
}

bool IsHungarian(std::string_view n) {
  return IsDigits(n, 8) && WeightedSum(n, {9, 7, 3, 1, 9, 7, 3, 1}) % 10 == 0;
}

bool IsIrish(std::string_view n) {
  if ((n.size() != 8 && n.size() != 9) || !absl::ascii_isdigit(n[0])) return false;
  std::string digits(n.substr(0, 7));
  // The form until 2013 had a letter or sign in the second place.
  if (n.size() == 8 && !absl::ascii_isdigit(n[1])) {
    if (!absl::ascii_isupper(n[1]) && n[1] != '+' && n[1] != '*') return false;
    digits = "0" + digits.substr(2) + digits[0];
  }
  if (!AllDigits(digits)) return false;
  int sum = WeightedSum(digits, {8, 7, 6, 5, 4, 3, 2});
  if (n.size() == 9) {
    if (n[8] < 'A' || n[8] > 'I') return false;
    sum += 9 * (n[8] - 'A' + 1);
  }
  return n[7] == std::string_view("WABCDEFGHIJKLMNOPQRSTUV")[sum % 23];
}

bool IsItalian(std::string_view n) {
  return IsDigits(n, 11) && IsLuhn(n);
}

bool IsLithuanian(std::string_view n) {
  if ((n.size() != 9 && n.size() != 12) || !AllDigits(n) || n[n.size() - 2] != '1') return false;
  const size_t checked = n.size() - 1;
  int sums[2] = {0, 0};
  for (size_t i = 0; i < checked; ++i) {
    sums[0] += static_cast<int>(1 + i % 9) * Digit(n, i);
    sums[1] += static_cast<int>(1 + (i + 2) % 9) * Digit(n, i);
  }
  const int check = sums[0] % 11 == 10 ? sums[1] % 11 % 10 : sums[0] % 11;
  return check == Digit(n, checked);
}

bool IsLuxembourgish(std::string_view n) {
  return IsDigits(n, 8) && Number(n.substr(0, 6)) % 89 == Number(n.substr(6));
}

bool IsLatvian(std::string_view n) {
  if (!IsDigits(n, 11)) return false;
  if (n[0] <= '3') return true;
  int check = 3 - WeightedSum(n, {9, 1, 4, 8, 3, 10, 2, 5, 7, 6}) % 11;
  if (check == -1) return false;
  if (check < -1) check += 11;
  return check == Digit(n, 10);
}

bool IsMaltese(std::string_view n) {
  return IsDigits(n, 8) && WeightedSum(n, {3, 4, 6, 7, 8, 9, 10, 1}) % 37 == 0;
}

bool IsDutch(std::string_view n) {
  if (n.size() != 12 || n[9] != 'B' || !AllDigits(n.substr(0, 9)) || !AllDigits(n.substr(10))) {
    return false;
  }
  if (WeightedSum(n, {9, 8, 7, 6, 5, 4, 3, 2}) % 11 == Digit(n, 8)) return true;
  // Sole traders since 2020: MOD 97-10 over the whole, where A is 10, as for an IBAN.
  int64_t rest = 2'321 % 97;  // "NL".
  for (const char c : n) {
    rest =
        absl::ascii_isdigit(c) ? (10 * rest + (c - '0')) % 97 : (100 * rest + (c - 'A' + 10)) % 97;
  }
  return rest == 1;
}

bool IsPolish(std::string_view n) {
  return IsDigits(n, 10) && WeightedSum(n, {6, 5, 7, 2, 3, 4, 5, 6, 7}) % 11 == Digit(n, 9);
}

bool IsPortuguese(std::string_view n) {
  if (!IsDigits(n, 9) || n[0] == '0') return false;
  const int check = 11 - WeightedSum(n, {9, 8, 7, 6, 5, 4, 3, 2}) % 11;
  return (check >= 10 ? 0 : check) == Digit(n, 8);
}

bool IsRomanian(std::string_view n) {
  if (n.size() < 2 || n.size() > 10 || !AllDigits(n) || n[0] == '0') return false;
  const std::string padded = std::string(10 - n.size(), '0') + std::string(n);
  return 10 * WeightedSum(padded, {7, 5, 3, 2, 1, 7, 5, 3, 2}) % 11 % 10 == Digit(padded, 9);
}

bool IsSwedish(std::string_view n) {
  return IsDigits(n, 12) && Number(n.substr(10)) >= 1 && IsLuhn(n.substr(0, 10));
}

bool IsSlovene(std::string_view n) {
  if (!IsDigits(n, 8) || n[0] == '0') return false;
  const int check = 11 - WeightedSum(n, {8, 7, 6, 5, 4, 3, 2}) % 11;
  return check != 11 && check % 10 == Digit(n, 7);
}

bool IsSlovak(std::string_view n) {
  return IsDigits(n, 10) && n[0] != '0' &&
         std::string_view("234789").find(n[2]) != std::string_view::npos && Number(n) % 11 == 0;
}

bool IsNorthernIrish(std::string_view n) {
  if (n.size() == 5) {
    const std::string_view body = n.substr(0, 2);
    if (!AllDigits(n.substr(2))) return false;
    return (body == "GD" && Number(n.substr(2)) < 500) ||
           (body == "HA" && Number(n.substr(2)) >= 500);
  }
  if (n.size() == 12) n.remove_suffix(AllDigits(n) ? 3 : 0);
  if (!IsDigits(n, 9)) return false;
  const int64_t sum = WeightedSum(n, {8, 7, 6, 5, 4, 3, 2}) + Number(n.substr(7));
  return sum % 97 == 0 || (sum + 55) % 97 == 0;
}

struct Country {
  std::string_view prefix;
  bool (*is_valid)(std::string_view number);
};

constexpr Country kCountries[] = {
    {"AT", IsAustrian},   {"BE", IsBelgian},       {"BG", IsBulgarian},  {"CY", IsCypriot},
    {"CZ", IsCzech},      {"DE", IsGerman},        {"DK", IsDanish},     {"EE", IsEstonian},
    {"EL", IsGreek},      {"ES", IsSpanish},       {"FI", IsFinnish},    {"FR", IsFrench},
    {"HR", IsCroatian},   {"HU", IsHungarian},     {"IE", IsIrish},      {"IT", IsItalian},
    {"LT", IsLithuanian}, {"LU", IsLuxembourgish}, {"LV", IsLatvian},    {"MT", IsMaltese},
    {"NL", IsDutch},      {"PL", IsPolish},        {"PT", IsPortuguese}, {"RO", IsRomanian},
    {"SE", IsSwedish},    {"SI", IsSlovene},       {"SK", IsSlovak},     {"XI", IsNorthernIrish},
};

const Country* CountryOf(std::string_view prefix) {
  for (const Country& country : kCountries) {
    if (prefix == country.prefix) return &country;
  }
  return nullptr;
}

}  // namespace

absl::Status CheckVatNumber(std::string_view tax_id) {
  const std::string_view prefix = tax_id.substr(0, 2);
  std::string capitals = absl::AsciiStrToUpper(ToAbsl(prefix));
  if (capitals == "GR") capitals = "EL";
  const Country* const country = CountryOf(capitals);
  if (country == nullptr) return absl::OkStatus();
  // What is meant to be of a member state does not pass as of some other country.
  if (prefix == country->prefix && country->is_valid(tax_id.substr(2))) return absl::OkStatus();
  return Refuse(Reason::kTaxIdInvalid, {}, {{"country", std::string(country->prefix)}});
}

}  // namespace guilder::partner
