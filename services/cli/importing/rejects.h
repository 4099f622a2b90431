// What was not recorded of a file, and why.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

#include "services/cli/importing/mapping.h"

namespace guilder::cli::importing {

// Why rows were not recorded: the name of an error reason, and a sentence.
struct Refusal {
  std::string reason;
  std::string detail;
};

// The text without a byte order mark.
std::string WithoutMark(std::string text);

// The rows that were refused, as a file of the same columns and form with three more: the line, the
// reason and the detail. Gives UTF-8. Such a file can be corrected and imported like any other.
// `refused` is by the record's number after the header, from 0.
std::string MakeRejectFile(std::string text, char delimiter,
                           const std::map<int64_t, Refusal>& refused);

// Writes that file in the encoding of the imported one; nothing when nothing was refused.
absl::Status WriteRejects(const std::string& path, const std::string& text, const FileForm& form,
                          const std::map<int64_t, Refusal>& refused);

// Rows and items by the reason for which they were not recorded.
struct ByReason {
  std::map<std::string, std::pair<int64_t, int64_t>> counts;

  void Add(const std::string& reason, size_t rows) {
    ++counts[reason].first;
    counts[reason].second += static_cast<int64_t>(rows);
  }
  nlohmann::ordered_json ToJson() const {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const auto& [reason, count] : counts) {
      json[reason] = {{"items", count.first}, {"lines", count.second}};
    }
    return json;
  }
};

}  // namespace guilder::cli::importing
