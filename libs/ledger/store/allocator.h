// The allocator: moves what is left of a limit to the books that need it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/limit.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// Serves all lanes of a process, with a thread and a connection of its own. What many books need of
// one limit while it was busy is one transaction. Thread safe.
class Allocator {
 public:
  // `status` is what kept it from dividing the limit; OK does not promise that the book got what it
  // needs, because others may have needed it more, or spent it meanwhile.
  using Done = std::function<void(const absl::Status& status)>;

  Allocator(std::string dsn, ProgrammeId programme);
  // Answers what still waits.
  ~Allocator();

  // Asks for a book to have what it needs of a limit, as far as there is so much. `done` is called
  // once, on the allocator's thread, after the commit.
  void Ask(LimitId limit, AllowanceNeed need, Done done);

 private:
  struct Asked {
    std::vector<AllowanceNeed> needs;
    std::vector<Done> done;
  };

  void Work();
  absl::Status Divide(LimitId limit, const std::vector<AllowanceNeed>& needs);

  const std::string dsn_;
  const ProgrammeId programme_;
  // Only the thread's. Opened when it is first needed.
  std::optional<postgres::Connection> connection_;
  // What each limit was asked for last. Of the thread alone.
  std::map<LimitId, std::vector<AllowanceNeed>> last_needs_;

  std::mutex mutex_;
  std::condition_variable asked_something_;
  std::map<LimitId, Asked> asked_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace guilder::ledger
