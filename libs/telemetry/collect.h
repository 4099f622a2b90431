// The metrics in prometheus-cpp's form. For this library only, so that no other header needs its.
#pragma once

#include <vector>

#include "prometheus/metric_family.h"

namespace guilder::telemetry {

std::vector<prometheus::MetricFamily> CollectMetrics();

}  // namespace guilder::telemetry
