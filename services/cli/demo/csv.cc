#include "services/cli/demo/csv.h"

#include <algorithm>

#include <lzma.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "libs/base/files.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::cli::demo {
namespace {

constexpr std::string_view kXzMagic(
    "\xFD"
    "7zXZ\0",
    6);
constexpr uint64_t kUnpackMemoryLimitBytes = 256 << 20;

absl::StatusOr<std::string> UnpackXz(const std::string& packed, const std::string& path) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kUnpackMemoryLimitBytes, LZMA_CONCATENATED) != LZMA_OK) {
    return absl::ResourceExhaustedError("no memory to unpack xz");
  }
  std::string unpacked(std::max<size_t>(packed.size() * 8, 4096), '\0');
  stream.next_in = reinterpret_cast<const uint8_t*>(packed.data());
  stream.avail_in = packed.size();
  size_t written = 0;
  lzma_ret result = LZMA_OK;
  while (result == LZMA_OK) {
    if (written == unpacked.size()) unpacked.resize(unpacked.size() * 2);
    stream.next_out = reinterpret_cast<uint8_t*>(unpacked.data()) + written;
    stream.avail_out = unpacked.size() - written;
    result = lzma_code(&stream, LZMA_FINISH);
    written = unpacked.size() - stream.avail_out;
  }
  lzma_end(&stream);
  if (result != LZMA_STREAM_END) {
    return absl::DataLossError(absl::StrCat(path, ": damaged xz stream"));
  }
  unpacked.resize(written);
  return unpacked;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i++]);
    if (lead < 0x80) continue;
    const int rest = lead >= 0xC2 && lead < 0xE0   ? 1
                     : lead >= 0xE0 && lead < 0xF0 ? 2
                     : lead >= 0xF0 && lead < 0xF5 ? 3
                                                   : 0;
    if (rest == 0 || i + rest > text.size()) return false;
    const auto second = static_cast<uint8_t>(text[i]);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90)) {
      return false;
    }
    for (int n = 0; n < rest; ++n, ++i) {
      if ((static_cast<uint8_t>(text[i]) & 0xC0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ReadDataFile(const std::string& path) {
  GUILDER_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  if (std::string_view(bytes).substr(0, kXzMagic.size()) == kXzMagic) return UnpackXz(bytes, path);
  return bytes;
}

// Ends after the comma or line end that follows the field. Quoted text moves up over its quotes, in
// place, so that fields stay views.
std::string_view CsvReader::NextField() {
  size_t begin = at_;
  size_t end;
  if (at_ < text_.size() && text_[at_] == '"') {
    begin = end = ++at_;
    while (at_ < text_.size()) {
      if (text_[at_] == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
        ++at_;
      }
      if (text_[at_] == '\n') ++next_line_;
      text_[end++] = text_[at_++];
    }
    while (at_ < text_.size() && text_[at_] != ends_[0] && text_[at_] != '\n') ++at_;
  } else {
    at_ = std::min(text_.find_first_of(ends_, at_, 2), text_.size());
    end = at_;
    const bool at_line_end = at_ == text_.size() || text_[at_] == '\n';
    if (at_line_end && end > begin && text_[end - 1] == '\r') --end;
  }
  record_ended_ = at_ >= text_.size() || text_[at_] == '\n';
  if (at_ < text_.size() && record_ended_) ++next_line_;
  if (at_ < text_.size()) ++at_;
  return std::string_view(text_).substr(begin, end - begin);
}

const std::vector<std::string_view>* CsvReader::Next() {
  while (at_ < text_.size()) {
    fields_.clear();
    line_ = next_line_;
    do {
      fields_.push_back(NextField());
    } while (!record_ended_);
    if (fields_.size() > 1 || !fields_[0].empty()) return &fields_;
  }
  return nullptr;
}

absl::StatusOr<std::vector<size_t>> CsvReader::Header(
    const std::vector<std::string_view>& columns) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (at_ == 0 && std::string_view(text_).substr(0, 3) == kByteOrderMark) at_ = 3;
  const std::vector<std::string_view>* header = Next();
  std::vector<size_t> places;
  for (const std::string_view column : columns) {
    const auto end = header == nullptr ? fields_.end() : header->end();
    const auto found = header == nullptr ? end : std::find(header->begin(), header->end(), column);
    if (found == end) {
      return absl::InvalidArgumentError(absl::StrCat("no column ", ToAbsl(column)));
    }
    places.push_back(found - fields_.begin());
  }
  return places;
}

std::optional<int64_t> ParseDecimal(std::string_view text, int exponent) {
  constexpr int kMaxPower = 400;
  constexpr __int128 kMaxDigits = __int128{INT64_MAX} * 1'000'000'000'000;
  int shift = exponent;  // The digits read, taken as a whole number, times 10^shift.
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    const bool negative = !digits.empty() && digits[0] == '-';
    if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
    int power = 0;
    if (digits.empty()) return std::nullopt;
    for (const char c : digits) {
      if (c < '0' || c > '9' || power > kMaxPower) return std::nullopt;
      power = power * 10 + (c - '0');
    }
    shift += negative ? -power : power;
    text = text.substr(0, e);
  }
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);

  __int128 value = 0;
  bool seen_digit = false, seen_point = false;
  for (const char c : text) {
    if (c == '.' && !seen_point) {
      seen_point = true;
      continue;
    }
    if (c < '0' || c > '9' || value > kMaxDigits) return std::nullopt;
    value = value * 10 + (c - '0');
    seen_digit = true;
    if (seen_point) --shift;
  }
  if (!seen_digit) return std::nullopt;
  for (; shift > 0 && value != 0; --shift) {
    value *= 10;
    if (value > INT64_MAX) return std::nullopt;
  }
  // The digit cut last is the highest one, so it alone decides the rounding.
  bool round_up = false;
  for (; shift < 0 && (value != 0 || round_up); ++shift) {
    round_up = value % 10 >= 5;
    value /= 10;
  }
  if (round_up) ++value;
  if (value > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(negative ? -value : value);
}

std::string ToUtf8(std::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xC0 | (byte >> 6));
      utf8 += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return utf8;
}

}  // namespace guilder::cli::demo
