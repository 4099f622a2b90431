// What all imports begin with.
#pragma once

#include <iostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "services/cli/demo/csv.h"
#include "services/cli/importing/answers.h"
#include "services/cli/importing/encoding.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli::importing {

template <typename Mapping>
struct Files {
  Mapping mapping;
  std::string text;     // UTF-8
  std::string subject;  // digests all that the answers depend on
};

// Reads a file and its mapping. `about` is of whom they are. Error: INVALID_ARGUMENT, which file,
// and what is wrong with it.
template <typename Parse>
auto ReadFiles(const std::string& file, const std::string& mapping_file, const std::string& about,
               Parse parse)
    -> absl::StatusOr<Files<typename decltype(parse(std::string_view()))::value_type>> {
  const auto wrong = [](const std::string& path, const absl::Status& status) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", std::string(status.message())));
  };
  const auto toml = demo::ReadDataFile(mapping_file);
  if (!toml.ok()) return absl::InvalidArgumentError(toml.status().message());
  const auto bytes = demo::ReadDataFile(file);
  if (!bytes.ok()) return absl::InvalidArgumentError(bytes.status().message());
  auto mapping = parse(*toml);
  if (!mapping.ok()) return wrong(mapping_file, mapping.status());
  auto text = Recode(*bytes, mapping->encoding, "UTF-8");
  if (!text.ok()) return wrong(file, text.status());
  return Files<typename decltype(parse(std::string_view()))::value_type>{
      *std::move(mapping), *std::move(text),
      RequestIdFor(absl::StrCat(about, "\n", *toml), *bytes)};
}

// Of an import that was begun before. `line` is where the first unanswered item begins.
inline void SayWhereItGoesOn(const AnswerLog& log, int64_t line, int64_t rows_left) {
  if (!log.resumed()) return;
  std::cerr << (rows_left == 0
                    ? std::string("imported before: every line was answered")
                    : absl::StrCat("goes on at line ", line, ", ", rows_left, " lines left"))
            << std::endl;
}

}  // namespace guilder::cli::importing
