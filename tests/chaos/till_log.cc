#include "tests/chaos/till_log.h"

#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace guilder::testing {
namespace {

// A text is the last field of a line, and may hold anything but a line break.
constexpr int kFields = 9;

std::string Format(const TillLine& line) {
  std::string text = line.text;
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return absl::StrJoin({std::string(1, static_cast<char>(line.event)), line.kind, line.request_id,
                        absl::StrCat(line.book), absl::StrCat(line.number),
                        absl::StrCat(line.posted_at_us), line.leaf_hex, line.response_hex, text},
                       "\t") +
         "\n";
}

TillLine Parse(const std::string& text) {
  const std::vector<std::string> fields = absl::StrSplit(text, '\t');
  TillLine line;
  if (fields.size() != kFields || fields[0].size() != 1 ||
      !absl::SimpleAtoi(fields[3], &line.book) || !absl::SimpleAtoi(fields[4], &line.number) ||
      !absl::SimpleAtoi(fields[5], &line.posted_at_us)) {
    throw std::runtime_error("not a line of a till: " + text);
  }
  line.event = static_cast<TillEvent>(fields[0][0]);
  line.kind = fields[1];
  line.request_id = fields[2];
  line.leaf_hex = fields[6];
  line.response_hex = fields[7];
  line.text = fields[8];
  return line;
}

}  // namespace

TillLogWriter::TillLogWriter(const std::string& path)
    : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw std::runtime_error("cannot write " + path);
}

TillLogWriter::~TillLogWriter() {
  close(fd_);
}

void TillLogWriter::Write(const TillLine& line) const {
  const std::string text = Format(line);
  if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot write a till's log");
  }
}

std::vector<TillLine> TillLogReader::Next() {
  std::ifstream file(path_, std::ios::binary);
  file.seekg(offset_);
  std::vector<TillLine> lines;
  std::string text;
  // A line without its end is still being written.
  while (std::getline(file, text) && !file.eof()) {
    offset_ += static_cast<int64_t>(text.size()) + 1;
    lines.push_back(Parse(text));
  }
  return lines;
}

}  // namespace guilder::testing
