#include "libs/telemetry/metrics.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "prometheus/text_serializer.h"

#include "libs/telemetry/collect.h"

namespace guilder::telemetry {
namespace {

template <typename Value>
struct Family {
  std::string help;
  std::map<Labels, Value> metrics;
};

struct Metrics {
  std::mutex mutex;
  std::map<std::string, Family<std::unique_ptr<Counter>>> counters;
  std::map<std::string, Family<std::unique_ptr<Histogram>>> histograms;
  std::map<std::string, Family<std::function<double()>>> gauges;
};

// Never destroyed: threads may still count while the process ends.
Metrics& All() {
  static Metrics* const metrics = new Metrics;
  return *metrics;
}

template <typename Value>
Value& GetOrMake(std::map<std::string, Family<std::unique_ptr<Value>>>& families,
                 const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(All().mutex);
  auto& family = families[name];
  if (family.help.empty()) family.help = help;
  auto& metric = family.metrics[labels];
  if (metric == nullptr) metric = std::make_unique<Value>();
  return *metric;
}

prometheus::ClientMetric Labelled(const Labels& labels) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : labels) {
    prometheus::ClientMetric::Label label;
    label.name = name;
    label.value = value;
    metric.label.push_back(std::move(label));
  }
  return metric;
}

void Show(const Counter& counter, prometheus::ClientMetric& metric) {
  metric.counter.value = static_cast<double>(counter.value());
}

void Show(const Histogram& histogram, prometheus::ClientMetric& metric) {
  uint64_t below = 0;
  for (size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
    below += histogram.CountAt(i);
    prometheus::ClientMetric::Bucket bucket;
    bucket.cumulative_count = below;
    bucket.upper_bound = i < Histogram::kBounds.size() ? Histogram::kBounds[i]
                                                       : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back(bucket);
  }
  metric.histogram.sample_count = below;
  metric.histogram.sample_sum = histogram.sum_seconds();
}

template <typename Families, typename ShowValue>
void AppendFamilies(const Families& families, prometheus::MetricType type, ShowValue show,
                    std::vector<prometheus::MetricFamily>& out) {
  for (const auto& [name, family] : families) {
    prometheus::MetricFamily shown;
    shown.name = name;
    shown.help = family.help;
    shown.type = type;
    for (const auto& [labels, value] : family.metrics) {
      prometheus::ClientMetric metric = Labelled(labels);
      show(value, metric);
      shown.metric.push_back(std::move(metric));
    }
    out.push_back(std::move(shown));
  }
}

}  // namespace

void Histogram::Observe(double seconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  counts_[static_cast<size_t>(bound - kBounds.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_nanoseconds_.fetch_add(static_cast<uint64_t>(seconds * 1e9), std::memory_order_relaxed);
}

double Histogram::sum_seconds() const {
  return static_cast<double>(sum_nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
}

Counter& GetCounter(const std::string& name, const std::string& help, const Labels& labels) {
  return GetOrMake(All().counters, name, help, labels);
}

Histogram& GetHistogram(const std::string& name, const std::string& help, const Labels& labels) {
  return GetOrMake(All().histograms, name, help, labels);
}

void SetGauge(const std::string& name, const std::string& help, const Labels& labels,
              std::function<double()> read) {
  const std::lock_guard lock(All().mutex);
  auto& family = All().gauges[name];
  family.help = help;
  family.metrics[labels] = std::move(read);
}

void RemoveGauge(const std::string& name, const Labels& labels) {
  const std::lock_guard lock(All().mutex);
  const auto family = All().gauges.find(name);
  if (family != All().gauges.end()) family->second.metrics.erase(labels);
}

std::vector<prometheus::MetricFamily> CollectMetrics() {
  std::vector<prometheus::MetricFamily> out;
  const std::lock_guard lock(All().mutex);
  const auto show = [](const auto& value, prometheus::ClientMetric& metric) {
    Show(*value, metric);
  };
  AppendFamilies(All().counters, prometheus::MetricType::Counter, show, out);
  AppendFamilies(All().histograms, prometheus::MetricType::Histogram, show, out);
  AppendFamilies(
      All().gauges, prometheus::MetricType::Gauge,
      [](const std::function<double()>& read, prometheus::ClientMetric& metric) {
        metric.gauge.value = read();
      },
      out);
  return out;
}

std::string FormatMetrics() {
  return prometheus::TextSerializer().Serialize(CollectMetrics());
}

}  // namespace guilder::telemetry
