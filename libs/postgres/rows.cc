#include "libs/postgres/rows.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"

namespace guilder::postgres {
namespace {

// The value of each character as a hexadecimal digit, or -1. What is read is mostly digests and
// sealed bytes, so this is looked up, not compared.
constexpr std::array<int8_t, 256> MakeHexValues() {
  std::array<int8_t, 256> values{};
  for (int8_t& value : values) value = -1;
  for (int digit = 0; digit < 16; ++digit) {
    values[static_cast<size_t>("0123456789abcdef"[digit])] = static_cast<int8_t>(digit);
    values[static_cast<size_t>("0123456789ABCDEF"[digit])] = static_cast<int8_t>(digit);
  }
  return values;
}

int HexValue(char c) {
  static constexpr std::array<int8_t, 256> kValues = MakeHexValues();
  return kValues[static_cast<uint8_t>(c)];
}

}  // namespace

namespace internal {

bool DecodeBytea(std::string_view text, uint8_t* out, size_t size) {
  if (text.size() != 2 + 2 * size || text[0] != '\\' || text[1] != 'x') return false;
  const char* in = text.data() + 2;
  for (size_t i = 0; i < size; ++i, in += 2) {
    const int high = HexValue(in[0]);
    const int low = HexValue(in[1]);
    if ((high | low) < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace internal

int64_t Row::Int(int column) const {
  const internal::Cell& cell = At(column);
  const char* const end = cell.data + cell.size;
  int64_t value = 0;
  const auto parsed = std::from_chars(cell.data, end, value);
  if (cell.data == nullptr || parsed.ec != std::errc() || parsed.ptr != end) {
    ThrowMalformed(column, "integer");
  }
  return value;
}

bool Row::Bool(int column) const {
  const std::string_view text = Text(column);
  if (text != "t" && text != "f") ThrowMalformed(column, "boolean");
  return text == "t";
}

std::string_view Row::Text(int column) const {
  const internal::Cell& cell = At(column);
  if (cell.data == nullptr) ThrowMalformed(column, "value");
  return {cell.data, static_cast<size_t>(cell.size)};
}

std::string Row::Bytes(int column) const {
  const std::string_view text = Text(column);
  std::string bytes(text.size() < 2 ? 0 : (text.size() - 2) / 2, '\0');
  if (!internal::DecodeBytea(text, reinterpret_cast<uint8_t*>(bytes.data()), bytes.size())) {
    ThrowMalformed(column, "bytea");
  }
  return bytes;
}

guilder::Uuid Row::Uuid(int column) const {
  const auto uuid = ParseUuid(Text(column));
  if (!uuid) ThrowMalformed(column, "uuid");
  return *uuid;
}

std::vector<int64_t> Row::IntArray(int column) const {
  const std::string_view text = Text(column);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    ThrowMalformed(column, "array of integers");
  }
  std::vector<int64_t> values;
  const char* in = text.data() + 1;
  const char* const end = text.data() + text.size() - 1;
  while (in != end) {
    int64_t value = 0;
    const auto parsed = std::from_chars(in, end, value);
    const bool more = parsed.ptr != end;
    if (parsed.ec != std::errc() || (more && (*parsed.ptr != ',' || parsed.ptr + 1 == end))) {
      ThrowMalformed(column, "array of integers");
    }
    values.push_back(value);
    in = parsed.ptr + (more ? 1 : 0);
  }
  return values;
}

void Row::ThrowNoColumn(int column) const {
  throw std::logic_error(absl::StrCat("the row has no column ", column, " of ", columns_));
}

// Does not quote the value: it may be personal data, and this text may be logged.
void Row::ThrowMalformed(int column, const char* wanted) const {
  throw std::logic_error(
      absl::StrCat("column ", column, " is not a ", wanted, IsNull(column) ? " but NULL" : ""));
}

void Rows::ThrowNoRow(int row) const {
  throw std::logic_error(absl::StrCat("the answer has no row ", row, " of ", size()));
}

}  // namespace guilder::postgres
