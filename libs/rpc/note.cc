#include "libs/rpc/note.h"

#include <algorithm>

#include "libs/base/reason.h"

namespace guilder::rpc {

absl::Status CheckNote(std::string_view note) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (note.size() <= kMostNoteBytes && std::none_of(note.begin(), note.end(), is_control)) {
    return absl::OkStatus();
  }
  return Refuse(Reason::kRequestMalformed, "a note is one line of 500 bytes at most",
                {{"field", "note"}});
}

}  // namespace guilder::rpc
