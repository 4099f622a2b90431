#include "services/cli/commands/files.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace guilder::cli {

absl::Status WriteFile(const std::string& path, const std::string& bytes) {
  const std::string beside = path + ".part";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(beside, path, error);
  if (!file || error) return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

absl::StatusOr<std::string> SecretIn(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    return absl::InvalidArgumentError("cannot read " + path);
  }
  return line;
}

std::string OutputPath(const std::string& out, const std::string& suggested) {
  return out.empty() ? std::filesystem::path(suggested).filename().string() : out;
}

}  // namespace guilder::cli
