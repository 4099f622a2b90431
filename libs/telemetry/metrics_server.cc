#include <exception>

#include "absl/strings/str_cat.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"

#include "libs/telemetry/collect.h"
#include "libs/telemetry/metrics.h"

namespace guilder::telemetry {

class MetricsServer::Impl {
 public:
  explicit Impl(const std::string& listen_address)
      : exposer_(listen_address, /*num_threads=*/1), metrics_(std::make_shared<AllMetrics>()) {
    exposer_.RegisterCollectable(metrics_);
  }

 private:
  struct AllMetrics : prometheus::Collectable {
    std::vector<prometheus::MetricFamily> Collect() const override { return CollectMetrics(); }
  };

  prometheus::Exposer exposer_;
  std::shared_ptr<AllMetrics> metrics_;
};

MetricsServer::MetricsServer() = default;
MetricsServer::~MetricsServer() = default;

absl::Status MetricsServer::Start(const std::string& listen_address) {
  try {
    impl_ = std::make_unique<Impl>(listen_address);
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot serve metrics on ", listen_address, ": ", error.what()));
  }
}

}  // namespace guilder::telemetry
