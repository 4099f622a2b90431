#include "libs/iso20022/iban.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::iso20022 {
namespace {

struct Country {
  std::string_view code;
  std::string_view structure;  // Of a territory: the country that it follows.
};

// SWIFT IBAN registry, release 99, runs of one kind joined. A test compares it with the
// registry in tests/data.
constexpr Country kCountries[] = {
    {"AD", "8n12c"},    {"AE", "19n"},      {"AL", "8n16c"},    {"AT", "16n"},
    {"AZ", "4a20c"},    {"BA", "16n"},      {"BE", "12n"},      {"BG", "4a6n8c"},
    {"BH", "4a14c"},    {"BI", "23n"},      {"BR", "23n1a1c"},  {"BY", "4c4n16c"},
    {"CH", "5n12c"},    {"CR", "18n"},      {"CY", "8n16c"},    {"CZ", "20n"},
    {"DE", "18n"},      {"DJ", "23n"},      {"DK", "14n"},      {"DO", "4c20n"},
    {"EE", "16n"},      {"EG", "25n"},      {"ES", "20n"},      {"FI", "14n"},
    {"FK", "2a12n"},    {"FO", "14n"},      {"FR", "10n11c2n"}, {"GB", "4a14n"},
    {"GE", "2a16n"},    {"GI", "4a15c"},    {"GL", "14n"},      {"GR", "7n16c"},
    {"GT", "24c"},      {"HN", "4a20n"},    {"HR", "17n"},      {"HU", "24n"},
    {"IE", "4a14n"},    {"IL", "19n"},      {"IQ", "4a15n"},    {"IS", "22n"},
    {"IT", "1a10n12c"}, {"JO", "4a4n18c"},  {"KW", "4a22c"},    {"KZ", "3n13c"},
    {"LB", "4n20c"},    {"LC", "4a24c"},    {"LI", "5n12c"},    {"LT", "16n"},
    {"LU", "3n13c"},    {"LV", "4a13c"},    {"LY", "21n"},      {"MC", "10n11c2n"},
    {"MD", "20c"},      {"ME", "18n"},      {"MK", "3n10c2n"},  {"MN", "16n"},
    {"MR", "23n"},      {"MT", "4a5n18c"},  {"MU", "4a19n3a"},  {"NI", "4a20n"},
    {"NL", "4a10n"},    {"NO", "11n"},      {"OM", "3n16c"},    {"PK", "4a16c"},
    {"PL", "24n"},      {"PS", "4a21c"},    {"PT", "21n"},      {"QA", "4a21c"},
    {"RO", "4a16c"},    {"RS", "18n"},      {"RU", "14n15c"},   {"SA", "2n18c"},
    {"SC", "4a20n3a"},  {"SD", "14n"},      {"SE", "20n"},      {"SI", "15n"},
    {"SK", "20n"},      {"SM", "1a10n12c"}, {"SO", "19n"},      {"ST", "21n"},
    {"SV", "4a20n"},    {"TL", "19n"},      {"TN", "20n"},      {"TR", "6n16c"},
    {"UA", "6n19c"},    {"VA", "18n"},      {"VG", "4a16n"},    {"XK", "16n"},
    {"YE", "4a4n18c"},
};

// Territories whose own code stands for their country's structure, as the registry includes them.
constexpr Country kTerritories[] = {
    {"AX", "FI"}, {"BL", "FR"}, {"GF", "FR"}, {"GG", "GB"}, {"GP", "FR"}, {"IM", "GB"},
    {"JE", "GB"}, {"MF", "FR"}, {"MQ", "FR"}, {"NC", "FR"}, {"PF", "FR"}, {"PM", "FR"},
    {"RE", "FR"}, {"TF", "FR"}, {"WF", "FR"}, {"YT", "FR"},
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsCapital(char c) {
  return c >= 'A' && c <= 'Z';
}

bool IsOfKind(char c, char kind) {
  return (kind != 'a' && IsDigit(c)) || (kind != 'n' && IsCapital(c));
}

// Whether the text consists of exactly the structure's runs.
bool HasStructure(std::string_view text, std::string_view structure) {
  size_t at = 0;
  size_t length = 0;
  for (const char c : structure) {
    if (IsDigit(c)) {
      length = length * 10 + (c - '0');
      continue;
    }
    for (; length > 0; --length, ++at) {
      if (at == text.size() || !IsOfKind(text[at], c)) return false;
    }
  }
  return at == text.size();
}

absl::Status Invalid(std::string_view what) {
  return Refuse(Reason::kIbanInvalid, what);
}

}  // namespace

std::string NormaliseIban(std::string_view text) {
  std::string iban(text);
  iban.erase(std::remove(iban.begin(), iban.end(), ' '), iban.end());
  return iban;
}

std::optional<std::string_view> IbanStructure(std::string_view country_code) {
  for (const Country& territory : kTerritories) {
    if (territory.code == country_code) country_code = territory.structure;
  }
  for (const Country& country : kCountries) {
    if (country.code == country_code) return country.structure;
  }
  return std::nullopt;
}

bool IbanCheckDigitsFit(std::string_view iban) {
  constexpr size_t kMinLength = 5;
  if (iban.size() < kMinLength || !IsCapital(iban[0]) || !IsCapital(iban[1])) return false;
  const std::string_view digits = iban.substr(2, 2);
  if (!IsDigit(digits[0]) || !IsDigit(digits[1])) return false;
  if (digits == "00" || digits == "01" || digits == "99") return false;
  // The first four characters move to the end; letters count as 10 to 35.
  int remainder = 0;
  for (size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    if (IsDigit(c)) {
      remainder = (remainder * 10 + (c - '0')) % 97;
    } else if (IsCapital(c)) {
      remainder = (remainder * 100 + (c - 'A' + 10)) % 97;
    } else {
      return false;
    }
  }
  return remainder == 1;
}

absl::Status CheckIban(std::string_view iban) {
  const std::optional<std::string_view> structure = IbanStructure(iban.substr(0, 2));
  if (!structure) return Invalid("the IBAN's country is not in the registry");
  if (!HasStructure(iban.substr(std::min<size_t>(4, iban.size())), *structure)) {
    return Invalid(absl::StrCat("an IBAN of ", ToAbsl(iban.substr(0, 2)),
                                " has another length or other characters"));
  }
  if (!IbanCheckDigitsFit(iban)) return Invalid("the IBAN's check digits do not fit");
  return absl::OkStatus();
}

}  // namespace guilder::iso20022
