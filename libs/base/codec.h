// A compact byte encoding for what is digested, fingerprinted or stored as one value.
//
// Unsigned integers are base-128 varints, signed ones zigzag varints, as in Protocol Buffers; bytes
// are their length and themselves; fixed-size digests stand as they are. There are no tags: a
// reader knows the order of fields, and a format that may change begins with its version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/strong.h"
#include "libs/base/types.h"

namespace guilder {

class Encoder {
 public:
  Encoder& Unsigned(uint64_t value);
  Encoder& Signed(int64_t value);
  Encoder& Bytes(std::string_view bytes);
  Encoder& Raw(std::string_view bytes);

  template <typename Tag, typename Rep>
  Encoder& Id(StrongId<Tag, Rep> id) {
    return Signed(id.value());
  }
  template <typename Tag>
  Encoder& Quantity(StrongQuantity<Tag> quantity) {
    return Signed(quantity.value());
  }

  // Makes room for so many bytes in all.
  void Reserve(size_t bytes) { out_.reserve(bytes); }

  const std::string& str() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what an Encoder wrote. After a read past the end, or of a malformed varint, `ok()` is false
// and every further read gives zero or nothing: check once, at the end.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  uint64_t Unsigned();
  int64_t Signed();
  std::string_view Bytes();

  template <typename Id>
  Id ReadId() {
    return Id(static_cast<decltype(Id().value())>(Signed()));
  }
  template <typename Quantity>
  Quantity ReadQuantity() {
    return Quantity(Signed());
  }

  bool ok() const { return ok_; }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace guilder
