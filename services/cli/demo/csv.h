// Reads purchase data: CSV files (RFC 4180), plain or compressed with xz.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace guilder::cli::demo {

// The bytes of a file, unpacked when they are an xz stream.
//
// Errors: INVALID_ARGUMENT, it cannot be read; DATA_LOSS, the xz stream is damaged or cut short.
absl::StatusOr<std::string> ReadDataFile(const std::string& path);

// Walks the records of a CSV text. Quoted fields may hold commas, doubled quotes and line ends;
// lines end in LF or CRLF. The delimiter is a comma unless told otherwise. Not thread safe.
class CsvReader {
 public:
  explicit CsvReader(std::string text, char delimiter = ',')
      : text_(std::move(text)), ends_{delimiter, '\n', '\0'} {}
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // The fields of the next record, valid as long as the reader; null at the end. Empty lines are
  // skipped.
  const std::vector<std::string_view>* Next();
  // The line of the text on which the last record begins, from 1.
  int64_t line() const { return line_; }

  // Reads the header and gives the place of each named column. Errors: INVALID_ARGUMENT, one is
  // missing.
  absl::StatusOr<std::vector<size_t>> Header(const std::vector<std::string_view>& columns);

 private:
  std::string_view NextField();

  std::string text_;
  const char ends_[3];  // of fields that are not quoted
  size_t at_ = 0;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
  bool record_ended_ = false;
  std::vector<std::string_view> fields_;
};

// A decimal number, also in exponent form ("4.4e-16"), in units of 10^-`exponent`, half away from
// zero. Nothing when malformed or out of int64.
std::optional<int64_t> ParseDecimal(std::string_view text, int exponent);

// Text as UTF-8: what is not UTF-8 already is read as Latin-1.
std::string ToUtf8(std::string_view text);

}  // namespace guilder::cli::demo
