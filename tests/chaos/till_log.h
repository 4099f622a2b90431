// What a till keeps of its requests, in a file that it writes before it goes on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace guilder::testing {

enum class TillEvent : char {
  // A request id was made; nothing has been sent yet.
  kIntent = 'I',
  // It was answered: accepted.
  kAccepted = 'A',
  // It was answered: refused, so it must have no effect.
  kRefused = 'R',
  // It was accepted as a repeat of another request's receipt, so it has no record of its own.
  kDuplicate = 'D',
  // Something that must not happen whatever fails, such as another answer to the same request.
  kProblem = 'P',
};

// One line.
struct TillLine {
  TillEvent event{};
  std::string kind{};  // "purchase", "capture" …
  std::string request_id{};
  // Of kAccepted: where the record stands, as its receipt says.
  int64_t book = 0;
  int64_t number = 0;
  int64_t posted_at_us = 0;
  std::string leaf_hex{};
  // The answer without its receipt, as hexadecimal digits: what the journal keeps.
  std::string response_hex{};
  // Of the other events: a reason, another request's id, a problem.
  std::string text{};
};

// Appends a line with one write. Thread safe.
class TillLogWriter {
 public:
  // Throws when the file cannot be opened.
  explicit TillLogWriter(const std::string& path);
  ~TillLogWriter();
  TillLogWriter(const TillLogWriter&) = delete;
  TillLogWriter& operator=(const TillLogWriter&) = delete;

  void Write(const TillLine& line) const;

 private:
  int fd_ = -1;
};

// Reads what has been appended since it was last asked. Not thread safe.
class TillLogReader {
 public:
  explicit TillLogReader(std::string path) : path_(std::move(path)) {}
  std::vector<TillLine> Next();

 private:
  const std::string path_;
  int64_t offset_ = 0;
};

}  // namespace guilder::testing
