#include "libs/security/lookup_watch.h"

namespace guilder::security {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;

}  // namespace

LookupWatch::Hour& LookupWatch::HourOf(const std::string& caller, Timestamp now) {
  Hour& hour = hours_.try_emplace(caller, Hour{now}).first->second;
  if (now.value() - hour.began_at.value() >= kHourUs) hour = Hour{now};
  return hour;
}

LookupWatch::Verdict LookupWatch::Ask(const std::string& caller, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const Hour& hour = HourOf(caller, now);
  if (hour.misses < kMissesInAnHour) return {};
  return {.allowed = false, .wait_us = hour.began_at.value() + kHourUs - now.value()};
}

bool LookupWatch::Note(const std::string& caller, bool found, Timestamp now) {
  const std::lock_guard lock(mutex_);
  Hour& hour = HourOf(caller, now);
  ++hour.lookups;
  if (found) return false;
  return ++hour.misses == kMissesInAnHour;
}

}  // namespace guilder::security
