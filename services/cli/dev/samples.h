// A few partners with stores, tills, keys and a member's card each, and a small catalogue, so that
// a newcomer can post a purchase and order a gift at once.
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "services/cli/network.h"

namespace guilder::cli::dev {

// Brings in the samples over the network's services, by its operators, and gives what is needed to
// act for them. May be repeated after an interruption.
absl::StatusOr<std::vector<NetworkPartner>> AddSamplePartners(const cli::Network& network);

}  // namespace guilder::cli::dev
