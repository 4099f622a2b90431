// A line that says how far a long piece of work has come.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <ostream>
#include <string>

#include "services/cli/output/terminal.h"

namespace guilder::cli {

// On a terminal, a bar with counts, rate and time left, redrawn at most ten times a second; nothing
// at all elsewhere. Thread-safe: workers call Advance, and whoever comes first after a tenth of a
// second draws.
//
//     Purchases [██████████░░░░░░░░░░] 12,345 / 24,690 · 4,115/s · 3.0 s left
class ProgressBar {
 public:
  // `seconds` is a monotonic clock; the process's own when empty. A `total` of 0 means that it is
  // not known: then there is no bar and no time left. `out` and `terminal` are those of stderr.
  ProgressBar(std::ostream& out, const Terminal& terminal, std::string label, int64_t total,
              std::function<double()> seconds = {});
  // Leaves the last line standing.
  ~ProgressBar();

  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Advance(int64_t done = 1);
  // Draws once more and ends the line. Later calls do nothing.
  void Finish();

 private:
  std::string Line(double now) const;
  void Draw(double now);

  std::ostream& out_;
  const Terminal terminal_;
  const std::string label_;
  const int64_t total_;
  const std::function<double()> seconds_;

  std::mutex mutex_;
  // Guarded by mutex_.
  int64_t done_ = 0;
  double started_ = 0;
  double drawn_at_ = 0;
  bool finished_ = false;
};

}  // namespace guilder::cli
