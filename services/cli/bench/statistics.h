// Percentiles and medians of samples.
#pragma once

#include <vector>

namespace guilder::cli::bench {

// One answer.
struct Latency {
  double scheduled_ms = 0;  // when it was due, since the beginning
  double ms = 0;            // from then to the answer
  bool refused = false;
};

// The smallest sample such that at least `percent` of all samples are no larger (nearest rank).
// 0 when there are none. `sorted` ascends; `percent` is in (0, 100].
double Percentile(const std::vector<double>& sorted, double percent);

// The middle sample, or the mean of the two in the middle. 0 when there are none.
double Median(std::vector<double> samples);

}  // namespace guilder::cli::bench
