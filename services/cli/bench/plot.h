// Latencies as a picture in the terminal.
#pragma once

#include <string>
#include <vector>

#include "services/cli/output/terminal.h"

namespace guilder::cli::bench {

// A histogram with a line for each octave of milliseconds, from the first to the last that has
// samples:
//
//       1 – 2 ms  ████████████████████  61.0 %
//       2 – 4 ms  ████████▌             26.2 %
//
// `sorted_ms` ascends. Empty when there are no samples; every line ends in a newline.
std::string PlotLatencies(const std::vector<double>& sorted_ms, const Terminal& terminal);

}  // namespace guilder::cli::bench
