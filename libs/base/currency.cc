#include "libs/base/currency.h"

#include <algorithm>
#include <array>

namespace guilder {

int CurrencyExponent(std::string_view currency_code) {
  static constexpr std::array<std::string_view, 16> kNone = {
      "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
      "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
  static constexpr std::array<std::string_view, 7> kThree = {"BHD", "IQD", "JOD", "KWD",
                                                             "LYD", "OMR", "TND"};
  if (std::find(kNone.begin(), kNone.end(), currency_code) != kNone.end()) return 0;
  if (std::find(kThree.begin(), kThree.end(), currency_code) != kThree.end()) return 3;
  return 2;
}

}  // namespace guilder
