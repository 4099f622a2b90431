// The values of $1, $2, … of a statement.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "libs/base/strong.h"
#include "libs/base/types.h"

namespace guilder::postgres {
namespace internal {

// How a parameter is written: as an integer, or as a view of bytes; an empty optional is NULL.

template <std::integral T>
constexpr int64_t ToInt(T value) {
  return static_cast<int64_t>(value);
}
template <typename T>
requires std::is_enum_v<T>
constexpr int64_t ToInt(T value) {
  return static_cast<int64_t>(value);
}
template <typename Tag, typename Rep>
constexpr int64_t ToInt(StrongId<Tag, Rep> id) {
  return static_cast<int64_t>(id.value());
}
template <typename Tag>
constexpr int64_t ToInt(StrongQuantity<Tag> quantity) {
  return quantity.value();
}

inline std::string_view ToView(std::string_view bytes) {
  return bytes;
}
template <typename Bytes>
requires(std::ranges::contiguous_range<const Bytes> &&
         sizeof(std::ranges::range_value_t<Bytes>) == 1 &&
         !std::convertible_to<const Bytes&, std::string_view>) std::string_view
    ToView(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(std::ranges::data(bytes)), std::ranges::size(bytes)};
}

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

}  // namespace internal

// A builder of positional parameters:
//
//   Params().Int(book).Text(name).IntArray(lots, &Lot::points).BytesArray(lots, &Lot::terms)
//
// Everything is written into one string as it is added, so a set-based statement of 500 rows costs
// a few allocations. Every value may be a std::optional; an empty one is NULL. Arrays take any
// range and a projection (a member or a function of the element), are for parameters such as
// `$1::bigint[]`, and may hold optional elements.
//
// PostgreSQL's text cannot hold the character NUL. Text that does makes Execute fail the
// transaction with SQLSTATE 22021 before anything is sent. Bytes may hold anything.
class Params {
 public:
  // An integer, enumeration, strong id or quantity, Timestamp included.
  template <typename T>
  Params& Int(const T& value) {
    return Scalar(value, [this](const auto& v) { AppendInt(internal::ToInt(v)); });
  }
  Params& Bool(std::optional<bool> value) {
    return Scalar(value, [this](bool v) { out_.push_back(v ? 't' : 'f'); });
  }
  // Anything that becomes a string_view. Also dates ("2026-01-31"), numerics and json.
  template <typename T>
  Params& Text(const T& value) {
    return Scalar(value, [this](const auto& v) { AppendText(std::string_view(v)); });
  }
  // A string, string_view, or an array or vector of bytes, for a bytea.
  template <typename T>
  Params& Bytes(const T& value) {
    return Scalar(value, [this](const auto& v) {
      out_.append("\\x", 2);
      AppendHex(internal::ToView(v));
    });
  }
  template <typename T>
  Params& Uuid(const T& value) {
    return Scalar(value, [this](const guilder::Uuid& v) { AppendHex(internal::ToView(v)); });
  }
  Params& Null() {
    offsets_.push_back(kNullOffset);
    return *this;
  }

  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& IntArray(const Range& range, Projection projection = {}) {
    return Array(range, projection, [this](const auto& v) { AppendInt(internal::ToInt(v)); });
  }
  template <typename T>
  Params& IntArray(std::initializer_list<T> values) {
    return IntArray<std::initializer_list<T>>(values);
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& BoolArray(const Range& range, Projection projection = {}) {
    return Array(range, projection, [this](bool v) { out_.push_back(v ? 't' : 'f'); });
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& TextArray(const Range& range, Projection projection = {}) {
    return Array(range, projection, [this](const auto& v) { AppendQuoted(std::string_view(v)); });
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& BytesArray(const Range& range, Projection projection = {}) {
    return Array(range, projection, [this](const auto& v) {
      // Inside an array's literal a backslash stands for itself when doubled.
      out_.append("\\\\x", 3);
      AppendHex(internal::ToView(v));
    });
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& UuidArray(const Range& range, Projection projection = {}) {
    return Array(range, projection,
                 [this](const guilder::Uuid& v) { AppendHex(internal::ToView(v)); });
  }

  int size() const { return static_cast<int>(offsets_.size()); }

  // The text form of parameter `index` (from 0), ending in NUL; nullptr is NULL. Valid until the
  // next change of this object.
  const char* c_str(int index) const {
    const size_t offset = offsets_[static_cast<size_t>(index)];
    return offset == kNullOffset ? nullptr : out_.data() + offset;
  }
  // The first parameter (from 0) whose text holds the character NUL.
  std::optional<int> first_with_nul() const { return first_with_nul_; }

 private:
  static constexpr size_t kNullOffset = static_cast<size_t>(-1);

  template <typename T, typename Append>
  Params& Scalar(const T& value, Append append) {
    if constexpr (internal::kIsOptional<T>) {
      if (!value) return Null();
      return Scalar(*value, append);
    } else {
      offsets_.push_back(out_.size());
      append(value);
      out_.push_back('\0');
      return *this;
    }
  }

  template <typename Range, typename Projection, typename Append>
  Params& Array(const Range& range, Projection& projection, Append append) {
    offsets_.push_back(out_.size());
    out_.push_back('{');
    bool first = true;
    // By forwarding reference, because a projection may give a value, and vector<bool> gives
    // proxies.
    for (auto&& element : range) {
      if (!first) out_.push_back(',');
      first = false;
      auto&& value = std::invoke(projection, element);
      if constexpr (internal::kIsOptional<std::remove_cvref_t<decltype(value)>>) {
        if (value) {
          append(*value);
        } else {
          out_.append("NULL", 4);
        }
      } else {
        append(value);
      }
    }
    out_.push_back('}');
    out_.push_back('\0');
    return *this;
  }

  void AppendInt(int64_t value);
  void AppendText(std::string_view text);
  void AppendQuoted(std::string_view text);
  void AppendHex(std::string_view bytes);
  void CheckForNul(std::string_view text);

  std::string out_;
  std::vector<size_t> offsets_;
  std::optional<int> first_with_nul_;
};

}  // namespace guilder::postgres
