// Counters, gauges and histograms, shown to Prometheus.
//
// Names follow Prometheus: guilder_rpc_calls_total, guilder_rpc_seconds.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace guilder::telemetry {

// Only rises. Thread safe, one atomic addition.
class Counter {
 public:
  void Add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// How often values fell below each bound. For durations in seconds: bounds from 0.25 ms to 10 s.
// Thread safe.
class Histogram {
 public:
  static constexpr std::array<double, 15> kBounds{
      0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

  void Observe(double seconds);

  // Of the bound with that index, not cumulative; the last is of what exceeds all bounds.
  uint64_t CountAt(size_t index) const { return counts_[index].load(std::memory_order_relaxed); }
  double sum_seconds() const;

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<uint64_t> sum_nanoseconds_{0};
};

using Labels = std::map<std::string, std::string>;

// The metrics of this process. Thread safe; what is given stays valid for the life of the process.
// The same name and labels give the same metric. Labels must have few values: never an id of a
// caller.
Counter& GetCounter(const std::string& name, const std::string& help, const Labels& labels = {});
Histogram& GetHistogram(const std::string& name, const std::string& help,
                        const Labels& labels = {});
// `read` is asked whenever Prometheus looks, and must not block. A second registration of the same
// name and labels replaces the first.
void SetGauge(const std::string& name, const std::string& help, const Labels& labels,
              std::function<double()> read);
void RemoveGauge(const std::string& name, const Labels& labels);

// Everything in Prometheus's text format.
std::string FormatMetrics();

// Serves GET /metrics over HTTP while it lives.
class MetricsServer {
 public:
  MetricsServer();
  ~MetricsServer();
  // "127.0.0.1:9464"; one sentence when the address cannot be taken.
  absl::Status Start(const std::string& listen_address);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace guilder::telemetry
