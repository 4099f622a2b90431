// A disk that can be made full at any moment.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace guilder::testing {

// A tmpfs in a mount namespace of this process, so that nothing is left behind however it ends.
class SmallDisk {
 public:
  // Mounts it on a directory that exists. To be called while this process has one thread, so that
  // what it starts sees the disk. Error, with the reason: this process may not mount anything.
  static absl::StatusOr<std::unique_ptr<SmallDisk>> Mount(const std::string& directory);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // From now on not a byte more fits.
  void Fill();
  // There is room again.
  void Empty();

 private:
  explicit SmallDisk(std::string directory) : directory_(std::move(directory)) {}
  bool Resize(uint64_t bytes) const;

  const std::string directory_;
};

}  // namespace guilder::testing
