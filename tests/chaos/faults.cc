#include "tests/chaos/faults.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/base/types.h"
#include "libs/postgres/pool.h"

namespace guilder::testing {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(2);
// Longer than a lane's statement_timeout and idle_in_transaction_session_timeout.
constexpr int kOutlastsTimeoutsMs = 2'500;
// Longer than a service believes in a database that acknowledges nothing.
constexpr int kOutlastsTcpMs = 4'500;
// How long an answer is waited for that is to be lost.
constexpr int kAnswerWithinMs = 2'000;

const postgres::SessionSettings kPatientSession{
    .application_name = "fault",
    .statement_timeout = std::chrono::milliseconds(10'000),
    .idle_in_transaction_timeout = std::chrono::milliseconds(0)};

// "postgres: guilder: USER DATABASE [local] idle": a session's title; helpers have other ones.
bool IsSession(const std::string& title) {
  return absl::StartsWith(title, "postgres:") && absl::StrContains(title, "guilder guilder [");
}

pid_t ParentOf(const std::string& process) {
  // Of "pid (name) state parent …" the name may hold anything.
  const std::string stat = ReadFile(process + "/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipEmpty());
  pid_t parent = 0;
  return fields.size() > 1 && absl::SimpleAtoi(fields[1], &parent) ? parent : 0;
}

}  // namespace

const char* FaultName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kKillService:
      return "kill -9 of a service";
    case FaultKind::kStopService:
      return "a service stands still";
    case FaultKind::kKillPostmaster:
      return "kill -9 of the postmaster";
    case FaultKind::kStopPostmaster:
      return "the postmaster stands still";
    case FaultKind::kKillBackend:
      return "kill -9 of a session";
    case FaultKind::kStopBackend:
      return "a session stands still";
    case FaultKind::kEndSessions:
      return "all sessions are ended";
    case FaultKind::kCutDatabase:
      return "database: connections cut";
    case FaultKind::kDelayDatabase:
      return "database: bytes delayed";
    case FaultKind::kHideDatabase:
      return "database: black hole";
    case FaultKind::kLosePackets:
      return "database: packets lost";
    case FaultKind::kLoseCommit:
      return "database: a commit's answer lost";
    case FaultKind::kCutClients:
      return "clients: connections cut";
    case FaultKind::kDelayClients:
      return "clients: bytes delayed";
    case FaultKind::kHideClients:
      return "clients: black hole";
    case FaultKind::kLoseAnswer:
      return "clients: an answer lost";
    case FaultKind::kHoldLocks:
      return "locks held past timeouts";
    case FaultKind::kFullDisk:
      return "the disk is full";
    case FaultKind::kMoveClock:
      return "the clock steps forward";
  }
  return "";
}

bool IsKill(FaultKind kind) {
  switch (kind) {
    case FaultKind::kKillService:
    case FaultKind::kStopService:
    case FaultKind::kKillPostmaster:
    case FaultKind::kStopPostmaster:
    case FaultKind::kKillBackend:
    case FaultKind::kStopBackend:
      return true;
    default:
      return false;
  }
}

std::vector<FaultKind> OrdinaryFaults() {
  std::vector<FaultKind> kinds;
  for (int kind = 0; kind <= static_cast<int>(FaultKind::kMoveClock); ++kind) {
    kinds.push_back(static_cast<FaultKind>(kind));
  }
  std::erase(kinds, FaultKind::kFullDisk);
  if (!TcpGate::CanLosePackets()) std::erase(kinds, FaultKind::kLosePackets);
  return kinds;
}

bool Faults::Inject(FaultKind kind) {
  TcpGate& database = services_.DatabaseGate(AService(/*posting=*/true));
  TcpGate& clients = services_.ServiceGate(AService(/*posting=*/true));
  switch (kind) {
    case FaultKind::kKillService:
      return KillService();
    case FaultKind::kStopService:
      return Stop(services_.pid(AService()));
    case FaultKind::kKillPostmaster:
      return KillPostmaster();
    case FaultKind::kStopPostmaster:
      return Stop(services_.postmaster_pid());
    case FaultKind::kKillBackend:
      return KillBackend();
    case FaultKind::kStopBackend:
      return Stop(ASession());
    case FaultKind::kEndSessions:
      return RunSql(
          "select pg_terminate_backend(pid) from pg_stat_activity "
          "where datname = current_database() and pid <> pg_backend_pid()");
    case FaultKind::kCutDatabase:
      database.Cut();
      return true;
    case FaultKind::kDelayDatabase:
      database.Delay(std::chrono::milliseconds(5 + OneOf(50)));
      Last(1'000);
      database.Restore();
      return true;
    case FaultKind::kHideDatabase:
      database.BlackHole();
      Last(kOutlastsTimeoutsMs);
      database.Restore();
      return true;
    case FaultKind::kLosePackets:
      database.LosePackets();
      Last(kOutlastsTcpMs);
      database.Restore();
      return true;
    case FaultKind::kLoseCommit:
      return Lose(database, "commit");
    case FaultKind::kCutClients:
      clients.Cut();
      return true;
    case FaultKind::kDelayClients:
      clients.Delay(std::chrono::milliseconds(5 + OneOf(200)));
      Last(1'000);
      clients.Restore();
      return true;
    case FaultKind::kHideClients:
      clients.BlackHole();
      Last(kOutlastsTimeoutsMs);
      clients.Restore();
      return true;
    case FaultKind::kLoseAnswer:
      return Lose(clients, "");
    case FaultKind::kHoldLocks:
      return HoldLocks();
    case FaultKind::kFullDisk:
      return FillDisk();
    case FaultKind::kMoveClock:
      return MoveClock();
  }
  return false;
}

const std::string& Faults::AService(bool posting) {
  static const std::vector<std::string> kPosting = {"accrual", "member", "redemption"};
  const std::vector<std::string>& names = posting ? kPosting : ServiceNames();
  return names[OneOf(names.size())];
}

pid_t Faults::ASession() {
  const pid_t postmaster = services_.postmaster_pid();
  std::vector<pid_t> sessions;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const std::string process = entry.path().string();
    if (postmaster > 0 && ParentOf(process) == postmaster &&
        IsSession(ReadFile(process + "/cmdline"))) {
      sessions.push_back(pid);
    }
  }
  return sessions.empty() ? 0 : sessions[OneOf(sessions.size())];
}

void Faults::Last(int most_ms) {
  std::this_thread::sleep_for(
      std::chrono::milliseconds(most_ms / 4 + static_cast<int>(OneOf(most_ms * 3 / 4))));
}

bool Faults::KillService() {
  services_.Restart(AService());
  return true;
}

bool Faults::KillPostmaster() {
  const pid_t pid = services_.postmaster_pid();
  if (pid <= 0 || kill(pid, SIGKILL) != 0) return false;
  // A service that starts while its database is away.
  if (OneOf(3) == 0) services_.Restart(AService());
  // The cluster has to notice before its absence can end.
  while (services_.postmaster_pid() == pid) std::this_thread::sleep_for(kPoll);
  return true;
}

bool Faults::Stop(pid_t pid) {
  if (pid <= 0 || kill(pid, SIGSTOP) != 0) return false;
  // At times longer than the database lets a transaction stand idle.
  Last(OneOf(4) == 0 ? kOutlastsTimeoutsMs : 600);
  return kill(pid, SIGCONT) == 0;
}

bool Faults::KillBackend() {
  const pid_t pid = ASession();
  return pid > 0 && kill(pid, SIGKILL) == 0;
}

bool Faults::Lose(TcpGate& gate, const std::string& marker) {
  const int64_t before = gate.answers_lost();
  gate.LoseAnswer(marker);
  for (int waited_ms = 0; waited_ms < kAnswerWithinMs; waited_ms += kPoll.count()) {
    if (gate.answers_lost() > before) return true;
    std::this_thread::sleep_for(kPoll);
  }
  gate.Restore();
  return false;
}

bool Faults::MoveClock() {
  constexpr int64_t kSecondsOf[] = {1, 3'600, 86'400};
  const int64_t by_us =
      static_cast<int64_t>(1 + OneOf(20)) * kSecondsOf[OneOf(3)] * kMicrosPerSecond;
  // As the operator service does: first the partitions, then the books, in the order in which lanes
  // lock them.
  return RunSql(absl::StrCat("select ledger.ensure_partitions(now_us, now_us + ", by_us,
                             ") from (select max(clock_offset_us) + "
                             "(extract(epoch from clock_timestamp()) * 1000000)::bigint as now_us "
                             "from ledger.books) as clock")) &&
         RunSql(absl::StrCat("select from ledger.books order by book for no key update; "
                             "update ledger.books set clock_offset_us = clock_offset_us + ",
                             by_us));
}

bool Faults::RunSql(const std::string& sql) {
  auto connection = postgres::Connection::Open(services_.dsn(), kPatientSession);
  if (!connection.ok()) return false;
  const absl::Status status = RunInTransaction(*connection, [&](postgres::Transaction& tx) {
    tx.Script(sql);
    return absl::OkStatus();
  });
  // A database that is hard to reach is no occasion; a statement that it refuses is a mistake here.
  if (!status.ok() && ReasonOf(status) != Reason::kStoreUnavailable) {
    throw std::logic_error(absl::StrCat(sql, ": ", status.ToString()));
  }
  return status.ok();
}

bool Faults::HoldLocks() {
  auto connection = postgres::Connection::Open(services_.dsn(), kPatientSession);
  if (!connection.ok()) return false;
  return RunInTransaction(
             *connection,
             [&](postgres::Transaction& tx) {
               tx.Script(OneOf(2) == 0 ? "select from ledger.books order by book for update"
                                       : "lock table ledger.journal in access exclusive mode");
               std::this_thread::sleep_for(std::chrono::milliseconds(kOutlastsTimeoutsMs));
               return absl::OkStatus();
             })
      .ok();
}

bool Faults::FillDisk() {
  if (disk_ == nullptr) return false;
  disk_->Fill();
  // Without room for its log PostgreSQL ends itself; without room for tables it refuses.
  if (OneOf(2) == 0)
    RunSql(
        "create table public.fills_the_log as select 1; "
        "drop table public.fills_the_log; select pg_switch_wal()");
  Last(1'500);
  disk_->Empty();
  return true;
}

}  // namespace guilder::testing
