// How a partner leaves: when what ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::partner {

struct RunOff {
  Timestamp last_issue;
  Timestamp last_redemption;
  Timestamp last_return;
  Timestamp final_settlement;

  friend bool operator==(const RunOff&, const RunOff&) = default;
};

// What an operator asks for; what is absent follows.
struct AskedRunOff {
  std::optional<Timestamp> last_issue;
  std::optional<Timestamp> last_redemption;
  std::optional<Timestamp> last_return;
  std::optional<Timestamp> final_settlement;
  // Why notice periods do not matter; empty where they do.
  std::string for_cause;
};

// Of the contracts that are in force; 0 where there is none.
struct NoticeDays {
  int32_t issuance = 0;
  int32_t redemption = 0;
};

inline constexpr int kUsualReturnDays = 90;
inline constexpr int kUsualSettlementDays = 180;

// The dates of a run-off that begins now. Issuing and redeeming end at the end of their notice
// unless something later is asked for; returns 90 days after the later of the two, and the final
// settlement is 90 days after the last return.
//
// Errors, first match wins: REQUEST_MALFORMED, naming the field that is in the past or before the
// one that it follows; NOTICE_TOO_SHORT for an end that is asked for before the notice is over.
absl::StatusOr<RunOff> PlanRunOff(const AskedRunOff& asked, const NoticeDays& notice,
                                  Timestamp now);

}  // namespace guilder::partner
