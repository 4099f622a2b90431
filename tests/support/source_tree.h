// The project's own sources as text, for tests of their form.
#pragma once

#include <string>
#include <vector>

namespace guilder::testing {

struct SourceFile {
  std::string path;  // from the project's root, as in "libs/base/types.h"
  std::vector<std::string> lines;

  // What it includes, with the quotation marks or brackets: "\"libs/base/types.h\"", "<vector>".
  std::vector<std::string> Includes() const;
};

// Every file below the folders of code, contracts and documents whose name ends in one of
// `extensions`, by path. The environment's GUILDER_SOURCE_DIR is the root, or the current
// directory.
std::vector<SourceFile> ReadSources(const std::vector<std::string>& extensions);

}  // namespace guilder::testing
