// Compares what tills were answered with what the ledger holds.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/time/time.h"

#include "libs/postgres/pool.h"
#include "tests/chaos/till_log.h"

namespace guilder::testing {

// Asks the database itself, past all gates. Each check gives what is wrong in one sentence; nothing
// when all is well. Not thread safe.
class Audit {
 public:
  // What the ledger holds already is none of the tills'.
  Audit(std::string dsn, const std::vector<std::string>& log_paths);

  // Every request that was answered since the last call has its record, with that answer, and no
  // till met a problem.
  std::string CheckAnswered();
  // `ledger verify`.
  std::string CheckLedger();
  // The same, but for when it would take most of the time because the ledger has grown.
  std::string CheckLedgerAtTimes();
  // When all tills have ended: what was accepted is in the ledger once, and nothing else is.
  std::string CheckAll();

  int64_t accepted() const { return static_cast<int64_t>(accepted_.size()); }
  int64_t refused() const { return refused_; }

 private:
  std::string Take(const std::vector<TillLine>& lines, std::vector<TillLine>& accepted);

  postgres::Pool pool_;
  std::vector<TillLogReader> logs_;
  // Request ids.
  std::unordered_set<std::string> before_;
  std::unordered_set<std::string> open_;
  std::unordered_set<std::string> accepted_;
  int64_t refused_ = 0;
  absl::Time next_ledger_check_ = absl::InfinitePast();
};

}  // namespace guilder::testing
