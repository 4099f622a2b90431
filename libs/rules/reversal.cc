#include "libs/rules/reversal.h"

#include <cassert>

namespace guilder::rules {
namespace {

using Int128 = __int128;

}  // namespace

Points ReversalOfLine(Points earned, int64_t sold_quantity, int64_t returned_before,
                      int64_t returned_now) {
  assert(earned >= Points{0} && sold_quantity >= 1 && returned_before >= 0 && returned_now >= 0);
  assert(returned_now <= sold_quantity - returned_before);
  const auto reversed_after = [&](Int128 returned) {
    return Points{static_cast<int64_t>(earned.value() * returned / sold_quantity)};
  };
  return reversed_after(Int128{returned_before} + returned_now) - reversed_after(returned_before);
}

}  // namespace guilder::rules
