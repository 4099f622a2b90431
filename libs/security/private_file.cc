#include "libs/security/private_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "libs/security/keys.h"

namespace guilder::security {
namespace {

constexpr off_t kMaxFileBytes = 64 * 1024;

absl::Status FileError(const std::string& path, const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat("secrets file ", path, ": ", what, ": ", std::strerror(errno)));
}

// Closes the descriptor at the end of the scope.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Writes a new file beside `path` and gives its name.
absl::StatusOr<std::string> WriteBeside(const std::string& path, const std::string& text) {
  std::string temporary = absl::StrCat(path, ".", getpid(), ".", RandomHex(4));
  const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return FileError(temporary, "cannot be created");
  const bool written =
      write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      fsync(file.get()) == 0;
  if (!written) {
    const absl::Status status = FileError(temporary, "cannot be written");
    unlink(temporary.c_str());
    return status;
  }
  return temporary;
}

}  // namespace

absl::StatusOr<std::string> ReadPrivateFile(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FileError(path, "cannot be opened");
  struct stat facts;
  if (fstat(file.get(), &facts) != 0) return FileError(path, "cannot be read");
  if ((facts.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("secrets file ", path, " can be read by others than its owner: chmod 600 it"));
  }
  if (facts.st_size > kMaxFileBytes) {
    return absl::FailedPreconditionError(absl::StrCat("secrets file ", path, " is too large"));
  }
  std::string text(static_cast<size_t>(facts.st_size), '\0');
  if (read(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return FileError(path, "cannot be read");
  }
  return text;
}

absl::Status CreatePrivateFile(const std::string& path, const std::string& text) {
  const auto temporary = WriteBeside(path, text);
  if (!temporary.ok()) return temporary.status();
  const bool linked = link(temporary->c_str(), path.c_str()) == 0 || errno == EEXIST;
  const absl::Status status = linked ? absl::OkStatus() : FileError(path, "cannot be created");
  unlink(temporary->c_str());
  return status;
}

absl::Status ReplacePrivateFile(const std::string& path, const std::string& text) {
  const auto temporary = WriteBeside(path, text);
  if (!temporary.ok()) return temporary.status();
  if (rename(temporary->c_str(), path.c_str()) != 0) {
    const absl::Status status = FileError(path, "cannot be replaced");
    unlink(temporary->c_str());
    return status;
  }
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0) {
    return FileError(path, "cannot be made durable");
  }
  return absl::OkStatus();
}

}  // namespace guilder::security
