#include "libs/telemetry/log.h"

#include <atomic>
#include <mutex>

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace guilder::telemetry {
namespace {

constexpr size_t kMaxLineBytes = 8192;
constexpr int kMaxLinesPerSecond = 500;

std::atomic<Severity> threshold{Severity::kInfo};
std::atomic<int> descriptor{STDERR_FILENO};

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "DEBUG";
    case Severity::kInfo:
      return "INFO";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kError:
      return "ERROR";
  }
  return "ERROR";
}

void AppendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", byte);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void AppendValue(const Field& field, std::string& out) {
  switch (field.kind) {
    case Field::Kind::kText:
      return AppendJsonString(field.text, out);
    case Field::Kind::kInteger:
      absl::StrAppend(&out, field.integer);
      return;
    case Field::Kind::kReal:
      absl::StrAppend(&out, field.real);
      return;
    case Field::Kind::kBoolean:
      out.append(field.integer != 0 ? "true" : "false");
      return;
  }
}

// Lets so many lines pass in each second, so that a fault that repeats fills neither disk nor time.
class LineBudget {
 public:
  // Whether a line may pass. In a new second `dropped` says how many did not pass before.
  bool Take(int64_t second, int& dropped) {
    const std::lock_guard lock(mutex_);
    dropped = 0;
    if (second != second_) {
      second_ = second;
      dropped = lines_ > kMaxLinesPerSecond ? lines_ - kMaxLinesPerSecond : 0;
      lines_ = 0;
    }
    return ++lines_ <= kMaxLinesPerSecond;
  }

 private:
  std::mutex mutex_;
  int64_t second_ = 0;
  int lines_ = 0;
};

LineBudget& Budget() {
  static LineBudget* const budget = new LineBudget;
  return *budget;
}

void Write(std::string line) {
  line.push_back('\n');
  // A log that cannot be written must not stop the service; nothing is left to tell anyway.
  [[maybe_unused]] const ssize_t written = write(descriptor, line.data(), line.size());
}

}  // namespace

std::string FormatLogLine(Severity severity, std::string_view message,
                          std::initializer_list<Field> fields, int64_t unix_micros) {
  std::string line =
      absl::StrCat("{\"time\":\"",
                   absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromUnixMicros(unix_micros),
                                    absl::UTCTimeZone()),
                   "\",\"severity\":\"", SeverityName(severity), "\",\"message\":");
  AppendJsonString(message.substr(0, kMaxLineBytes / 4), line);
  for (const Field& field : fields) {
    std::string part = ",";
    AppendJsonString(field.name, part);
    part.push_back(':');
    AppendValue(field, part);
    // Whole fields are left out, so that what remains is still JSON.
    if (line.size() + part.size() + 24 > kMaxLineBytes) {
      line.append(",\"truncated\":true");
      break;
    }
    line.append(part);
  }
  line.push_back('}');
  return line;
}

void Log(Severity severity, std::string_view message, std::initializer_list<Field> fields) {
  if (severity < threshold.load(std::memory_order_relaxed)) return;
  const int64_t now = absl::ToUnixMicros(absl::Now());
  int dropped = 0;
  const bool pass = Budget().Take(now / 1'000'000, dropped);
  if (dropped > 0) {
    Write(FormatLogLine(Severity::kWarning, "log lines were dropped", {{"lines", dropped}}, now));
  }
  if (pass) Write(FormatLogLine(severity, message, fields, now));
}

void SetLogThreshold(Severity severity) {
  threshold = severity;
}

void SetLogFile(int file) {
  descriptor = file;
}

std::optional<Severity> SeverityFromName(std::string_view name) {
  for (const Severity severity :
       {Severity::kDebug, Severity::kInfo, Severity::kWarning, Severity::kError}) {
    if (name == SeverityName(severity)) return severity;
  }
  return std::nullopt;
}

}  // namespace guilder::telemetry
