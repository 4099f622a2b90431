// The answer of a statement that reads very many rows, in PostgreSQL's binary form.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "libs/base/types.h"

namespace guilder::postgres {
namespace internal {

// Composite values in binary form, one after the other. Throws when they are not that.
std::vector<std::string_view> SplitComposites(std::string_view bytes);

}  // namespace internal

// One row, which is one composite value: its columns are read one after the other.
//
// A reader whose type does not fit the column, or that meets NULL where it is not an Optional…
// reader, is a mistake in our code: it throws, and RunInTransaction makes that INTERNAL. Views are
// valid as long as a copy of the PackedRows exists.
class PackedRow {
 public:
  explicit PackedRow(std::string_view composite) : at_(composite.data()) {
    end_ = at_ + composite.size();
    columns_ = static_cast<int>(Take32());
  }

  // How many columns have not been read yet.
  int columns() const { return columns_; }

  // A smallint, int or bigint.
  int64_t Int() {
    const std::optional<int64_t> value = OptionalInt();
    if (!value) ThrowMalformed("integer");
    return *value;
  }
  bool Bool();
  // A text or a bytea.
  std::string_view Bytes() {
    const std::optional<std::string_view> value = Next();
    if (!value) ThrowMalformed("value");
    return *value;
  }
  template <size_t N>
  std::array<uint8_t, N> FixedBytes() {
    const std::string_view bytes = Bytes();
    if (bytes.size() != N) ThrowMalformed("value of that size");
    std::array<uint8_t, N> out;
    std::memcpy(out.data(), bytes.data(), N);
    return out;
  }
  guilder::Digest Digest() { return FixedBytes<32>(); }
  guilder::Uuid Uuid() { return FixedBytes<16>(); }
  // A `bigint[]` without NULLs; empty for NULL.
  std::vector<int64_t> OptionalIntArray();
  // The same, and not NULL.
  std::vector<int64_t> IntArray();

  template <typename Strong>
  Strong Id() {
    return Strong(static_cast<decltype(Strong().value())>(Int()));
  }
  template <typename E>
  E Enum() {
    return static_cast<E>(Int());
  }

  std::optional<int64_t> OptionalInt() {
    const std::optional<std::string_view> value = Next();
    return value ? std::optional(ToInt(*value)) : std::nullopt;
  }
  std::optional<guilder::Uuid> OptionalUuid();

 private:
  // The next column: its type's number, its size and itself.
  std::optional<std::string_view> Next() {
    if (columns_-- <= 0) ThrowMalformed("column");
    Take32();
    const auto size = static_cast<int32_t>(Take32());
    if (size < 0) return std::nullopt;
    if (end_ - at_ < size) ThrowMalformed("whole value");
    const std::string_view value(at_, static_cast<size_t>(size));
    at_ += size;
    return value;
  }
  static std::vector<int64_t> ToIntArray(std::string_view array);
  uint32_t Take32() {
    if (end_ - at_ < 4) ThrowMalformed("whole value");
    const uint32_t value = Load32(at_);
    at_ += 4;
    return value;
  }
  static uint32_t Load32(const char* from) {
    uint32_t value;
    std::memcpy(&value, from, sizeof value);
    return __builtin_bswap32(value);
  }
  static int64_t ToInt(std::string_view value) {
    switch (value.size()) {
      case 8: {
        uint64_t wide;
        std::memcpy(&wide, value.data(), sizeof wide);
        return static_cast<int64_t>(__builtin_bswap64(wide));
      }
      case 4:
        return static_cast<int32_t>(Load32(value.data()));
      case 2: {
        uint16_t narrow;
        std::memcpy(&narrow, value.data(), sizeof narrow);
        return static_cast<int16_t>(__builtin_bswap16(narrow));
      }
      default:
        ThrowMalformed("integer");
    }
  }
  [[noreturn]] static void ThrowMalformed(const char* wanted);

  const char* at_;
  const char* end_;
  int columns_ = 0;
};

// All rows. Cheap to copy; keeps the server's answer alive, also after its transaction.
class PackedRows {
 public:
  struct Data {
    std::vector<std::string_view> composites;
  };
  explicit PackedRows(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

  int size() const { return static_cast<int>(data_->composites.size()); }
  bool empty() const { return data_->composites.empty(); }
  PackedRow operator[](int row) const {
    return PackedRow(data_->composites.at(static_cast<size_t>(row)));
  }

  class Iterator {
   public:
    explicit Iterator(const std::string_view* at) : at_(at) {}
    PackedRow operator*() const { return PackedRow(*at_); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const std::string_view* at_;
  };
  Iterator begin() const { return Iterator(data_->composites.data()); }
  Iterator end() const { return Iterator(data_->composites.data() + data_->composites.size()); }

 private:
  std::shared_ptr<const Data> data_;
};

}  // namespace guilder::postgres
