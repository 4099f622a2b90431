#include "services/cli/output/printable.h"

namespace guilder::cli {
namespace {

// How many bytes at the beginning are one character that is not shown; 0 for one that is.
size_t ObeyedBytes(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  if ((byte(0) < 0x20 && byte(0) != '\n') || byte(0) == 0x7f) return 1;
  // U+0080 to U+009F.
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) return 2;
  // U+061C.
  if (byte(0) == 0xd8 && byte(1) == 0x9c) return 2;
  if (byte(0) != 0xe2) return 0;
  // U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
  const bool mark = byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f);
  const bool embedding = byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae;
  const bool isolate = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
  return mark || embedding || isolate ? 3 : 0;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const size_t obeyed = ObeyedBytes(text);
    shown += obeyed > 0 ? '?' : text[0];
    text.remove_prefix(obeyed > 0 ? obeyed : 1);
  }
  return shown;
}

}  // namespace guilder::cli
