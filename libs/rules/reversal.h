// What returns take back.
#pragma once

#include <cstdint>

#include "libs/base/types.h"

namespace guilder::rules {

// The points that returning `returned_now` pieces of a line takes back, when `returned_before`
// pieces came back earlier:
//
//     floor(earned × (before + now) / sold) − floor(earned × before / sold)
//
// Cumulative, so that any splitting of a return takes the same in total, and the return of
// everything takes exactly `earned`: never more, never less.
//
// Requires earned ≥ 0, sold ≥ 1, before ≥ 0, now ≥ 0 and before + now ≤ sold; the caller refuses
// anything else as RETURN_EXCEEDS_SALE.
Points ReversalOfLine(Points earned, int64_t sold_quantity, int64_t returned_before,
                      int64_t returned_now);

}  // namespace guilder::rules
