#include "tests/chaos/small_disk.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace guilder::testing {
namespace {

constexpr uint64_t kRoomyBytes = uint64_t{8} << 30;

absl::Status SystemError(const char* what) {
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// Who is not root is root of a namespace in which it keeps its number.
absl::Status EnterNamespace() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (uid == 0) {
    if (unshare(CLONE_NEWNS) != 0) return SystemError("unshare the mounts");
  } else {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return SystemError("make a user namespace");
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << absl::StrCat(uid, " ", uid, " 1");
    std::ofstream("/proc/self/gid_map") << absl::StrCat(gid, " ", gid, " 1");
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return SystemError("make the mounts private");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SmallDisk>> SmallDisk::Mount(const std::string& directory) {
  if (absl::Status entered = EnterNamespace(); !entered.ok()) return entered;
  const std::string options = absl::StrCat("mode=0755,size=", kRoomyBytes);
  if (mount("tmpfs", directory.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    return SystemError("mount a tmpfs");
  }
  return std::unique_ptr<SmallDisk>(new SmallDisk(directory));
}

SmallDisk::~SmallDisk() {
  umount2(directory_.c_str(), MNT_DETACH);
}

bool SmallDisk::Resize(uint64_t bytes) const {
  const std::string options = absl::StrCat("size=", bytes);
  return mount("tmpfs", directory_.c_str(), "tmpfs", MS_REMOUNT, options.c_str()) == 0;
}

void SmallDisk::Fill() {
  // Less than what is used is refused, and more may be used by then.
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    struct statvfs used {};
    if (statvfs(directory_.c_str(), &used) != 0) break;
    if (Resize(uint64_t{used.f_blocks - used.f_bfree} * used.f_frsize)) return;
  }
  throw std::runtime_error(absl::StrCat("cannot fill ", directory_, ": ", std::strerror(errno)));
}

void SmallDisk::Empty() {
  if (!Resize(kRoomyBytes)) {
    throw std::runtime_error(absl::StrCat("cannot empty ", directory_, ": ", std::strerror(errno)));
  }
}

}  // namespace guilder::testing
