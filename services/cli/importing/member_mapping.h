// How a file of another programme's members is to be read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "services/cli/importing/mapping.h"

namespace guilder::cli::importing {

// What the file as a whole must come to; what is not stated is not looked at.
struct ControlTotal {
  std::optional<int64_t> members;
  std::optional<int64_t> lots;
  std::optional<int64_t> points;
};

struct MemberMapping : FileForm {
  // Who it is in the old programme: rows with the same reference are one member with several lots.
  Source reference;
  Source given_name;
  Source family_name;
  Source phone;
  Source email;
  Source address;
  Source birth_date;
  // One column; several numbers stand between separators.
  Source card;
  char card_separator = '\0';  // none

  Source issuer;  // the partner's id
  Source contract;
  Source points;
  Source expires;
  Source activates;
  // "gifts", or partners' ids between commas.
  Source spent_only;
  std::string date_format = "%Y-%m-%d";
  // Points expire at the end of their day, and become available at its beginning, in this zone.
  absl::TimeZone zone = absl::UTCTimeZone();
  // Whether the issuer is billed for them.
  bool billed = false;

  ControlTotal control;
};

// Error: INVALID_ARGUMENT, the line and what is wrong with it; also for a name that no mapping has.
absl::StatusOr<MemberMapping> ParseMemberMapping(std::string_view toml);

}  // namespace guilder::cli::importing
