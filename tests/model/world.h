// A database with a programme, and two processes that write to it: one of them is this.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "libs/base/types.h"
#include "libs/postgres/pool.h"
#include "tests/model/lane_process.h"
#include "tests/support/database.h"

namespace guilder::model {

inline constexpr int kBooks = 8;
inline constexpr int kProcesses = 2;
// The one that is not this process, and can be killed.
inline constexpr int kOtherProcess = 1;

// What was done to a world while it was played in.
struct Weather {
  int64_t clock_steps = 0;
  int64_t seals = 0;
  int64_t boundaries = 0;
  int64_t sessions_ended = 0;
  int64_t restarts = 0;
  int64_t kills = 0;
};

// Thread safe. What cannot be set up throws; what goes wrong later is kept for `trouble`.
class World {
 public:
  // Each process has so many lanes.
  explicit World(int lanes);
  ~World();

  const testing::TestDatabase& database() const { return database_; }
  postgres::Pool& pool() { return pool_; }

  // Gives an order to the lanes of one process.
  void Submit(int process, const Order& order, ledger::Lanes::Done done);
  // The same, and waits for the answer.
  absl::StatusOr<ledger::Answer> Post(int process, const Order& order);
  BookId BookForNewAccount(const Uuid& request_id) const;

  // What the programme's clock shows, at least and at most.
  Timestamp ClockAtLeast() const;
  Timestamp ClockAtMost() const;
  // How far it was moved in all.
  Timestamp clock_moved() const { return Timestamp(moved_us_.load()); }
  void MoveClock(Timestamp by);

  void SealEndedWindows();
  // Ends the open window by a boundary on demand, in the background and one at a time.
  void CloseOpenWindow();
  // Runs the ledger's verification, whatever else goes on.
  void Verify();
  // Takes the allowances of the partner that pays in advance from all books, so that each has to
  // ask for one again.
  void TakeAllowancesBack();
  // Ends the session of a lane or of an allocator, whatever it is doing.
  void KillSomeLane();
  // Lets a process end and another one take its place.
  void RestartProcess(int process);
  // Kills the other process, and starts another one.
  void KillProcess();
  // Answers everything that was submitted, and ends both processes and what is in the background.
  void Stop();

  // The first thing that did not work; empty when all did.
  std::string trouble() const;
  void AddTrouble(const std::string& what);
  Weather weather() const;

 private:
  std::shared_ptr<LaneProcess> StartProcess(int process) const;
  // Gives the process that was there.
  std::shared_ptr<LaneProcess> Replace(int process);
  void Script(const std::string& sql);
  void Count(int64_t Weather::*what);

  const int lanes_;
  testing::TestDatabase database_;
  postgres::Pool pool_;
  int64_t first_offset_us_ = 0;
  // How far the clock was certainly moved, and how far it may have been.
  std::atomic<int64_t> moved_us_ = 0;
  std::atomic<int64_t> moving_us_ = 0;

  std::atomic<bool> is_closing_ = false;

  mutable std::mutex mutex_;
  std::thread closing_;
  std::array<std::shared_ptr<LaneProcess>, kProcesses> processes_;
  std::string trouble_;
  Weather weather_;
};

}  // namespace guilder::model
