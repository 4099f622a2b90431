#include "libs/security/secrets.h"

#include <optional>

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/text.h"
#include "libs/security/keys.h"
#include "libs/security/private_file.h"

namespace guilder::security {
namespace {

constexpr size_t kRootKeyBytes = 32;
constexpr char kEpochsSuffix[] = ".epochs";
std::optional<std::string> FindRootKey(const std::string& text) {
  for (const auto line : absl::StrSplit(text, '\n')) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (pair.first != "root_key") continue;
    auto key = FromHex(pair.second);
    if (key && key->size() == kRootKeyBytes) return key;
  }
  return std::nullopt;
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
  return Secrets(*std::move(root_key), absl::StrCat(path, kEpochsSuffix));
}

absl::StatusOr<Secrets> Secrets::LoadOrCreate(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    const std::string text =
        absl::StrCat("# The secrets of this installation. Keep it, and keep it private.\nroot_key=",
                     RandomHex(kRootKeyBytes), "\n");
    if (const absl::Status status = CreatePrivateFile(path, text); !status.ok()) return status;
  }
  return Load(path);
}

Secrets Secrets::Generate() {
  return Secrets(RandomBytes(kRootKeyBytes), "");
}

Secrets::Secrets(std::string root_key, std::string epochs_path)
    : root_key_(std::move(root_key)),
      member_keys_(std::make_shared<KeyRing>(std::move(epochs_path), root_key_)) {}

std::string Secrets::Derive(std::string_view label) const {
  return std::string(AsView(KeyHasher(root_key_).Hash(label)));
}

}  // namespace guilder::security
