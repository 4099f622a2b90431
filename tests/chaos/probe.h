// Whether the network serves: asked as a client does.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"

#include "services/cli/network.h"

namespace guilder::testing {

// Not thread safe.
class Probe {
 public:
  // What it posts is in a till's log. The network has a partner.
  Probe(const cli::Network& network, const std::string& log_path);
  ~Probe();

  // How long it takes from now until every service says that it is healthy, and a purchase, an
  // enrolment and a redemption were answered. Gives up soon after `most`.
  absl::Duration TimeToRecover(absl::Duration most);
  // What was in the way last.
  const std::string& last_failure() const { return last_failure_; }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::string last_failure_;
};

}  // namespace guilder::testing
