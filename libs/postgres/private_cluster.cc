#include "libs/postgres/private_cluster.h"

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/cluster_files.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/process.h"

namespace guilder::postgres {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPollInterval = std::chrono::milliseconds(20);
constexpr auto kRestartDelay = std::chrono::seconds(1);
constexpr auto kStopTimeout = std::chrono::seconds(60);
constexpr off_t kLargestLogBytes = 16 << 20;
constexpr size_t kLogTailBytes = 2'000;

const std::map<std::string, std::string>& DefaultSettings() {
  static const std::map<std::string, std::string> settings = {
      {"checkpoint_timeout", "15min"},
      {"cluster_name", "guilder"},
      {"fsync", "on"},
      {"jit", "off"},
      {"listen_addresses", ""},
      {"log_checkpoints", "off"},
      {"log_timezone", "UTC"},
      {"max_connections", "100"},
      {"max_wal_size", "2GB"},
      {"shared_buffers", "256MB"},
      {"synchronous_commit", "on"},
      {"timezone", "UTC"},
      {"unix_socket_permissions", "0700"},
      {"wal_compression", "lz4"},
  };
  return settings;
}

std::string DsnOf(const std::string& socket_dir, const std::string& database) {
  return absl::StrCat("host='", socket_dir, "' port=5432 user=guilder dbname='", database, "'");
}

std::string LogSince(const std::string& path, off_t offset) {
  std::ifstream in(path);
  in.seekg(0, std::ios::end);
  const std::streamoff size = in.tellg();
  std::string text(static_cast<size_t>(std::max<std::streamoff>(0, size - offset)), '\0');
  in.seekg(offset);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text.size() <= kLogTailBytes ? text : text.substr(text.size() - kLogTailBytes);
}

// Processes of a server that was killed may take a moment to notice and end; until then they hold
// its shared memory or its lock file.
bool IsPredecessorStillEnding(const std::string& log) {
  return absl::StrContains(log, "pre-existing shared memory block") ||
         absl::StrContains(log, "lock file \"");
}

}  // namespace

// One thread starts the server, watches it, starts it again and stops it: Linux tells a child of
// the death of the thread that started it, not of the process.
class PrivateCluster::Impl {
 public:
  Impl(PrivateClusterOptions options, internal::ClusterFiles files)
      : options_(std::move(options)), files_(std::move(files)) {
    keeper_ = std::thread([this] { Keep(); });
  }

  ~Impl() {
    // Nobody is left to be told; the next start copes with whatever this one left.
    Stop().IgnoreError();
    close(files_.lock_fd);
  }

  // Returns when the server answered for the first time, or will not.
  absl::Status AwaitStart() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return first_start_.has_value(); });
    return *first_start_;
  }

  absl::Status Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (keeper_.joinable()) keeper_.join();
    return stop_status_;
  }

  int pid() {
    const std::lock_guard lock(mutex_);
    return pid_;
  }

  const PrivateClusterOptions& options() const { return options_; }
  const internal::ClusterFiles& files() const { return files_; }

 private:
  void Keep() {
    absl::Status started = BringUp();
    {
      const std::lock_guard lock(mutex_);
      first_start_ = started;
    }
    changed_.notify_all();
    while (started.ok() && !IsStopping()) {
      while (IsRunning() && Sleep(kPollInterval)) {
      }
      if (IsStopping()) break;
      SetPid(0);
      Tell("PostgreSQL ended unexpectedly; starting it again");
      started = BringUp();
      while (!started.ok() && Sleep(kRestartDelay)) {
        Tell(std::string(started.message()));
        started = BringUp();
      }
      if (started.ok()) Tell("PostgreSQL answers again");
    }
    stop_status_ = TakeDown();
  }

  // Until the server answers. Adopts one that is there, waits for one that is starting or ending.
  absl::Status BringUp() {
    const auto deadline = Clock::now() + options_.start_timeout;
    off_t log_offset = 0;
    while (Clock::now() < deadline) {
      if (const int pid = internal::FindPostmaster(files_); pid != 0) {
        if (internal::IsReady(files_) && Answers()) {
          SetPid(pid);
          return absl::OkStatus();
        }
        ReapChild();
      } else if (child_ == 0) {
        internal::RemoveStaleFiles(files_);
        GUILDER_RETURN_IF_ERROR(StartServer(log_offset));
      } else if (ReapChild()) {
        const std::string log = LogSince(files_.log, log_offset);
        if (!IsPredecessorStillEnding(log)) {
          return absl::InternalError(
              absl::StrCat("PostgreSQL did not start; ", files_.log, ": ", log));
        }
      }
      if (!Sleep(kPollInterval))
        return absl::CancelledError("stopped while PostgreSQL was starting");
    }
    return absl::DeadlineExceededError(
        absl::StrCat("PostgreSQL did not answer within ", options_.start_timeout.count(),
                     " seconds; ", files_.log, ": ", LogSince(files_.log, log_offset)));
  }

  absl::Status StartServer(off_t& log_offset) {
    struct stat log_info {};
    const bool is_large =
        stat(files_.log.c_str(), &log_info) == 0 && log_info.st_size > kLargestLogBytes;
    const int log_fd = open(
        files_.log.c_str(),
        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (is_large ? O_TRUNC : 0), 0600);
    if (log_fd < 0) {
      return absl::FailedPreconditionError(absl::StrCat("cannot write ", files_.log));
    }
    log_offset = lseek(log_fd, 0, SEEK_END);

    std::map<std::string, std::string> settings = options_.settings;
    settings.insert(DefaultSettings().begin(), DefaultSettings().end());
    settings["unix_socket_directories"] = files_.socket_dir;
    internal::Command command{.argv = {files_.programs + "/postgres", "-D", files_.data},
                              .user = files_.user,
                              .output_fd = log_fd,
                              .signal_when_parent_dies = SIGINT};
    for (const auto& [name, value] : settings) {
      command.argv.push_back("-c");
      command.argv.push_back(absl::StrCat(name, "=", value));
    }
    const absl::StatusOr<pid_t> child = internal::Start(command);
    close(log_fd);
    if (!child.ok()) return child.status();
    child_ = *child;
    return absl::OkStatus();
  }

  bool Answers() const {
    const std::string dsn =
        absl::StrCat(DsnOf(files_.socket_dir, "postgres"), " connect_timeout=2");
    return PQping(dsn.c_str()) == PQPING_OK;
  }

  // True when the child has ended.
  bool ReapChild() {
    if (child_ == 0 || waitpid(child_, nullptr, WNOHANG) == 0) return false;
    child_ = 0;
    return true;
  }

  bool IsRunning() {
    if (child_ != 0) return !ReapChild();
    return internal::IsPostmaster(files_, pid());
  }

  // Fast shutdown; when that takes too long, immediate shutdown, after which the next start
  // recovers.
  absl::Status TakeDown() {
    const int pid = child_ != 0 ? child_ : internal::FindPostmaster(files_);
    SetPid(0);
    if (pid == 0) return absl::OkStatus();
    for (const int number : {SIGINT, SIGQUIT}) {
      kill(pid, number);
      const auto deadline = Clock::now() + kStopTimeout;
      while (Clock::now() < deadline) {
        if (child_ != 0 ? ReapChild() : !internal::IsPostmaster(files_, pid)) {
          return number == SIGINT ? absl::OkStatus()
                                  : absl::DeadlineExceededError("PostgreSQL had to be killed");
        }
        std::this_thread::sleep_for(kPollInterval);
      }
    }
    return absl::DeadlineExceededError(
        absl::StrCat("PostgreSQL, process ", pid, ", does not stop"));
  }

  // False as soon as the cluster is to stop.
  template <typename Duration>
  bool Sleep(Duration duration) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [this] { return stopping_; });
  }

  bool IsStopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  void SetPid(int pid) {
    const std::lock_guard lock(mutex_);
    pid_ = pid;
  }

  void Tell(const std::string& what) const {
    if (options_.on_event) options_.on_event(what);
  }

  const PrivateClusterOptions options_;
  const internal::ClusterFiles files_;
  std::thread keeper_;

  // Of the keeper alone, and of who joined it.
  pid_t child_ = 0;
  absl::Status stop_status_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int pid_ = 0;
  std::optional<absl::Status> first_start_;
};

namespace {

// An adopted server may turn out to be on its way down: then its successor is asked again.
absl::Status EnsureDatabase(const std::string& dsn, const std::string& database,
                            Clock::time_point deadline) {
  constexpr Statement kExists{"postgres.database_exists",
                              "select exists(select from pg_database where datname = $1)"};
  while (true) {
    const absl::Status status = [&]() -> absl::Status {
      GUILDER_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dsn));
      GUILDER_ASSIGN_OR_RETURN(
          const bool exists,
          ReadInTransaction(connection, [&](Transaction& transaction) -> absl::StatusOr<bool> {
            return transaction.Execute(kExists, Params().Text(database))[0].Bool(0);
          }));
      if (exists) return absl::OkStatus();
      return ExecuteAlone(connection,
                          absl::StrCat("create database \"",
                                       absl::StrReplaceAll(database, {{"\"", "\"\""}}), "\""));
    }();
    if (ReasonOf(status) != Reason::kStoreUnavailable || Clock::now() > deadline) return status;
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivateCluster>> PrivateCluster::Start(
    PrivateClusterOptions options) {
  const auto deadline = Clock::now() + options.start_timeout;
  const auto fsync = options.settings.find("fsync");
  const bool durable = fsync == options.settings.end() || fsync->second != "off";
  GUILDER_ASSIGN_OR_RETURN(internal::ClusterFiles files,
                           internal::PrepareClusterFiles(options.directory, durable));
  std::unique_ptr<PrivateCluster> cluster(
      new PrivateCluster(std::make_unique<Impl>(std::move(options), std::move(files))));
  GUILDER_RETURN_IF_ERROR(cluster->impl_->AwaitStart());
  GUILDER_RETURN_IF_ERROR(
      EnsureDatabase(cluster->DsnFor("postgres"), cluster->impl_->options().database, deadline));
  return cluster;
}

PrivateCluster::PrivateCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrivateCluster::~PrivateCluster() = default;

absl::Status PrivateCluster::Stop() {
  return impl_->Stop();
}

std::string PrivateCluster::dsn() const {
  return DsnFor(impl_->options().database);
}

std::string PrivateCluster::DsnFor(const std::string& database) const {
  return DsnOf(impl_->files().socket_dir, database);
}

int PrivateCluster::postmaster_pid() const {
  return impl_->pid();
}

std::string PrivateCluster::log_path() const {
  return impl_->files().log;
}

}  // namespace guilder::postgres
