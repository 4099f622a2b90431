#include "tests/support/source_tree.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace guilder::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kInclude[] = "#include ";

bool EndsInOneOf(const std::string& name, const std::vector<std::string>& extensions) {
  return std::any_of(extensions.begin(), extensions.end(), [&](const std::string& extension) {
    return name.size() > extension.size() &&
           name.compare(name.size() - extension.size(), extension.size(), extension) == 0;
  });
}

SourceFile Read(const fs::path& root, const fs::path& path) {
  SourceFile file{fs::relative(path, root).generic_string(), {}};
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) file.lines.push_back(std::move(line));
  return file;
}

}  // namespace

std::vector<std::string> SourceFile::Includes() const {
  std::vector<std::string> includes;
  for (const std::string& line : lines) {
    if (line.rfind(kInclude, 0) != 0) continue;
    const size_t begin = sizeof(kInclude) - 1;
    const size_t end = line.find_first_of("\">", begin + 1);
    if (end != std::string::npos) includes.push_back(line.substr(begin, end - begin + 1));
  }
  return includes;
}

std::vector<SourceFile> ReadSources(const std::vector<std::string>& extensions) {
  const char* const from_environment = std::getenv("GUILDER_SOURCE_DIR");
  const fs::path root = from_environment == nullptr ? "." : from_environment;
  std::vector<SourceFile> files;
  for (const char* const folder : {"libs", "services", "tests", "proto", "deploy"}) {
    for (fs::recursive_directory_iterator entry(root / folder), end; entry != end; ++entry) {
      const std::string name = entry->path().filename().string();
      if (name == "node_modules") entry.disable_recursion_pending();
      // A file may be gone between its listing and its reading.
      std::error_code gone;
      if (!EndsInOneOf(name, extensions) || !entry->is_regular_file(gone)) continue;
      files.push_back(Read(root, entry->path()));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace guilder::testing
