#include "services/cli/bench/network_process.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/status_macros.h"
#include "services/cli/dev/network.h"

namespace guilder::cli::bench {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kDrain = absl::Seconds(5);

absl::Status SystemError(const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("cannot ", what, ": ", std::strerror(errno)));
}

absl::StatusOr<std::string> MakeFreshDirectory() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string path = (error ? fs::path("/tmp") : parent) / "guilder-bench-XXXXXX";
  // PostgreSQL's user must be able to enter; what is secret in it has modes of its own.
  if (mkdtemp(path.data()) == nullptr || chmod(path.c_str(), 0755) != 0) {
    return SystemError(absl::StrCat("create ", path));
  }
  return path;
}

std::string ReadToEnd(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
}

// The child's life: says on `report_fd` why it could not start, or nothing, and serves until
// `stop_fd` has ended, for whatever reason.
[[noreturn]] void Serve(dev::NetworkOptions options, int report_fd, int stop_fd) {
  // Ports that are taken are no news: another is tried.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  absl::Status status;
  auto network = dev::Network::Start(std::move(options));
  status = network.ok() ? (*network)->Save() : network.status();
  if (!status.ok()) {
    const std::string reason(status.message());
    [[maybe_unused]] const ssize_t written = write(report_fd, reason.data(), reason.size());
    _exit(1);
  }
  close(report_fd);
  ReadToEnd(stop_fd);
  (*network)->Stop(kDrain);
  _exit(0);
}

struct ProcessTimes {
  pid_t parent = 0;
  int64_t own_ticks = 0;
  int64_t ended_children_ticks = 0;
};

// Fields of /proc/PID/stat, of which the name in parentheses may hold anything; see proc(5).
bool ReadTimes(const fs::path& process, ProcessTimes& times) {
  std::ifstream in(process / "stat");
  std::string line;
  if (!std::getline(in, line)) return false;
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return false;
  const std::vector<std::string> fields =
      absl::StrSplit(line.substr(name_end + 1), ' ', absl::SkipEmpty());
  if (fields.size() < 15) return false;
  int64_t user = 0, system = 0, children_user = 0, children_system = 0;
  const bool read = absl::SimpleAtoi(fields[1], &times.parent) &&
                    absl::SimpleAtoi(fields[11], &user) && absl::SimpleAtoi(fields[12], &system) &&
                    absl::SimpleAtoi(fields[13], &children_user) &&
                    absl::SimpleAtoi(fields[14], &children_system);
  times.own_ticks = user + system;
  times.ended_children_ticks = children_user + children_system;
  return read;
}

}  // namespace

absl::StatusOr<std::unique_ptr<NetworkProcess>> NetworkProcess::Start(int64_t welcome_points) {
  std::unique_ptr<NetworkProcess> process(new NetworkProcess());
  GUILDER_ASSIGN_OR_RETURN(process->directory_, MakeFreshDirectory());
  dev::NetworkOptions options;
  options.data_directory = process->directory_;
  options.programme.welcome_points = Points(welcome_points);

  int report[2];
  int stop[2];
  if (pipe(report) != 0 || pipe(stop) != 0) return SystemError("make a pipe");
  process->stop_fd_ = stop[1];
  process->pid_ = fork();
  if (process->pid_ < 0) return SystemError("fork");
  if (process->pid_ == 0) {
    close(report[0]);
    close(stop[1]);
    Serve(std::move(options), report[1], stop[0]);
  }
  close(report[1]);
  close(stop[0]);
  const std::string reason = ReadToEnd(report[0]);
  close(report[0]);
  if (!reason.empty()) return absl::FailedPreconditionError(reason);
  GUILDER_ASSIGN_OR_RETURN(process->facts_, ReadNetwork(process->directory_ + "/network.json"));
  return process;
}

NetworkProcess::~NetworkProcess() {
  if (stop_fd_ >= 0) close(stop_fd_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

double NetworkProcess::CpuMicros() const {
  std::map<pid_t, ProcessTimes> processes;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    pid_t pid = 0;
    ProcessTimes times;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    if (ReadTimes(entry.path(), times)) processes[pid] = times;
  }
  int64_t ticks = 0;
  for (const auto& [pid, times] : processes) {
    pid_t ancestor = pid;
    while (ancestor != pid_ && processes.contains(ancestor)) ancestor = processes[ancestor].parent;
    if (ancestor == pid_) ticks += times.own_ticks + times.ended_children_ticks;
  }
  return 1e6 * static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double NetworkProcess::PeakResidentMegabytes() const {
  constexpr double kKilobytesPerMegabyte = 1'024;
  std::ifstream in(absl::StrCat("/proc/", pid_, "/status"));
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t kilobytes = 0;
    if (words.size() == 3 && words[0] == "VmHWM:" && absl::SimpleAtoi(words[1], &kilobytes)) {
      return static_cast<double>(kilobytes) / kKilobytesPerMegabyte;
    }
  }
  return 0;
}

}  // namespace guilder::cli::bench
