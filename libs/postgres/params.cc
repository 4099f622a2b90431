#include "libs/postgres/params.h"

#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace guilder::postgres {
namespace {

// The two hexadecimal digits of every byte, so that encoding is one copy of two characters each.
constexpr std::array<char, 512> MakeHexDigits() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 512> digits{};
  for (int byte = 0; byte < 256; ++byte) {
    digits[2 * byte] = kDigits[byte >> 4];
    digits[2 * byte + 1] = kDigits[byte & 15];
  }
  return digits;
}
constexpr std::array<char, 512> kHexDigits = MakeHexDigits();

}  // namespace

Params& Params::Null() {
  if (binary()) throw std::logic_error("a parameter in binary form cannot be NULL");
  values_.push_back({0, 0, true});
  return *this;
}

void Params::EndValue() {
  Slice& value = values_.back();
  value.length = out_.size() - value.offset;
  if (!binary()) out_.push_back('\0');
}

// As array_recv reads it: dimensions, whether there are NULLs (which it finds out by itself), the
// type, and for the one dimension its size and lower bound.
void Params::BeginArray(ElementType type) {
  if (!binary()) return out_.push_back('{');
  AppendInt32(1);
  AppendInt32(0);
  AppendInt32(type);
  AppendInt32(0);
  AppendInt32(1);
}

void Params::EndArray(int32_t count) {
  if (!binary()) return out_.push_back('}');
  PutInt32(values_.back().offset + 3 * sizeof(int32_t), count);
}

void Params::AppendNullElement() {
  if (!binary()) {
    out_.append("NULL", 4);
  } else {
    PutInt32(out_.size() - sizeof(int32_t), -1);
  }
}

void Params::PutInt32(size_t offset, int32_t value) {
  const uint32_t big_endian = __builtin_bswap32(static_cast<uint32_t>(value));
  std::memcpy(out_.data() + offset, &big_endian, sizeof(big_endian));
}

void Params::AppendInt32(int32_t value) {
  out_.append(sizeof(int32_t), '\0');
  PutInt32(out_.size() - sizeof(int32_t), value);
}

void Params::AppendInt(int64_t value) {
  if (binary()) {
    const uint64_t big_endian = __builtin_bswap64(static_cast<uint64_t>(value));
    out_.append(reinterpret_cast<const char*>(&big_endian), sizeof(big_endian));
    return;
  }
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out_.append(digits, static_cast<size_t>(end - digits));
}

void Params::AppendText(std::string_view text) {
  CheckForNul(text);
  out_.append(text);
}

void Params::AppendQuoted(std::string_view text) {
  if (binary()) return AppendText(text);
  CheckForNul(text);
  out_.push_back('"');
  while (true) {
    const size_t special = text.find_first_of("\"\\");
    out_.append(text.substr(0, special));
    if (special == std::string_view::npos) break;
    out_.push_back('\\');
    out_.push_back(text[special]);
    text.remove_prefix(special + 1);
  }
  out_.push_back('"');
}

void Params::AppendBytes(std::string_view text_prefix, std::string_view bytes) {
  if (binary()) {
    out_.append(bytes);
    return;
  }
  out_.append(text_prefix);
  const size_t start = out_.size();
  out_.resize(start + 2 * bytes.size());
  char* out = out_.data() + start;
  for (const char byte : bytes) {
    std::memcpy(out, &kHexDigits[2 * static_cast<unsigned char>(byte)], 2);
    out += 2;
  }
}

void Params::CheckForNul(std::string_view text) {
  if (first_with_nul_ || text.find('\0') == std::string_view::npos) return;
  first_with_nul_ = size() - 1;
}

}  // namespace guilder::postgres
