// Whole points in exact proportions.
#pragma once

#include <cstdint>

#include "libs/rules/evaluate.h"

namespace guilder::rules {

// floor(a × b ÷ c), by 128 bits where 64 do not do. None of them negative, c ≥ 1.
int64_t MultiplyDivide(int64_t a, int64_t b, int64_t c);

// Shares `total` over `workspace.weights` into `workspace.shares`: floors of the exact shares, then
// one each to the largest fractions, ties to the first. Where all weights are zero they count as
// equal. The shares sum to `total`, which must not be negative, nor any weight.
void ShareByLargestRemainder(int64_t total, Workspace& workspace);

// Fills `workspace.amounts` with what of each line counts: the whole amounts, and with `net` what
// is left without tax, and without what was paid with points, which is shared over the lines in
// proportion to their amounts.
void CountAmounts(const Basket& basket, bool net, Workspace& workspace);

// The index in `Workspace::amounts` of what a rule counts.
constexpr size_t BasisIndex(const MoneyBasis& basis) {
  return (basis.without_tax ? 1 : 0) + (basis.without_paid_with_points ? 2 : 0);
}

}  // namespace guilder::rules
