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
  // Values travel as text, which PostgreSQL reads as whatever type the statement says; a statement
  // that travels with `begin` needs it. Or, for statements that are executed for every batch, in
  // PostgreSQL's binary form, which both ends handle in a fraction of the time, and whose types
  // must be exact: integers are bigint. A parameter of it cannot be NULL (elements of arrays can).
  enum class Form { kText, kBinary };

  Params() = default;
  explicit Params(Form form) : form_(form) {}
  Form form() const { return form_; }

  // An integer, enumeration, strong id or quantity, Timestamp included.
  template <typename T>
  Params& Int(const T& value) {
    return Scalar(value, [this](const auto& v) { AppendInt(internal::ToInt(v)); });
  }
  Params& Bool(std::optional<bool> value) {
    return Scalar(value, [this](bool v) { AppendBool(v); });
  }
  // Anything that becomes a string_view. Also dates ("2026-01-31"), numerics and json.
  template <typename T>
  Params& Text(const T& value) {
    return Scalar(value, [this](const auto& v) { AppendText(std::string_view(v)); });
  }
  // A string, string_view, or an array or vector of bytes, for a bytea.
  template <typename T>
  Params& Bytes(const T& value) {
    return Scalar(value, [this](const auto& v) { AppendBytes("\\x", internal::ToView(v)); });
  }
  template <typename T>
  Params& Uuid(const T& value) {
    return Scalar(value, [this](const guilder::Uuid& v) { AppendBytes("", internal::ToView(v)); });
  }
  Params& Null();

  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& IntArray(const Range& range, Projection projection = {}) {
    return Array(kInt8, range, projection,
                 [this](const auto& v) { AppendInt(internal::ToInt(v)); });
  }
  template <typename T>
  Params& IntArray(std::initializer_list<T> values) {
    return IntArray<std::initializer_list<T>>(values);
  }
  // Rows of integers in one array, row after row: `$1[i]`, `$1[i + 1]`, … where `i` goes by the
  // number of columns. What is a parameter for each column otherwise is one, which counts when a
  // statement has dozens. An empty optional is 0, to be read by `nullif`: an array with NULLs in it
  // is searched from its beginning for each element.
  template <std::ranges::input_range Range, typename... Columns>
  Params& IntRows(const Range& range, const Columns&... columns) {
    BeginValue();
    BeginArray(kInt8);
    int32_t count = 0;
    const auto append = [&](const auto& value) {
      const size_t start = BeginElement(count++);
      if constexpr (internal::kIsOptional<std::remove_cvref_t<decltype(value)>>) {
        AppendInt(value ? internal::ToInt(*value) : 0);
      } else {
        AppendInt(internal::ToInt(value));
      }
      EndElement(start);
    };
    for (const auto& element : range) (append(std::invoke(columns, element)), ...);
    EndArray(count);
    EndValue();
    return *this;
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& BoolArray(const Range& range, Projection projection = {}) {
    return Array(kBool, range, projection, [this](bool v) { AppendBool(v); });
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& TextArray(const Range& range, Projection projection = {}) {
    return Array(kText, range, projection,
                 [this](const auto& v) { AppendQuoted(std::string_view(v)); });
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& BytesArray(const Range& range, Projection projection = {}) {
    // Inside an array's literal a backslash stands for itself when doubled.
    return Array(kBytea, range, projection,
                 [this](const auto& v) { AppendBytes("\\\\x", internal::ToView(v)); });
  }
  template <std::ranges::input_range Range, typename Projection = std::identity>
  Params& UuidArray(const Range& range, Projection projection = {}) {
    return Array(kUuid, range, projection,
                 [this](const guilder::Uuid& v) { AppendBytes("", internal::ToView(v)); });
  }

  int size() const { return static_cast<int>(values_.size()); }

  // Parameter `index` (from 0) as it travels. As text it is followed by NUL; data() is nullptr when
  // the parameter is NULL. Valid until the next change of this object.
  std::string_view value(int index) const {
    const Slice& slice = values_[static_cast<size_t>(index)];
    if (slice.is_null) return {};
    return {out_.data() + slice.offset, slice.length};
  }
  // The first parameter (from 0) whose text holds the character NUL.
  std::optional<int> first_with_nul() const { return first_with_nul_; }

 private:
  struct Slice {
    size_t offset = 0;
    size_t length = 0;
    bool is_null = false;
  };

  // The ids of element types, as in pg_type.
  enum ElementType : int32_t { kBool = 16, kBytea = 17, kInt8 = 20, kText = 25, kUuid = 2950 };

  template <typename T, typename Append>
  Params& Scalar(const T& value, Append append) {
    if constexpr (internal::kIsOptional<T>) {
      if (!value) return Null();
      return Scalar(*value, append);
    } else {
      BeginValue();
      append(value);
      EndValue();
      return *this;
    }
  }

  template <typename Range, typename Projection, typename Append>
  Params& Array(ElementType type, const Range& range, Projection& projection, Append append) {
    BeginValue();
    BeginArray(type);
    int32_t count = 0;
    // By forwarding reference, because a projection may give a value, and vector<bool> gives
    // proxies.
    for (auto&& element : range) {
      const size_t start = BeginElement(count++);
      auto&& value = std::invoke(projection, element);
      if constexpr (internal::kIsOptional<std::remove_cvref_t<decltype(value)>>) {
        if (value) {
          append(*value);
          EndElement(start);
        } else {
          AppendNullElement();
        }
      } else {
        append(value);
        EndElement(start);
      }
    }
    EndArray(count);
    EndValue();
    return *this;
  }

  bool binary() const { return form_ == Form::kBinary; }
  void BeginValue() { values_.push_back({out_.size(), 0, false}); }
  void EndValue();
  void BeginArray(ElementType type);
  void EndArray(int32_t count);
  // Where the element begins; its length is put there at its end.
  size_t BeginElement(int32_t index) {
    if (!binary()) {
      if (index > 0) out_.push_back(',');
      return 0;
    }
    out_.append(sizeof(int32_t), '\0');
    return out_.size();
  }
  void EndElement(size_t start) {
    if (binary()) PutInt32(start - sizeof(int32_t), static_cast<int32_t>(out_.size() - start));
  }
  void AppendNullElement();
  // Writes over four bytes that are there.
  void PutInt32(size_t offset, int32_t value);
  void AppendInt32(int32_t value);

  void AppendBool(bool value) {
    out_.push_back(binary() ? static_cast<char>(value) : (value ? 't' : 'f'));
  }
  void AppendInt(int64_t value);
  void AppendText(std::string_view text);
  void AppendQuoted(std::string_view text);
  // As text in hexadecimal, after what comes before it there.
  void AppendBytes(std::string_view text_prefix, std::string_view bytes);
  void CheckForNul(std::string_view text);

  Form form_ = Form::kText;
  std::string out_;
  std::vector<Slice> values_;
  std::optional<int> first_with_nul_;
};

}  // namespace guilder::postgres
