// The secrets of one installation: one file that every service of the network reads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/security/key_ring.h"

namespace guilder::security {

// A root key, from which the key of each purpose is derived. Thread safe.
//
// The file has lines `key=value`; `root_key` is 64 hexadecimal digits; lines that begin with # are
// comments. Whoever loses the file must issue every credential anew. Beside it stands a file with
// the keys of members' data, of the same name with ".epochs" (key_ring.h).
class Secrets {
 public:
  // Reads the file. An error, in one sentence, when it is missing, malformed, or readable by others
  // than its owner.
  static absl::StatusOr<Secrets> Load(const std::string& path);
  // Reads the file, or makes it with mode 0600 and a fresh root key. Safe against two processes
  // that start at once.
  static absl::StatusOr<Secrets> LoadOrCreate(const std::string& path);
  // For tests and for what lives in one process.
  static Secrets Generate();

  // 32 bytes for one purpose: HMAC-SHA-256(root key, label). Different labels give unrelated keys.
  std::string Derive(std::string_view label) const;

  // What stored API keys and tokens are hashed under.
  std::string KeyPepper() const { return Derive("guilder/api-key-pepper/1"); }

  // The keys of members' data, which copies of this object share.
  const std::shared_ptr<KeyRing>& member_keys() const { return member_keys_; }

 private:
  Secrets(std::string root_key, std::string epochs_path);
  std::string root_key_;
  std::shared_ptr<KeyRing> member_keys_;
};

}  // namespace guilder::security
