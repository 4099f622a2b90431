// Members pay with points at partners where they have not earned them.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "services/cli/demo/run.h"
#include "services/cli/demo/steps.h"

namespace guilder::cli::demo {

// Redeems through a run. Each function may be repeated, as in posting.h.
class Redeemer {
 public:
  // `steps` is how many there will be: the redemptions are spread over them.
  Redeemer(Run& run, size_t steps) : run_(run), steps_(steps) {}

  // Authorises redemptions that purchases of this step shall carry. Gives receipt →
  // "redemptions/…". `at` is when the step begins.
  absl::StatusOr<std::map<size_t, std::string>> AuthorizeCarried(size_t number, const Step& step,
                                                                 Timestamp at);
  // Notes what those purchases captured.
  absl::Status NoteCarried(const std::map<size_t, std::string>& carried);

  // Refunds what last week's members gave back, and lets others redeem: in full, in part, or not
  // after all.
  absl::Status Redeem(size_t number, const Step& step);
  // Refunds what is left after the last step.
  absl::Status RefundAll();

 private:
  struct Refund {
    size_t redemption;  // In the outcome.
    std::string name;
    int64_t points;
  };

  absl::StatusOr<std::string> Authorize(const std::string& id, size_t partner,
                                        const std::string& store, size_t member, int64_t points);
  absl::Status RedeemOne(size_t number, const PlannedRedemption& planned);

  Run& run_;
  const size_t steps_;
  std::vector<Refund> refunds_;  // For the next step.
};

}  // namespace guilder::cli::demo
