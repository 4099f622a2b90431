// Who takes part: partners with stores and keys, and members with cards.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "services/cli/bench/profile.h"
#include "services/cli/network.h"

namespace guilder::cli::bench {

struct Shop {
  std::string store;          // "partners/shop-01/stores/main"
  std::string authorization;  // the value of that header
};

// The place of the shop that has bought its points in advance; the others are billed.
inline constexpr size_t kPrepaidShop = 0;

struct World {
  std::vector<Shop> shops;
  std::vector<std::string> cards;
};

// Onboards the partners, over gRPC like everybody. All issue points that are spendable at once.
absl::StatusOr<std::vector<Shop>> OnboardShops(const Network& network, const Profile& profile);

}  // namespace guilder::cli::bench
