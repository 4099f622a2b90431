#include "libs/postgres/packed_rows.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace guilder::postgres {
namespace {

uint32_t Word(std::string_view bytes, size_t at) {
  if (bytes.size() < at + 4) throw std::logic_error("a value ends in the middle");
  uint32_t word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return __builtin_bswap32(word);
}

}  // namespace

// Each begins with the number of its columns, and a column with its type and its size.
std::vector<std::string_view> internal::SplitComposites(std::string_view bytes) {
  std::vector<std::string_view> composites;
  for (size_t at = 0; at < bytes.size();) {
    const size_t begin = at;
    const uint32_t columns = Word(bytes, at);
    at += 4;
    for (uint32_t i = 0; i < columns; ++i) {
      const auto size = static_cast<int32_t>(Word(bytes, at + 4));
      at += 8 + static_cast<size_t>(std::max(size, 0));
    }
    if (at > bytes.size()) throw std::logic_error("a row ends in the middle");
    composites.push_back(bytes.substr(begin, at - begin));
  }
  return composites;
}

bool PackedRow::Bool() {
  const std::string_view value = Bytes();
  if (value.size() != 1) ThrowMalformed("boolean");
  return value.front() != 0;
}

// Of one dimension: the number of dimensions, whether there are NULLs, the element's type, the size
// and lower bound of the dimension; then each element with its size.
std::vector<int64_t> PackedRow::IntArray() {
  return ToIntArray(Bytes());
}

std::vector<int64_t> PackedRow::OptionalIntArray() {
  const std::optional<std::string_view> array = Next();
  return array ? ToIntArray(*array) : std::vector<int64_t>();
}

std::vector<int64_t> PackedRow::ToIntArray(std::string_view array) {
  std::vector<int64_t> values;
  const uint32_t dimensions = Word(array, 0);
  if (dimensions == 0) return values;
  if (dimensions != 1) ThrowMalformed("array of integers");
  const uint32_t count = Word(array, 12);
  size_t at = 20;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t size = Word(array, at);
    at += 4;
    if (size > array.size() - at) ThrowMalformed("array of integers without NULLs");
    values.push_back(ToInt(array.substr(at, size)));
    at += size;
  }
  return values;
}

std::optional<guilder::Uuid> PackedRow::OptionalUuid() {
  const std::optional<std::string_view> value = Next();
  if (!value) return std::nullopt;
  guilder::Uuid uuid;
  if (value->size() != uuid.size()) ThrowMalformed("uuid");
  std::memcpy(uuid.data(), value->data(), uuid.size());
  return uuid;
}

// Does not quote the value: it may be personal data, and this text may be logged.
void PackedRow::ThrowMalformed(const char* wanted) {
  throw std::logic_error(std::string("a packed row has no ") + wanted + " where one was read");
}

}  // namespace guilder::postgres
