// One table of a mapping in TOML.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/base/status_macros.h"
#include "services/cli/importing/mapping.h"

namespace guilder::cli::importing {

// INVALID_ARGUMENT, with the line on which it stands.
inline absl::Status Wrong(const toml::node& node, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", node.source().begin.line, ": ", what));
}

// One table of the mapping. Names that nobody asked for are mistakes.
class Section {
 public:
  Section(const toml::table& table, std::string name) : table_(table), name_(std::move(name)) {}

  absl::Status Text(const char* key, std::string& out) {
    const toml::node* node = Find(key);
    if (node == nullptr) return absl::OkStatus();
    const auto text = node->value_exact<std::string>();
    if (!text) return Wrong(*node, absl::StrCat(Name(key), " is a text"));
    out = *text;
    return absl::OkStatus();
  }

  // One character of ASCII; none for an empty text.
  absl::Status Character(const char* key, char& out) {
    std::string text;
    const toml::node* node = Find(key);
    if (node == nullptr) return absl::OkStatus();
    GUILDER_RETURN_IF_ERROR(Text(key, text));
    if (text.size() > 1) return Wrong(*node, absl::StrCat(Name(key), " is one character"));
    out = text.empty() ? '\0' : text[0];
    return absl::OkStatus();
  }

  absl::Status Integer(const char* key, int& out, int least, int most) {
    const toml::node* node = Find(key);
    if (node == nullptr) return absl::OkStatus();
    const auto number = node->value_exact<int64_t>();
    if (!number || *number < least || *number > most) {
      return Wrong(*node, absl::StrCat(Name(key), " is a number from ", least, " to ", most));
    }
    out = static_cast<int>(*number);
    return absl::OkStatus();
  }

  absl::Status Bool(const char* key, bool& out) {
    const toml::node* node = Find(key);
    if (node == nullptr) return absl::OkStatus();
    const auto value = node->value_exact<bool>();
    if (!value) return Wrong(*node, absl::StrCat(Name(key), " is true or false"));
    out = *value;
    return absl::OkStatus();
  }

  // "text", or {column = "…", values = {…}, otherwise = "…"}. `more` are keys that the caller
  // reads.
  absl::Status ReadSource(const char* key, Source& out, const std::vector<std::string>& more = {}) {
    const toml::node* node = Find(key);
    if (node == nullptr) return absl::OkStatus();
    out.given = true;
    if (const auto text = node->value_exact<std::string>()) {
      out.constant = *text;
      return absl::OkStatus();
    }
    const toml::table* table = node->as_table();
    if (table == nullptr) {
      return Wrong(*node, absl::StrCat(Name(key), " is a text, or {column = \"…\"}"));
    }
    Section section(*table, Name(key));
    section.asked_ = more;
    GUILDER_RETURN_IF_ERROR(section.Text("column", out.column));
    if (out.column.empty()) return Wrong(*node, absl::StrCat(Name(key), " names no column"));
    if (const toml::node* otherwise = section.Find("otherwise")) {
      const auto text = otherwise->value_exact<std::string>();
      if (!text) return Wrong(*otherwise, absl::StrCat(Name(key), ".otherwise is a text"));
      out.otherwise = *text;
    }
    if (const toml::node* values = section.Find("values")) {
      if (!values->is_table()) return Wrong(*values, absl::StrCat(Name(key), ".values is a table"));
      for (const auto& [from, to] : *values->as_table()) {
        const auto text = to.value_exact<std::string>();
        if (!text) return Wrong(to, absl::StrCat(Name(key), ".values are texts"));
        out.values.emplace(std::string(from.str()), *text);
      }
    }
    return section.CheckNames();
  }

  const toml::node* Find(const char* key) {
    asked_.emplace_back(key);
    return table_.get(key);
  }

  // After everything was read.
  absl::Status CheckNames() const {
    for (const auto& [key, value] : table_) {
      const std::string name(key.str());
      if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
      return Wrong(value, absl::StrCat("[", name_, "] has no '", name, "', but ",
                                       absl::StrJoin(asked_, ", ")));
    }
    return absl::OkStatus();
  }

 private:
  std::string Name(const char* key) const { return absl::StrCat(name_, ".", key); }

  const toml::table& table_;
  const std::string name_;
  std::vector<std::string> asked_;
};

// How the file is written: the table [file] of any mapping.
absl::Status ReadFileForm(const toml::table& table, FileForm& form);

// Reads each section by the function of its name; those in `needed` must be there, and no others.
template <typename Mapping>
absl::Status ReadSections(
    std::string_view toml,
    const std::map<std::string, absl::Status (*)(const toml::table&, Mapping&)>& sections,
    const std::vector<std::string>& needed, Mapping& mapping) {
  toml::table table;
  try {
    table = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", error.source().begin.line, ": ", std::string(error.description())));
  }
  for (const std::string& name : needed) {
    if (!table.contains(name)) {
      return absl::InvalidArgumentError(absl::StrCat("[", name, "] is missing"));
    }
  }
  for (const auto& [key, value] : table) {
    const auto section = sections.find(std::string(key.str()));
    if (section == sections.end() || !value.is_table()) {
      return Wrong(value, absl::StrCat("'", std::string(key.str()), "' is no part of a mapping"));
    }
    GUILDER_RETURN_IF_ERROR(section->second(*value.as_table(), mapping));
  }
  return absl::OkStatus();
}

}  // namespace guilder::cli::importing
