#include "services/member/domain/card_number.h"

#include <string>

#include "absl/strings/str_format.h"

#include "libs/base/text.h"

namespace guilder::member {
namespace {

constexpr int64_t kSerials = kMaxCardSerial + 1;  // 10^12
// Has no factor in common with 10^12, so that multiplying by it modulo 10^12 is a bijection. The
// digits of the golden ratio spread neighbours widest.
constexpr int64_t kMultiplier = 618'033'988'749;

}  // namespace

CardNumber MakeCardNumber(int64_t serial) {
  const auto scrambled =
      static_cast<int64_t>(static_cast<__int128>(serial) * kMultiplier % kSerials);
  std::string digits = absl::StrFormat("978%012d", scrambled);
  digits.push_back(LuhnCheckDigit(digits));
  return CardNumber(*ParseInt(digits));
}

}  // namespace guilder::member
