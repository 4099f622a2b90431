#include "services/cli/output/output.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "services/cli/output/format.h"
#include "services/cli/output/printable.h"

namespace guilder::cli {
namespace {

using Value = nlohmann::ordered_json;

const Value* Find(const Value& record, const std::string& path) {
  const Value* at = &record;
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (const std::string& name : names) {
    if (!at->is_object() || !at->contains(name)) return nullptr;
    at = &(*at)[name];
  }
  return at->is_null() ? nullptr : at;
}

std::string PlainText(const Value& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  // As such a pair is given in an option.
  if (value.is_object() && value.size() == 2) {
    return absl::StrCat(PlainText(value.front()), "=", PlainText(value.back()));
  }
  if (!value.is_array()) return value.dump();
  std::vector<std::string> parts;
  for (const Value& part : value) parts.push_back(PlainText(part));
  return absl::StrJoin(parts, ", ");
}

std::string TimeText(std::string text) {
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text.substr(0, text.find_first_of(".Z"));
}

std::string RateText(int64_t ppm) {
  std::string text = absl::StrCat(ppm / 10'000);
  if (ppm % 10'000 != 0) {
    std::string fraction = absl::StrCat(10'000 + ppm % 10'000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    absl::StrAppend(&text, ".", fraction);
  }
  return text + " %";
}

// The currency that stands beside the field, in the same object; empty when none does.
std::string CurrencyBeside(const Value& record, const std::string& path) {
  const size_t dot = path.rfind('.');
  const std::string parent = dot == std::string::npos ? "" : path.substr(0, dot + 1);
  const Value* currency = Find(record, parent + "currency_code");
  return currency != nullptr && currency->is_string() ? currency->get<std::string>() : "";
}

Align AlignOf(Show show) {
  return show == Show::kText || show == Show::kTime ? Align::kLeft : Align::kRight;
}

}  // namespace

std::string FieldText(const Value& record, const Field& field) {
  const Value* value = Find(record, field.path);
  if (value == nullptr) return field.absent;
  switch (field.show) {
    case Show::kNumber:
      if (value->is_number_integer()) return WithThousands(value->get<int64_t>());
      break;
    case Show::kMoney:
      if (value->is_number_integer()) {
        return MoneyText(value->get<int64_t>(), CurrencyBeside(record, field.path));
      }
      if (value->is_object() && value->contains("minor_units")) {
        return MoneyText((*value)["minor_units"].get<int64_t>(),
                         value->value("currency_code", std::string()));
      }
      break;
    case Show::kRate:
      if (value->is_number_integer()) return RateText(value->get<int64_t>());
      break;
    case Show::kTime:
      if (value->is_string()) return TimeText(value->get<std::string>());
      break;
    case Show::kText:
      break;
  }
  return PlainText(*value);
}

void Output::List(const Value& rows, const std::vector<Field>& fields, const std::string& none) {
  if (json()) return Json(rows);
  if (rows.empty()) return Text(none);
  std::vector<Table::Column> columns;
  for (const Field& field : fields) columns.push_back({field.heading, AlignOf(field.show)});
  Table table(std::move(columns));
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const Field& field : fields) cells.push_back(FieldText(row, field));
    table.AddRow(std::move(cells));
  }
  Print(table);
}

void Output::Record(const Value& record, const std::vector<Field>& fields) {
  if (json()) return Json(record);
  std::vector<std::pair<std::string, std::string>> lines;
  size_t width = 0;
  for (const Field& field : fields) {
    std::string text = Printable(FieldText(record, field));
    if (text.empty()) continue;
    std::replace(text.begin(), text.end(), '\n', ' ');
    width = std::max(width, DisplayWidth(field.heading));
    lines.emplace_back(field.heading, std::move(text));
  }
  for (const auto& [heading, text] : lines) {
    out_ << heading << std::string(width - DisplayWidth(heading) + 2, ' ') << text << "\n";
  }
}

void Output::Text(const std::string& line) {
  if (!json()) out_ << line << "\n";
}

void Output::Heading(const std::string& heading) {
  if (json()) return;
  out_ << "\n" << (terminal_.colour ? "\x1b[1m" + heading + "\x1b[0m" : heading) << "\n";
}

void Output::Print(const Table& table) {
  if (!json()) out_ << table.Render(terminal_);
}

void Output::Json(const Value& document) {
  if (json()) out_ << document.dump(2, ' ', false, Value::error_handler_t::replace) << "\n";
}

}  // namespace guilder::cli
