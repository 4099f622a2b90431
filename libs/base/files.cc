#include "libs/base/files.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"

namespace guilder {

absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t most) {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  if (!error && size > most) {
    return Refuse(Reason::kRequestTooLarge,
                  absl::StrCat(path, " has ", size, " bytes, ", most, " at most are read"));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  // Inserting nothing is an error of its own, so an empty file is told first. A stream catches what
  // its buffer throws when reading fails; an iterator over the buffer would not.
  const bool empty = file.peek() == std::ifstream::traits_type::eof();
  if (!empty) bytes << file.rdbuf();
  if (!file.is_open() || file.bad() || !bytes) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  }
  return bytes.str();
}

}  // namespace guilder
