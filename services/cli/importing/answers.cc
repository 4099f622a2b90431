#include "services/cli/importing/answers.h"

#include <fstream>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace guilder::cli::importing {
namespace {

using nlohmann::json;

// So many answers are written at once: what a crash loses is sent again.
constexpr int kAnswersOfWrite = 32;

absl::Status NotWritable(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be written"));
}

std::string HeaderOf(const std::string& subject) {
  return json::array({"guilder-import", 1, subject}).dump();
}

}  // namespace

absl::StatusOr<std::unique_ptr<AnswerLog>> AnswerLog::Open(const std::string& path,
                                                           const std::string& subject,
                                                           size_t items) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return NotWritable(path);
  std::unique_ptr<AnswerLog> log(new AnswerLog(items));
  log->file_ = fdopen(descriptor, "r+");
  // Held by the process until it ends, however it ends.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": another import has this file"));
  }
  std::ifstream in(path, std::ios::binary);
  std::string line;
  off_t whole = 0;  // bytes of whole lines: a crash may have cut the last one
  while (std::getline(in, line) && !in.eof()) {
    if (whole == 0 && line != HeaderOf(subject)) break;
    if (whole > 0) log->ReadLine(line);
    whole += static_cast<off_t>(line.size()) + 1;
  }
  if (ftruncate(descriptor, whole) != 0 || fseeko(log->file_, whole, SEEK_SET) != 0) {
    return NotWritable(path);
  }
  if (whole == 0) log->Append(HeaderOf(subject));
  return log;
}

AnswerLog::~AnswerLog() {
  if (file_ != nullptr) fclose(file_);
}

void AnswerLog::ReadLine(const std::string& line) {
  const json entry = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!entry.is_array() || entry.size() < 3) return;
  if (entry[0].is_string() && entry[1].is_string()) {
    cards_[entry[0]] = entry[1];
  } else if (entry.size() == 5 && entry[0].is_number_unsigned() && entry[0] < answers_.size()) {
    answers_[entry[0]] = {static_cast<Outcome>(entry[1].get<int>()), entry[2], entry[3], entry[4]};
    resumed_ = true;
  }
}

void AnswerLog::Append(const std::string& line) {
  failed_ = failed_ || std::fputs((line + "\n").c_str(), file_) < 0;
  if (++unflushed_ < kAnswersOfWrite) return;
  failed_ = failed_ || std::fflush(file_) != 0;
  unflushed_ = 0;
}

void AnswerLog::AddAnswer(size_t item, ItemAnswer answer) {
  // Replaces what is no UTF-8, as a message that quotes a damaged field.
  const std::string line = json::array({item, static_cast<int>(answer.outcome), answer.points,
                                        answer.reason, answer.detail})
                               .dump(-1, ' ', false, json::error_handler_t::replace);
  const std::lock_guard lock(mutex_);
  answers_[item] = std::move(answer);
  Append(line);
}

void AnswerLog::AddCard(const std::string& customer, const std::string& card) {
  const std::lock_guard lock(mutex_);
  cards_[customer] = card;
  Append(json::array({customer, card, 0}).dump(-1, ' ', false, json::error_handler_t::replace));
}

absl::Status AnswerLog::Flush() {
  const std::lock_guard lock(mutex_);
  if (failed_ || std::fflush(file_) != 0) {
    return absl::FailedPreconditionError("the answers cannot be written; the disk may be full");
  }
  unflushed_ = 0;
  return absl::OkStatus();
}

}  // namespace guilder::cli::importing
