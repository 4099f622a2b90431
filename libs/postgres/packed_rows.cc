#include "libs/postgres/packed_rows.h"

#include <stdexcept>
#include <string>

namespace guilder::postgres {
namespace {

// Of one dimension: the number of dimensions, whether there are NULLs, the element's type, and the
// size and lower bound of the dimension; then each element with its size.
constexpr size_t kArrayHeaderWords = 5;

}  // namespace

bool PackedRow::Bool() {
  const std::string_view value = Bytes();
  if (value.size() != 1) ThrowMalformed("boolean");
  return value.front() != 0;
}

std::vector<int64_t> PackedRow::IntArray() {
  const std::string_view array = Bytes();
  const auto word = [&](size_t i) {
    if (array.size() < 4 * (i + 1)) ThrowMalformed("array of integers");
    return static_cast<int32_t>(Load32(array.data() + 4 * i));
  };
  std::vector<int64_t> values;
  const int32_t dimensions = word(0);
  if (dimensions == 0) return values;
  if (dimensions != 1 || word(1) != 0) ThrowMalformed("array of integers");
  const int32_t count = word(3);
  size_t at = 4 * kArrayHeaderWords;
  for (int32_t i = 0; i < count; ++i) {
    if (array.size() < at + 4) ThrowMalformed("array of integers");
    const auto size = static_cast<int32_t>(Load32(array.data() + at));
    at += 4;
    if (size < 0 || array.size() < at + static_cast<size_t>(size)) {
      ThrowMalformed("array of integers");
    }
    values.push_back(ToInt(array.substr(at, static_cast<size_t>(size))));
    at += static_cast<size_t>(size);
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
