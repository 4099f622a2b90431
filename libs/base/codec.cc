#include "libs/base/codec.h"

namespace guilder {

Encoder& Encoder::Unsigned(uint64_t value) {
  char bytes[10];  // 64 bits, seven in each.
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out_.append(bytes, size);
  return *this;
}

Encoder& Encoder::Signed(int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  return Unsigned(bits << 1 ^ (value < 0 ? ~uint64_t{0} : 0));
}

Encoder& Encoder::Bytes(std::string_view bytes) {
  Unsigned(bytes.size());
  return Raw(bytes);
}

Encoder& Encoder::Raw(std::string_view bytes) {
  out_.append(bytes);
  return *this;
}

uint64_t Decoder::Unsigned() {
  uint64_t value = 0;
  for (int shift = 0; ok_ && shift < 64; shift += 7) {
    if (rest_.empty()) break;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  ok_ = false;
  return 0;
}

int64_t Decoder::Signed() {
  const uint64_t bits = Unsigned();
  return static_cast<int64_t>(bits >> 1 ^ (0 - (bits & 1)));
}

std::string_view Decoder::Bytes() {
  const uint64_t size = Unsigned();
  if (!ok_ || size > rest_.size()) {
    ok_ = false;
    return {};
  }
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

}  // namespace guilder
