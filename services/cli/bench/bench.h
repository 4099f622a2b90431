// The benchmark: a network of its own, measured beside what its PostgreSQL can do at best.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "services/cli/bench/figures.h"
#include "services/cli/bench/profile.h"

namespace guilder::cli::bench {

// Measures everything and removes what it made. `on_step` is told in a few words what begins.
// Errors: what does not start, and any answer that is not OK.
absl::StatusOr<Figures> RunBench(const Profile& profile,
                                 const std::function<void(const std::string&)>& on_step);

}  // namespace guilder::cli::bench
