#include "services/cli/bench/plot.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace guilder::cli::bench {
namespace {

constexpr double kBarWidth = 40;
constexpr int kLabelWidth = 18;

// What lies in [2^octave, 2^(octave+1)) milliseconds.
int OctaveOf(double ms) {
  return static_cast<int>(std::floor(std::log2(std::max(ms, 1.0 / 1024))));
}

std::string Label(int octave, const Terminal& terminal) {
  return absl::StrFormat("%g %s %g ms", std::exp2(octave), terminal.utf8 ? "–" : "-",
                         std::exp2(octave + 1));
}

std::string Bar(double share_of_longest, const Terminal& terminal) {
  const double cells = share_of_longest * kBarWidth;
  if (!terminal.utf8) return std::string(static_cast<size_t>(std::ceil(cells)), '#');
  std::string bar;
  for (int i = 0; i < static_cast<int>(cells); ++i) absl::StrAppend(&bar, "█");
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>((cells - std::floor(cells)) * 8);
  absl::StrAppend(&bar, kEighths[eighths]);
  // What exists is seen.
  return bar.empty() ? "▏" : bar;
}

// Characters, where every one takes a column.
int Columns(const std::string& text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Padded(std::string text, int columns) {
  text.append(static_cast<size_t>(std::max(0, columns - Columns(text))), ' ');
  return text;
}

}  // namespace

std::string PlotLatencies(const std::vector<double>& sorted_ms, const Terminal& terminal) {
  if (sorted_ms.empty()) return "";
  std::map<int, size_t> counts;
  for (int octave = OctaveOf(sorted_ms.front()); octave <= OctaveOf(sorted_ms.back()); ++octave) {
    counts[octave] = 0;
  }
  for (const double ms : sorted_ms) ++counts[OctaveOf(ms)];
  size_t most = 0;
  for (const auto& [octave, count] : counts) most = std::max(most, count);

  std::string plot;
  for (const auto& [octave, count] : counts) {
    const std::string bar =
        count == 0 ? "" : Bar(static_cast<double>(count) / static_cast<double>(most), terminal);
    const double percent =
        100.0 * static_cast<double>(count) / static_cast<double>(sorted_ms.size());
    absl::StrAppend(&plot, "  ", Padded(Label(octave, terminal), kLabelWidth),
                    Padded(bar, static_cast<int>(kBarWidth)),
                    absl::StrFormat(" %6.2f %%\n", percent));
  }
  return plot;
}

}  // namespace guilder::cli::bench
