// What an import was answered so far: a file beside the imported one, by which it goes on after a
// crash.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace guilder::cli::importing {

enum class Outcome { kNone, kRecorded, kReturned, kRejected, kParked };

// What came of an item.
struct ItemAnswer {
  Outcome outcome = Outcome::kNone;
  int64_t points = 0;  // issued or reversed
  std::string reason;  // of what was rejected or parked
  std::string detail;  // in words; of what was parked, the parked item's name
};

// Appends answers to its file as they come. Thread safe.
//
// What a crash loses of it was answered all the same: its items are sent again with the same
// request ids, and get the same answers.
class AnswerLog {
 public:
  // Opens or makes the file and reads what it holds. `subject` digests what is imported: a file
  // that is of another subject is begun anew.
  //
  // Errors: FAILED_PRECONDITION, it cannot be written, or another process has it.
  static absl::StatusOr<std::unique_ptr<AnswerLog>> Open(const std::string& path,
                                                         const std::string& subject, size_t items);
  ~AnswerLog();
  AnswerLog(const AnswerLog&) = delete;
  AnswerLog& operator=(const AnswerLog&) = delete;

  // Of an item; without outcome when it has none yet.
  const ItemAnswer& of(size_t item) const { return answers_[item]; }
  // Whether there was an answer when it was opened.
  bool resumed() const { return resumed_; }
  // Customers' cards, by what they are called in the partner's books.
  const std::map<std::string, std::string>& cards() const { return cards_; }

  void AddAnswer(size_t item, ItemAnswer answer);
  void AddCard(const std::string& customer, const std::string& card);
  // Errors: FAILED_PRECONDITION, something could not be written.
  absl::Status Flush();

 private:
  explicit AnswerLog(size_t items) : answers_(items) {}
  void ReadLine(const std::string& line);
  void Append(const std::string& line);

  std::mutex mutex_;
  FILE* file_ = nullptr;
  int unflushed_ = 0;
  bool resumed_ = false;
  bool failed_ = false;
  // Different items are written by different threads, each once.
  std::vector<ItemAnswer> answers_;
  std::map<std::string, std::string> cards_;
};

}  // namespace guilder::cli::importing
