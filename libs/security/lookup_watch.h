// Who looks for what can be guessed, how often, and how often in vain.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "libs/base/types.h"

namespace guilder::security {

// Whoever tries numbers, addresses or codes one after the other misses much more often than a
// person who asks a shopper. Counts by caller over an hour; at the limit of misses there is one
// alarm, and the caller finds nothing more until the hour is over. Thread safe; one entry a caller.
class LookupWatch {
 public:
  static constexpr int kMissesInAnHour = 100;

  struct Verdict {
    bool allowed = true;
    // Until the hour is over, when it is not.
    int64_t wait_us = 0;
  };

  // Asked before a look-up.
  Verdict Ask(const std::string& caller, Timestamp now);

  // Told afterwards. True for the miss that raises the alarm, once an hour and caller.
  bool Note(const std::string& caller, bool found, Timestamp now);

 private:
  struct Hour {
    Timestamp began_at;
    int64_t lookups = 0;
    int64_t misses = 0;
  };
  Hour& HourOf(const std::string& caller, Timestamp now);

  std::mutex mutex_;
  std::map<std::string, Hour> hours_;  // guarded by mutex_
};

}  // namespace guilder::security
