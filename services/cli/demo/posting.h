// Sends a step's work as the merchants' tills do: each merchant by its own stream.
//
// Every function returns when everything was answered, repeating through outages, and may be
// repeated. An answer that the data does not explain is an error.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"

#include "services/cli/demo/run.h"
#include "services/cli/demo/steps.h"

namespace guilder::cli::demo {

// Enrols who comes for the first time, at the first partner that they come to.
absl::Status EnrolMembers(Run& run, const Step& step);

// `carried`: receipt → "redemptions/…" that it captures.
absl::Status PostReceipts(Run& run, const Step& step, const std::map<size_t, std::string>& carried);

// Confirms about a third of the step's purchases whose points wait. After PostReceipts.
absl::Status ConfirmReceipts(Run& run, const Step& step);

// Takes back what was cancelled; those of one sale one after another. After ConfirmReceipts.
absl::Status PostReturns(Run& run, const Step& step);

}  // namespace guilder::cli::demo
