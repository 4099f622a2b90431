#include "libs/security/secrets.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/text.h"
#include "libs/security/keys.h"

namespace guilder::security {
namespace {

constexpr size_t kRootKeyBytes = 32;
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

std::optional<std::string> FindRootKey(const std::string& text) {
  for (const auto line : absl::StrSplit(text, '\n')) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (pair.first != "root_key") continue;
    auto key = FromHex(pair.second);
    if (key && key->size() == kRootKeyBytes) return key;
  }
  return std::nullopt;
}

// Written whole under a name of its own and then linked, so that a reader never sees a part of it
// and the first of two writers wins.
absl::Status CreateFile(const std::string& path) {
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".", RandomHex(4));
  const std::string text =
      absl::StrCat("# The secrets of this installation. Keep it, and keep it private.\nroot_key=",
                   RandomHex(kRootKeyBytes), "\n");
  {
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
  }
  const bool linked = link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const absl::Status status = linked ? absl::OkStatus() : FileError(path, "cannot be created");
  unlink(temporary.c_str());
  return status;
}

}  // namespace

absl::StatusOr<Secrets> Secrets::Load(const std::string& path) {
  const auto text = ReadPrivateFile(path);
  if (!text.ok()) return text.status();
  auto root_key = FindRootKey(*text);
  if (!root_key) {
    return absl::FailedPreconditionError(
        absl::StrCat("secrets file ", path, " has no line root_key= with 64 hexadecimal digits"));
  }
  return Secrets(*std::move(root_key));
}

absl::StatusOr<Secrets> Secrets::LoadOrCreate(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    if (const absl::Status status = CreateFile(path); !status.ok()) return status;
  }
  return Load(path);
}

Secrets Secrets::Generate() {
  return Secrets(RandomBytes(kRootKeyBytes));
}

std::string Secrets::Derive(std::string_view label) const {
  return std::string(AsView(KeyHasher(root_key_).Hash(label)));
}

}  // namespace guilder::security
