#include "libs/rules/share.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

namespace guilder::rules {
namespace {

using Int128 = __int128;

// Products of two numbers below this fit 63 bits.
constexpr int64_t kSmall = int64_t{1} << 31;

// A remainder and its line as one number: the larger remainder, then the earlier line, is larger.
// Remainders are below 2^41, lines below 2^9.
static_assert(kMaxLines <= 512);
int64_t KeyOf(int64_t remainder, size_t line) {
  return remainder << 9 | static_cast<int64_t>(511 - line);
}

// Floors of the exact shares, and the keys of what is left of each. Gives the floors' sum.
template <typename Product>
int64_t ShareExactly(int64_t total, int64_t sum, const std::vector<int64_t>& weights,
                     std::vector<int64_t>& shares, std::vector<int64_t>& keys) {
  int64_t given = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Product product = Product{total} * weights[i];
    const auto share = static_cast<int64_t>(product / sum);
    shares[i] = share;
    keys[i] = KeyOf(static_cast<int64_t>(product - Product{share} * sum), i);
    given += share;
  }
  return given;
}

// One point each to the `left` largest keys; there are more keys than that.
void GiveToLargest(int64_t left, Workspace& workspace) {
  const std::vector<int64_t>& keys = workspace.keys;
  if (keys.size() <= 16) {
    // Counting who is larger beats selecting, which branches at random.
    for (size_t i = 0; i < keys.size(); ++i) {
      int64_t larger = 0;
      for (const int64_t other : keys) larger += other > keys[i] ? 1 : 0;
      workspace.shares[i] += larger < left ? 1 : 0;
    }
    return;
  }
  std::vector<int64_t>& sorted = workspace.sorted_keys;
  sorted = keys;
  const auto last = sorted.begin() + (left - 1);
  std::nth_element(sorted.begin(), last, sorted.end(), std::greater<>());
  const int64_t least = *last;
  for (size_t i = 0; i < keys.size(); ++i) workspace.shares[i] += keys[i] >= least ? 1 : 0;
}

}  // namespace

int64_t MultiplyDivide(int64_t a, int64_t b, int64_t c) {
  if (a < kSmall && b < kSmall) return a * b / c;
  return static_cast<int64_t>(Int128{a} * b / c);
}

void ShareByLargestRemainder(int64_t total, Workspace& workspace) {
  std::vector<int64_t>& weights = workspace.weights;
  const size_t count = weights.size();
  workspace.shares.resize(count);
  if (count == 1) {
    workspace.shares[0] = total;
    return;
  }
  int64_t sum = std::accumulate(weights.begin(), weights.end(), int64_t{0});
  if (sum == 0) {
    weights.assign(count, 1);
    sum = static_cast<int64_t>(count);
  }
  std::vector<int64_t>& keys = workspace.keys;
  keys.resize(count);
  int64_t left = total;
  if (total < kSmall && sum < kSmall) {
    left -= ShareExactly<int64_t>(total, sum, weights, workspace.shares, keys);
  } else {
    left -= ShareExactly<Int128>(total, sum, weights, workspace.shares, keys);
  }
  if (left > 0) GiveToLargest(left, workspace);
}

void CountAmounts(const Basket& basket, bool net, Workspace& workspace) {
  const size_t count = basket.lines.size();
  std::vector<int64_t>& gross = workspace.amounts[0];
  gross.resize(count);
  for (size_t i = 0; i < count; ++i) gross[i] = basket.lines[i].amount.value();
  if (!net) return;
  workspace.weights = gross;
  ShareByLargestRemainder(basket.paid_with_points.value(), workspace);
  for (std::vector<int64_t>& amounts : workspace.amounts) amounts.resize(count);
  for (size_t i = 0; i < count; ++i) {
    // Where nothing costs anything, nothing was paid with points either.
    const int64_t paid = std::min(workspace.shares[i], gross[i]);
    const int64_t without_tax = gross[i] - basket.lines[i].tax.value();
    workspace.amounts[1][i] = without_tax;
    workspace.amounts[2][i] = gross[i] - paid;
    workspace.amounts[3][i] =
        gross[i] == 0 ? 0 : MultiplyDivide(without_tax, gross[i] - paid, gross[i]);
  }
}

}  // namespace guilder::rules
