#include "libs/postgres/cluster_files.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "libs/base/files.h"
#include "libs/base/status_macros.h"

namespace guilder::postgres::internal {
namespace {

namespace fs = std::filesystem;

constexpr int kOldestVersion = 15;
constexpr size_t kLongestSocketDirectory = 90;
constexpr auto kLockWait = std::chrono::seconds(5);
constexpr auto kPollInterval = std::chrono::milliseconds(20);

absl::Status Failed(const std::string& what, const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot ", what, " ", path, ": ", strerror(errno)));
}

// The bytes of a file; none when there is none.
std::string Contents(const std::string& path) {
  return ReadFile(path).value_or("");
}

// The major version of the programs in a directory; 0 when they are not there.
int VersionOf(const ServerUser& user, const std::string& directory) {
  if (!fs::exists(directory + "/postgres") || !fs::exists(directory + "/initdb")) return 0;
  const auto output = RunToEnd(user, {directory + "/postgres", "--version"});
  if (!output.ok()) return 0;
  const size_t number = output->find_first_of("0123456789");
  return number == std::string::npos ? 0 : std::atoi(output->c_str() + number);
}

// The newest installed server, or exactly `wanted` when the data directory has a version already.
absl::StatusOr<std::string> FindPrograms(const ServerUser& user, int wanted) {
  std::vector<std::string> candidates;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    candidates.push_back(entry.path().string() + "/bin");
  }
  if (const char* const path = std::getenv("PATH")) {
    for (const absl::string_view directory : absl::StrSplit(path, ':', absl::SkipEmpty())) {
      candidates.emplace_back(directory);
    }
  }
  int best = 0;
  std::string programs;
  for (const std::string& candidate : candidates) {
    const int version = VersionOf(user, candidate);
    if (version < kOldestVersion || version <= best || (wanted != 0 && version != wanted)) continue;
    best = version;
    programs = candidate;
  }
  if (best != 0) return programs;
  return absl::FailedPreconditionError(absl::StrCat(
      "no PostgreSQL ",
      wanted != 0 ? absl::StrCat(wanted, ", which made this data directory,")
                  : absl::StrCat(kOldestVersion, " or later"),
      " is installed in /usr/lib/postgresql/*/bin or on the PATH; on Debian and Ubuntu: "
      "apt-get install postgresql"));
}

bool MayEnter(const ServerUser& user, const struct stat& directory) {
  if (directory.st_uid == user.uid) return (directory.st_mode & S_IXUSR) != 0;
  if (directory.st_gid == user.gid) return (directory.st_mode & S_IXGRP) != 0;
  return (directory.st_mode & S_IXOTH) != 0;
}

absl::Status CheckParents(const ServerUser& user, const fs::path& root) {
  if (!user.is_other) return absl::OkStatus();
  for (fs::path parent = root.parent_path();; parent = parent.parent_path()) {
    struct stat info {};
    if (stat(parent.c_str(), &info) != 0) return Failed("look at", parent);
    if (!MayEnter(user, info)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "PostgreSQL runs as user ", user.name, ", who cannot enter ", parent.string(),
          "; choose another data directory, or run: chmod o+x ", parent.string()));
    }
    if (parent == parent.root_path()) return absl::OkStatus();
  }
}

// Makes a directory that only the server's user enters. One that exists must be that already.
absl::Status MakePrivateDirectory(const ServerUser& user, const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) {
    if (user.is_other && chown(path.c_str(), user.uid, user.gid) != 0) return Failed("chown", path);
    return absl::OkStatus();
  }
  if (errno != EEXIST) return Failed("create", path);
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return Failed("look at", path);
  if (!S_ISDIR(info.st_mode) || info.st_uid != user.uid || (info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " exists and is not a directory that only user ", user.name,
                     " may enter (mode 0700); remove it or choose another data directory"));
  }
  return absl::OkStatus();
}

// The directory itself may have been made by whoever chose it; an empty one is made private.
absl::Status PrepareRoot(const ServerUser& user, const std::string& root) {
  std::error_code error;
  fs::create_directories(fs::path(root).parent_path(), error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot create the parents of ", root, ": ", error.message()));
  }
  GUILDER_RETURN_IF_ERROR(CheckParents(user, root));
  if (fs::is_directory(root, error) && fs::is_empty(root, error)) {
    if (user.is_other && chown(root.c_str(), user.uid, user.gid) != 0) return Failed("chown", root);
    if (chmod(root.c_str(), 0700) != 0) return Failed("chmod", root);
  }
  return MakePrivateDirectory(user, root);
}

// Held until this process ends. A process that was just killed may take a moment to let go.
absl::StatusOr<int> Lock(const std::string& root) {
  const std::string path = root + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("open", path);
  const auto deadline = std::chrono::steady_clock::now() + kLockWait;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      close(fd);
      return absl::FailedPreconditionError(absl::StrCat(
          "process ", absl::StripAsciiWhitespace(Contents(path)), " uses ", root, " already"));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    close(fd);
    return Failed("write", path);
  }
  return fd;
}

// A unix socket's path has 107 characters at most, and libpq gives commas in it a meaning.
absl::StatusOr<std::string> MakeSocketDirectory(const ServerUser& user, const std::string& root) {
  std::string path = root + "/socket";
  const bool plain = path.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789/_.+-") == std::string::npos;
  if (path.size() > kLongestSocketDirectory || !plain) {
    // The same one for the same directory, so that a server left behind is found again. FNV-1a.
    uint64_t hash = 14695981039346656037U;
    for (const char c : root) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    path = absl::StrCat("/tmp/guilder-", absl::Hex(hash, absl::kZeroPad16));
  }
  GUILDER_RETURN_IF_ERROR(MakePrivateDirectory(user, path));
  return path;
}

// Under another name until it is complete, so that an interrupted initdb is simply repeated.
absl::Status CreateData(const ClusterFiles& files, bool durable) {
  const std::string unfinished = files.root + "/data.new";
  std::error_code error;
  fs::remove_all(unfinished, error);
  std::vector<std::string> argv = {files.programs + "/initdb",
                                   "--pgdata=" + unfinished,
                                   "--username=guilder",
                                   "--encoding=UTF8",
                                   "--locale=C",
                                   "--auth-local=trust",
                                   "--auth-host=reject"};
  if (!durable) argv.push_back("--no-sync");
  const auto output = RunToEnd(files.user, std::move(argv));
  if (!output.ok()) return output.status();
  fs::rename(unfinished, files.data, error);
  if (error) {
    return absl::InternalError(absl::StrCat("cannot rename ", unfinished, ": ", error.message()));
  }
  return absl::OkStatus();
}

// What the last server wrote about itself; the first line is its number.
int NamedPostmaster(const ClusterFiles& files) {
  return std::atoi(Contents(files.data + "/postmaster.pid").c_str());
}

}  // namespace

absl::StatusOr<ClusterFiles> PrepareClusterFiles(const std::string& directory, bool durable) {
  ClusterFiles files;
  std::error_code error;
  // Two steps, because the symbolic links of a path that does not exist yet cannot be resolved.
  files.root = fs::weakly_canonical(fs::absolute(directory), error).string();
  while (files.root.size() > 1 && files.root.back() == '/') files.root.pop_back();
  if (error || files.root.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat("not a directory to keep data in: ", directory));
  }
  files.data = files.root + "/data";
  files.log = files.root + "/postgres.log";
  GUILDER_ASSIGN_OR_RETURN(files.user, FindServerUser());
  GUILDER_RETURN_IF_ERROR(PrepareRoot(files.user, files.root));
  const int data_version = std::atoi(Contents(files.data + "/PG_VERSION").c_str());
  GUILDER_ASSIGN_OR_RETURN(files.programs, FindPrograms(files.user, data_version));
  GUILDER_ASSIGN_OR_RETURN(files.socket_dir, MakeSocketDirectory(files.user, files.root));
  GUILDER_ASSIGN_OR_RETURN(files.lock_fd, Lock(files.root));
  if (data_version == 0) {
    if (absl::Status status = CreateData(files, durable); !status.ok()) {
      close(files.lock_fd);
      return status;
    }
  }
  return files;
}

// The server makes the data directory its working directory, which tells it from any other process
// that was given the same number later.
bool IsPostmaster(const ClusterFiles& files, int pid) {
  if (pid <= 0) return false;
  std::error_code error;
  const fs::path working_directory = fs::read_symlink(absl::StrCat("/proc/", pid, "/cwd"), error);
  if (!error) return working_directory == files.data;
  // Without /proc its being alive has to do. With it, a process without one has ended.
  return !fs::exists("/proc/self", error) && kill(pid, 0) == 0;
}

int FindPostmaster(const ClusterFiles& files) {
  const int pid = NamedPostmaster(files);
  return IsPostmaster(files, pid) ? pid : 0;
}

// The eighth line of the file is the server's state; pg_ctl waits for it in the same way.
// Connecting until it succeeds would fill the server's log with refusals.
bool IsReady(const ClusterFiles& files) {
  const std::string text = Contents(files.data + "/postmaster.pid");
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  return lines.size() > 7 && absl::StripAsciiWhitespace(lines[7]) == "ready";
}

void RemoveStaleFiles(const ClusterFiles& files) {
  const int pid = NamedPostmaster(files);
  if (pid <= 0 || kill(pid, 0) != 0 || IsPostmaster(files, pid)) return;
  std::error_code ignored;
  fs::remove(files.data + "/postmaster.pid", ignored);
  fs::remove(files.socket_dir + "/.s.PGSQL.5432.lock", ignored);
}

}  // namespace guilder::postgres::internal
