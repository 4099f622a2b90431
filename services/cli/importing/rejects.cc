#include "services/cli/importing/rejects.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/demo/csv.h"
#include "services/cli/importing/encoding.h"

namespace guilder::cli::importing {
namespace {

constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

// A field in the form in which it is read back the same.
std::string Quoted(std::string_view field, char delimiter) {
  const bool plain = field.find_first_of("\"\r\n") == std::string_view::npos &&
                     field.find(delimiter) == std::string_view::npos;
  if (plain) return std::string(field);
  return absl::StrCat("\"", absl::StrReplaceAll(ToAbsl(field), {{"\"", "\"\""}}), "\"");
}

// Beside its final name first, so that no reader sees half of it.
absl::Status WriteWhole(const std::string& path, const std::string& bytes) {
  const std::string unfinished = path + ".part";
  std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(unfinished, path, error);
  if (out && !error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be written"));
}

}  // namespace

std::string WithoutMark(std::string text) {
  if (absl::StartsWith(text, kByteOrderMark)) text.erase(0, sizeof kByteOrderMark - 1);
  return text;
}

std::string MakeRejectFile(std::string text, char delimiter,
                           const std::map<int64_t, Refusal>& refused) {
  demo::CsvReader reader(WithoutMark(std::move(text)), delimiter);
  const auto* header = reader.Next();
  if (header == nullptr) return "";
  // The columns of ours that the file has already, if it is itself a corrected reject file, give
  // way.
  static constexpr std::string_view kOurs[] = {"import_line", "import_reason", "import_detail"};
  std::vector<size_t> kept;
  for (size_t i = 0; i < header->size(); ++i) {
    if (std::find(std::begin(kOurs), std::end(kOurs), (*header)[i]) == std::end(kOurs)) {
      kept.push_back(i);
    }
  }
  std::string out;
  const auto add_kept = [&](const std::vector<std::string_view>& fields) {
    for (const size_t i : kept) {
      out += Quoted(i < fields.size() ? fields[i] : "", delimiter);
      out += delimiter;
    }
  };
  add_kept(*header);
  for (const std::string_view name : kOurs) {
    out += name;
    out += name == kOurs[2] ? '\n' : delimiter;
  }
  auto next = refused.begin();
  for (int64_t number = 0; const auto* fields = reader.Next(); ++number) {
    if (next == refused.end()) break;
    if (next->first != number) continue;
    add_kept(*fields);
    out += absl::StrCat(reader.line()) + delimiter + next->second.reason + delimiter +
           Quoted(next->second.detail, delimiter) + '\n';
    ++next;
  }
  return out;
}

absl::Status WriteRejects(const std::string& path, const std::string& text, const FileForm& form,
                          const std::map<int64_t, Refusal>& refused) {
  if (refused.empty()) return absl::OkStatus();
  GUILDER_ASSIGN_OR_RETURN(
      const std::string bytes,
      Recode(MakeRejectFile(text, form.delimiter, refused), "UTF-8", form.encoding));
  return WriteWhole(path, bytes);
}

}  // namespace guilder::cli::importing
