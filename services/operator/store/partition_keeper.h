// Keeps the journal's partitions ahead of the programme's clock.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/postgres/pool.h"

namespace guilder::operator_ {

// Partitions exist for posted times up to this long after the clock.
inline constexpr Timestamp kPartitionsAhead{62 * kMicrosPerDay};

// Makes what is missing from one instant to kPartitionsAhead after another, a year in each
// transaction.
absl::Status EnsurePartitionsAhead(postgres::Pool& pool, Timestamp from, Timestamp until);

// Does so in a thread of its own, at once and then every hour, and logs what fails.
class PartitionKeeper {
 public:
  // The pool outlives the keeper.
  explicit PartitionKeeper(postgres::Pool& pool);
  ~PartitionKeeper();

 private:
  void Work();
  absl::Status Keep();

  postgres::Pool& pool_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace guilder::operator_
