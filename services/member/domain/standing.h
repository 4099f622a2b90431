// Tiers and segments: what rules may ask of a member, and since when.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"

namespace guilder::member {

inline constexpr size_t kMostTierChanges = 1'000;
inline constexpr size_t kMostSegments = 100;  // at a time

struct TierChange {
  int number = 0;    // in the order in which it was noted
  std::string tier;  // empty for none
  Timestamp from;
  Timestamp changed_at;
  std::string changed_by;
  std::string reason;
};

struct SegmentTime {
  int number = 0;
  std::string segment;
  Timestamp from;
  Timestamp until = kNever;
  std::string changed_by;

  bool Covers(Timestamp at) const { return from <= at && at < until; }
};

// A name as rules write it: letters, digits, "-" and "_", 1 to 64 of them. Error: kRequestMalformed
// with the detail `field`.
absl::Status CheckStandingName(const char* field, std::string_view name);

// Of changes in any order, the one that says what is so at a time; nullptr for none.
const TierChange* TierAt(const std::vector<TierChange>& changes, Timestamp at);

}  // namespace guilder::member
