// The statistics and pictures of the benchmark.
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "services/cli/bench/figures.h"
#include "services/cli/bench/plot.h"
#include "services/cli/bench/statistics.h"
#include "tests/support/catch2.h"

namespace guilder::cli::bench {
namespace {

std::vector<double> UpTo(int last) {
  std::vector<double> samples;
  for (int i = 1; i <= last; ++i) samples.push_back(i);
  return samples;
}

TEST_CASE("Percentile: gives a sample that so many are not larger than", "[unit][bench]") {
  CHECK(Percentile(UpTo(100), 50) == 50);
  CHECK(Percentile(UpTo(100), 99) == 99);
  CHECK(Percentile(UpTo(1'000), 99.9) == 999);
  // Of few samples, a high percentile is the largest.
  CHECK(Percentile(UpTo(10), 99.9) == 10);
  CHECK(Percentile(UpTo(3), 1) == 1);
  CHECK(Percentile({}, 99) == 0);
}

TEST_CASE("Median: is the middle, or between the two in the middle", "[unit][bench]") {
  CHECK(Median({3, 1, 2}) == 2);
  CHECK(Median({4, 1, 2, 3}) == 2.5);
  CHECK(Median({}) == 0);
}

TEST_CASE("PlotLatencies: has a line for each octave, empty ones between", "[unit][bench]") {
  const std::string plot = PlotLatencies({1.5, 1.6, 1.7, 6}, Terminal{});

  CHECK(plot ==
        "  1 - 2 ms          ########################################  75.00 %\n"
        "  2 - 4 ms                                                     0.00 %\n"
        "  4 - 8 ms          ##############                            25.00 %\n");
}

TEST_CASE("PlotLatencies: shows what is rare, and nothing for nothing", "[unit][bench]") {
  std::vector<double> samples(10'000, 1.5);
  samples.push_back(2.5);
  Terminal terminal;
  terminal.utf8 = true;

  CHECK(PlotLatencies(samples, terminal).find("▏") != std::string::npos);
  CHECK(PlotLatencies({}, terminal).empty());
}

TEST_CASE("Figures: shares are of medians, and of what was not measured 0", "[unit][bench]") {
  Figures figures;
  figures.samples[kRawSql] = {9'000, 11'000, 10'000};
  figures.samples[kUnary] = {2'500, 2'000, 9'999};

  CHECK(figures.Share(kUnary, kRawSql) == 0.25);
  CHECK(figures.Share(kUnary, kEmpty) == 0);
  CHECK(ToJson(figures)["shares"]["unary"] == 0.25);
}

TEST_CASE("ToCsv: every sample has a line", "[unit][bench]") {
  Figures figures;
  figures.samples[kUnary] = {2'500, 2'000};
  figures.latencies = {{0.5, 3}};

  CHECK(ToCsv(figures) ==
        "figure,round,at_ms,value\n"
        "unary_per_second,1,,2500\n"
        "unary_per_second,2,,2000\n"
        "latency_ms,,0.5,3\n");
}

}  // namespace
}  // namespace guilder::cli::bench
