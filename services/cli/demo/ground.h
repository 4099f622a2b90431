// The network that a demonstration runs on: one of its own, or one that runs already.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/cli/demo/demo.h"
#include "services/cli/network.h"

namespace guilder::cli::dev {
class Network;
}  // namespace guilder::cli::dev

namespace guilder::cli::demo {

class Ground {
 public:
  // `clock` is what the programme's clock shows at first in a network of our own.
  static absl::StatusOr<std::unique_ptr<Ground>> Prepare(const DemoOptions& options,
                                                         Timestamp clock);
  // Stops a network of our own, and removes it unless it was to be kept.
  ~Ground();
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  const Network& network() const { return network_; }
  // What commands name as --network; empty when nothing will be left.
  const std::string& network_file() const { return network_file_; }
  // How to start it again; empty when it runs anyway or will be gone.
  const std::string& restart() const { return restart_; }

  // Lets commands act for partners, where the network is our own.
  absl::Status RememberPartners(std::vector<NetworkPartner> partners);

 private:
  Ground() = default;
  absl::Status StartOwn(const DemoOptions& options, Timestamp clock);

  std::unique_ptr<dev::Network> own_;
  Network network_;
  std::string network_file_;
  std::string restart_;
  std::string to_remove_;
};

}  // namespace guilder::cli::demo
