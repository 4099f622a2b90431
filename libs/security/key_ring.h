// Keys that can be destroyed: one for each epoch, in a file that is no part of any backup.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace guilder::security {

// What is sealed under an epoch's key cannot be opened any more once the epoch is dropped, whoever
// has a copy of it: so a copy of the file is worth as much as what it opens, and none outlives it.
//
// The file has lines `epoch.<number>=<64 hexadecimal digits>`. While there is none, there is one
// epoch, 0, whose key follows from the installation's root key, and which so cannot be destroyed.
// Other processes' changes are seen within a second, and at once when an unknown epoch is asked
// for. Thread safe.
class KeyRing {
 public:
  // `path` may be empty: the epochs then live as long as this object.
  KeyRing(std::string path, std::string first_key)
      : path_(std::move(path)), epochs_{{0, std::move(first_key)}} {}

  struct Epoch {
    int64_t number = 0;
    std::string key;  // 32 bytes
  };

  // Error: FAILED_PRECONDITION, the epoch was dropped, or is not in this process's file.
  absl::StatusOr<std::string> Find(int64_t epoch);
  // All of them, the latest first.
  std::vector<Epoch> All();

  // Makes an epoch after all others. It is on disk when this returns. Error: FAILED_PRECONDITION,
  // the file cannot be written or read.
  absl::StatusOr<Epoch> Add();
  // Destroys the keys of all other epochs. The same error.
  absl::Status KeepOnly(int64_t epoch);

 private:
  void Refresh(bool now);
  absl::Status Load();
  absl::Status Store(const std::map<int64_t, std::string>& epochs);

  const std::string path_;
  std::mutex mutex_;  // guards what follows
  std::map<int64_t, std::string> epochs_;
  absl::Time looked_at_ = absl::InfinitePast();
};

}  // namespace guilder::security
