#include "services/cli/bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace guilder::cli::bench {

double Percentile(const std::vector<double>& sorted, double percent) {
  if (sorted.empty()) return 0;
  // 99.9 has no exact form, and 99.9 % of 1,000 are 999 and not a trace more.
  constexpr double kTrace = 1e-6;
  const double rank = std::ceil(percent * static_cast<double>(sorted.size()) / 100 - kTrace);
  const auto index = static_cast<size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

double Median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const size_t middle = samples.size() / 2;
  if (samples.size() % 2 == 1) return samples[middle];
  return (samples[middle - 1] + samples[middle]) / 2;
}

}  // namespace guilder::cli::bench
