#include "services/cli/importing/encoding.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <iconv.h>

#include "absl/strings/str_cat.h"

namespace guilder::cli::importing {

absl::StatusOr<std::string> Recode(std::string_view text, const std::string& from,
                                   const std::string& to) {
  const iconv_t converter = iconv_open(to.c_str(), from.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) {
    return absl::InvalidArgumentError(absl::StrCat("nothing is known of the encoding ", from));
  }
  const std::unique_ptr<void, int (*)(iconv_t)> closed_at_the_end(converter, iconv_close);
  std::string out(text.size() + text.size() / 8 + 64, '\0');
  char* in = const_cast<char*>(text.data());  // iconv does not write to it
  size_t in_left = text.size();
  size_t written = 0;
  while (true) {
    char* at = out.data() + written;
    size_t out_left = out.size() - written;
    const size_t result = iconv(converter, &in, &in_left, &at, &out_left);
    const int error = errno;
    written = static_cast<size_t>(at - out.data());
    if (result != static_cast<size_t>(-1)) break;
    if (error != E2BIG) {
      const auto line = std::count(text.data(), static_cast<const char*>(in), '\n') + 1;
      return absl::InvalidArgumentError(absl::StrCat("line ", line, " is not in ", from));
    }
    out.resize(out.size() * 2);
  }
  out.resize(written);
  return out;
}

}  // namespace guilder::cli::importing
