// Where members live, since when, and what the programme's policy makes of it: where points do not
// expire by time alone. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/record.h"

namespace guilder::member {

inline constexpr size_t kMostResidences = 1'000;
inline constexpr int kMostResidencePlaces = 1'000;
inline constexpr int kMostResidenceGraceDays = 3'650;

// A country or a part of one, as ISO 3166 has it: "DE", "US-CA". Error: kRequestMalformed with the
// detail `field`.
absl::Status CheckPlace(const char* field, std::string_view place);

struct Residence {
  int number = 0;     // in the order in which it was noted
  std::string place;  // empty for one that is not known any more
  Timestamp from;
  Timestamp noted_at;
  std::string noted_by;
};

// Of residences in any order, the one that says where the member lives at a time; nullptr for none.
const Residence* ResidenceAt(const std::vector<Residence>& residences, Timestamp at);

// A version of the programme's policy, from when it was set.
struct ResidencePolicy {
  int64_t version = 0;
  Timestamp from;
  // Where points do not expire by time; a country stands for all of its parts.
  std::vector<std::string> places;
  // For so many days, to the end of the last, points live on that are over by their own dates when
  // their member moves away.
  int grace_days = 0;
};

struct SparingPlan {
  ledger::Sparing sparing;
  // When it is to be made again.
  Timestamp next_change = kNever;
};

// What is spared at `now` or, where nothing is, will be spared next. Times that follow on each
// other, their days of grace included, are one.
SparingPlan PlanSparing(const std::vector<Residence>& residences,
                        const std::vector<ResidencePolicy>& policies, Timestamp now,
                        const ledger::Configuration& configuration);

// Spares the account accordingly, and gives back what had expired by a date at which, as is known
// now, nothing expired. Of lots that are too many for one record the rest is for the next time: the
// plan is to be made again at once. Gives the points.
Points DecideSparing(SparingPlan& plan, ledger::Posting& posting);

}  // namespace guilder::member
