// The answer of a statement.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"

namespace guilder::postgres {
namespace internal {

struct Cell {
  const char* data = nullptr;  // nullptr is NULL.
  int size = 0;
};

struct RowsData {
  std::vector<Cell> cells;
  int columns = 0;
  int rows = 0;
  int64_t affected = 0;
};

// Decodes the text form of a bytea into exactly `size` bytes; false when it is not that.
bool DecodeBytea(std::string_view text, uint8_t* out, size_t size);

}  // namespace internal

// One row. Columns are numbered from 0.
//
// A reader whose type does not fit the column, or that meets NULL where it is not an Optional…
// reader, is a mistake in our code: it throws, and RunInTransaction makes that INTERNAL. Views are
// valid as long as a copy of the Rows exists.
class Row {
 public:
  Row(const internal::Cell* cells, int columns) : cells_(cells), columns_(columns) {}

  int columns() const { return columns_; }

  bool IsNull(int column) const { return At(column).data == nullptr; }
  int64_t Int(int column) const;
  bool Bool(int column) const;
  std::string_view Text(int column) const;
  // A bytea, decoded.
  std::string Bytes(int column) const;
  // A bytea of exactly N bytes, as a Digest is: `row.FixedBytes<32>(3)`.
  template <size_t N>
  std::array<uint8_t, N> FixedBytes(int column) const {
    std::array<uint8_t, N> bytes;
    if (!internal::DecodeBytea(Text(column), bytes.data(), N))
      ThrowMalformed(column, "bytea of that size");
    return bytes;
  }
  guilder::Digest Digest(int column) const { return FixedBytes<32>(column); }
  guilder::Uuid Uuid(int column) const;
  // A `bigint[]` without NULLs.
  std::vector<int64_t> IntArray(int column) const;

  // `row.Id<AccountId>(0)`, and also `row.Id<Points>(1)`: any strong id or quantity.
  template <typename Strong>
  Strong Id(int column) const {
    return Strong(static_cast<decltype(Strong().value())>(Int(column)));
  }
  // `row.Enum<LotState>(2)` of an integer column.
  template <typename E>
  E Enum(int column) const {
    return static_cast<E>(Int(column));
  }

  std::optional<int64_t> OptionalInt(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Int(column));
  }
  std::optional<std::string_view> OptionalText(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Text(column));
  }
  std::optional<std::string> OptionalBytes(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Bytes(column));
  }
  std::optional<guilder::Uuid> OptionalUuid(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Uuid(column));
  }
  template <typename Strong>
  std::optional<Strong> OptionalId(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Id<Strong>(column));
  }

 private:
  const internal::Cell& At(int column) const {
    if (column < 0 || column >= columns_) ThrowNoColumn(column);
    return cells_[column];
  }
  [[noreturn]] void ThrowNoColumn(int column) const;
  [[noreturn]] void ThrowMalformed(int column, const char* wanted) const;

  const internal::Cell* cells_;
  int columns_;
};

// All rows. Cheap to copy; keeps the server's answer alive, also after its transaction.
class Rows {
 public:
  Rows() : data_(std::make_shared<internal::RowsData>()) {}
  explicit Rows(std::shared_ptr<const internal::RowsData> data) : data_(std::move(data)) {}

  int size() const { return data_->rows; }
  bool empty() const { return data_->rows == 0; }
  // How many rows an insert, update or delete changed.
  int64_t affected() const { return data_->affected; }

  // Throws, as Row does, when there is no such row.
  Row operator[](int row) const {
    if (row < 0 || row >= data_->rows) ThrowNoRow(row);
    return RowAt(row);
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    using pointer = const Row*;
    using reference = Row;

    Iterator() = default;
    Iterator(const internal::RowsData* data, int row) : data_(data), row_(row) {}
    Row operator*() const {
      return Row(data_->cells.data() + static_cast<size_t>(row_) * data_->columns, data_->columns);
    }
    Iterator& operator++() {
      ++row_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(data_, row_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const internal::RowsData* data_ = nullptr;
    int row_ = 0;
  };
  Iterator begin() const { return Iterator(data_.get(), 0); }
  Iterator end() const { return Iterator(data_.get(), data_->rows); }

 private:
  Row RowAt(int row) const { return *Iterator(data_.get(), row); }
  [[noreturn]] void ThrowNoRow(int row) const;

  std::shared_ptr<const internal::RowsData> data_;
};

}  // namespace guilder::postgres
