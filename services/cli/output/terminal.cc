#include "services/cli/output/terminal.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace guilder::cli {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The first of the three that is set decides, as in setlocale(3).
bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = Environment(name);
    if (value.empty()) continue;
    return strcasestr(value.c_str(), "utf-8") != nullptr ||
           strcasestr(value.c_str(), "utf8") != nullptr;
  }
  return false;
}

int WidthOf(int fd) {
  const int stated = std::atoi(Environment("COLUMNS").c_str());
  if (stated > 0) return stated;
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Terminal DetectTerminal(int fd) {
  Terminal terminal;
  if (isatty(fd) == 0) return terminal;
  const std::string kind = Environment("TERM");
  terminal.interactive = true;
  terminal.utf8 = LocaleIsUtf8();
  terminal.colour = Environment("NO_COLOR").empty() && !kind.empty() && kind != "dumb";
  terminal.width = WidthOf(fd);
  return terminal;
}

}  // namespace guilder::cli
