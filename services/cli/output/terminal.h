// What the stream at the other end of a file descriptor can show.
#pragma once

namespace guilder::cli {

struct Terminal {
  bool interactive = false;  // A person looks at it: boxes, bars and truncation are welcome.
  bool utf8 = false;         // Box drawing and block characters come out right.
  bool colour = false;       // Escape sequences do.
  int width = 0;             // Columns; 0 for unlimited.
};

// Looks at the descriptor, LC_ALL/LC_CTYPE/LANG, TERM, NO_COLOR (https://no-color.org) and COLUMNS.
Terminal DetectTerminal(int fd);

}  // namespace guilder::cli
