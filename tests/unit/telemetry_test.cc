#include "nlohmann/json.hpp"

#include "libs/telemetry/log.h"
#include "libs/telemetry/metrics.h"
#include "tests/support/catch2.h"

namespace guilder::telemetry {
namespace {

TEST_CASE("Log: a line is one JSON object whatever its values hold", "[unit][telemetry]") {
  const std::string line = FormatLogLine(
      Severity::kWarning, "a \"quoted\"\nline",
      {{"text", "\\\x01"}, {"count", 3}, {"share", 0.5}, {"yes", true}}, 1'769'860'800'123'456);
  CHECK(line.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(line);

  CHECK(json["time"] == "2026-01-31T12:00:00.123456Z");
  CHECK(json["severity"] == "WARNING");
  CHECK(json["message"] == "a \"quoted\"\nline");
  CHECK(json["text"] == "\\\x01");
  CHECK(json["count"] == 3);
  CHECK(json["share"] == 0.5);
  CHECK(json["yes"] == true);
}

TEST_CASE("Log: a line that is too long loses whole fields and stays JSON", "[unit][telemetry]") {
  const std::string line =
      FormatLogLine(Severity::kInfo, std::string(10'000, 'm'),
                    {{"first", 1}, {"long", std::string(20'000, 'x')}, {"last", 2}}, 0);

  CHECK(line.size() <= 8192);
  const auto json = nlohmann::json::parse(line);
  CHECK(json["first"] == 1);
  CHECK(json["truncated"] == true);
}

TEST_CASE("Metrics: the same name and labels are the same metric", "[unit][telemetry]") {
  Counter& counter = GetCounter("test_total", "Help", {{"method", "a"}});
  counter.Add(2);
  GetCounter("test_total", "Help", {{"method", "a"}}).Add();
  GetCounter("test_total", "Help", {{"method", "b"}}).Add();
  CHECK(counter.value() == 3);

  const std::string text = FormatMetrics();
  CHECK(text.find("test_total{method=\"a\"} 3") != std::string::npos);
  CHECK(text.find("test_total{method=\"b\"} 1") != std::string::npos);
}

TEST_CASE("Metrics: a histogram shows cumulative buckets", "[unit][telemetry]") {
  Histogram& histogram = GetHistogram("test_seconds", "Help");
  histogram.Observe(0.0001);
  histogram.Observe(0.02);
  histogram.Observe(100);

  const std::string text = FormatMetrics();
  CHECK(text.find("test_seconds_count 3") != std::string::npos);
  CHECK(text.find("test_seconds_bucket{le=\"0.025\"} 2") != std::string::npos);
  CHECK(text.find("test_seconds_bucket{le=\"+Inf\"} 3") != std::string::npos);
}

}  // namespace
}  // namespace guilder::telemetry
