// The faults that are injected, each for a while.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libs/postgres/connection.h"
#include "tests/chaos/service_processes.h"
#include "tests/chaos/small_disk.h"

namespace guilder::testing {

enum class FaultKind {
  kKillService,     // kill -9, and a start
  kStopService,     // SIGSTOP, and later SIGCONT
  kKillPostmaster,  // kill -9; at times with a service that starts meanwhile
  kStopPostmaster,  //
  kKillBackend,     // kill -9 of one session, upon which PostgreSQL ends all
  kStopBackend,     // of one session, which may hold locks
  kEndSessions,     // pg_terminate_backend of all sessions
  kCutDatabase,     // connections between a service and the database are reset
  kDelayDatabase,   // and bytes are late
  kHideDatabase,    // and nothing gets through
  kLosePackets,     // as if the database's cable were pulled
  kLoseCommit,      // a commit is done, and its answer is lost
  kCutClients,      // connections between clients and a service are reset
  kDelayClients,    //
  kHideClients,     //
  kLoseAnswer,      // a request is done, and its answer is lost
  kHoldLocks,       // another session locks books or the journal, until statements time out
  kFullDisk,        // no byte more fits where PostgreSQL keeps its data
  kMoveClock,       // the programme's clock steps forward
};

const char* FaultName(FaultKind kind);
// Whether it kills or stops a process.
bool IsKill(FaultKind kind);
// All but kFullDisk, which needs a disk, and kLosePackets where the system forbids it.
std::vector<FaultKind> OrdinaryFaults();

// Not thread safe.
class Faults {
 public:
  // `disk` holds the database; nullptr when there is none that could be filled.
  Faults(ServiceProcesses& services, SmallDisk* disk, unsigned seed)
      : services_(services), disk_(disk), random_(seed) {}

  // Injects a fault, waits while it lasts, and lifts it. False when there was no occasion for it.
  bool Inject(FaultKind kind);

 private:
  bool KillService();
  bool KillPostmaster();
  // Lets a process stand still for a while; false when it is gone.
  bool Stop(pid_t pid);
  bool KillBackend();
  bool Lose(TcpGate& gate, const std::string& marker);
  bool HoldLocks();
  bool FillDisk();
  bool MoveClock();
  // False when the database could not be asked. Throws when it refuses the statement.
  bool RunSql(const std::string& sql);

  // Of a service; one that posts when `posting`.
  const std::string& AService(bool posting = false);
  // Of PostgreSQL; 0 when there is none just now.
  pid_t ASession();
  // Waits for a while, of at most so long.
  void Last(int most_ms);
  size_t OneOf(size_t count) { return random_() % count; }

  ServiceProcesses& services_;
  SmallDisk* const disk_;
  std::minstd_rand random_;
};

}  // namespace guilder::testing
