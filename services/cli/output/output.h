// Where the commands write their results: a table for people or JSON for machines, never both.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "services/cli/output/table.h"
#include "services/cli/output/terminal.h"

namespace guilder::cli {

enum class Format { kTable, kJson };

// How a value of a JSON object is shown to people.
enum class Show {
  kText,    // As it is; a list is joined by ", ".
  kNumber,  // With thousands separators, to the right.
  kMoney,   // Minor units, with a currency_code beside them or none; or an object of both.
  kTime,    // An RFC 3339 instant without its fraction: "2026-01-31 12:00:00".
  kRate,    // Parts per million as a percentage: 190000 → "19 %".
};

struct Field {
  std::string heading;
  // Names separated by dots, as in "journal_receipt.number".
  std::string path;
  Show show = Show::kText;
  // What is shown where there is nothing.
  std::string absent = {};
};

class Output {
 public:
  // `out` and `terminal` are those of stdout.
  Output(Format format, std::ostream& out, const Terminal& terminal)
      : format_(format), out_(out), terminal_(terminal) {}

  bool json() const { return format_ == Format::kJson; }
  const Terminal& terminal() const { return terminal_; }

  // A list of objects: a table with a row for each, or the JSON list. An empty list prints `none`
  // to people.
  void List(const nlohmann::ordered_json& rows, const std::vector<Field>& fields,
            const std::string& none = "nothing");
  // One object: a line for each field that it has, or the JSON object.
  void Record(const nlohmann::ordered_json& record, const std::vector<Field>& fields);

  // For people only; JSON output ignores them.
  void Text(const std::string& line);
  void Heading(const std::string& heading);
  void Print(const Table& table);
  // For machines only, as one document; people's output ignores it.
  void Json(const nlohmann::ordered_json& document);

 private:
  const Format format_;
  std::ostream& out_;
  const Terminal terminal_;
};

// What stands at `path` in `record`, as `show` says.
std::string FieldText(const nlohmann::ordered_json& record, const Field& field);

}  // namespace guilder::cli
