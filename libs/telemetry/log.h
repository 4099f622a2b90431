// Log lines: one JSON object a line on standard error.
//
//   telemetry::Log(telemetry::Severity::kInfo, "listening", {{"address", address}});
//
// gives
// {"time":"2026-01-31T12:00:00.123456Z","severity":"INFO","message":"listening","address":"…"}. No
// secrets, no personal data. An ERROR is something that an operator must look at.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace guilder::telemetry {

enum class Severity { kDebug, kInfo, kWarning, kError };

// A name and a value of one line; views that live as long as the call to Log.
struct Field {
  enum class Kind { kText, kInteger, kReal, kBoolean };

  Field(std::string_view name, std::string_view value)
      : name(name), kind(Kind::kText), text(value) {}
  Field(std::string_view name, const char* value) : Field(name, std::string_view(value)) {}
  Field(std::string_view name, const std::string& value) : Field(name, std::string_view(value)) {}
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  Field(std::string_view name, Number value) : name(name) {
    if constexpr (std::is_same_v<Number, bool>) {
      kind = Kind::kBoolean;
      integer = value;
    } else if constexpr (std::is_floating_point_v<Number>) {
      kind = Kind::kReal;
      real = value;
    } else {
      kind = Kind::kInteger;
      integer = static_cast<int64_t>(value);
    }
  }

  std::string_view name;
  Kind kind = Kind::kText;
  std::string_view text;
  int64_t integer = 0;
  double real = 0;
};

// Thread safe. A line is written whole, in one write, and cut at 8 KiB. At most 500 lines a second
// are written; how many were dropped is told in the next second's first line.
void Log(Severity severity, std::string_view message, std::initializer_list<Field> fields = {});

// Lines below the threshold are dropped. INFO at first.
void SetLogThreshold(Severity threshold);
std::optional<Severity> SeverityFromName(std::string_view name);

// Where lines go: standard error (2) at first.
void SetLogFile(int descriptor);

// What Log would write, without the line's end; for tests.
std::string FormatLogLine(Severity severity, std::string_view message,
                          std::initializer_list<Field> fields, int64_t unix_micros);

}  // namespace guilder::telemetry
