#include "services/cli/importing/mapping.h"

#include <algorithm>
#include <string>
#include <vector>

#include <toml++/toml.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/base/status_macros.h"

namespace guilder::cli::importing {
namespace {

absl::Status Wrong(const toml::node& node, const std::string& what) {
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

absl::Status ReadFileSection(const toml::table& table, Mapping& mapping) {
  Section section(table, "file");
  GUILDER_RETURN_IF_ERROR(section.Text("encoding", mapping.encoding));
  GUILDER_RETURN_IF_ERROR(section.Character("delimiter", mapping.delimiter));
  GUILDER_RETURN_IF_ERROR(section.Character("decimal", mapping.decimal));
  GUILDER_RETURN_IF_ERROR(section.Character("thousands", mapping.thousands));
  const bool clear = mapping.delimiter != '\0' && mapping.delimiter != '"' &&
                     mapping.delimiter != '\n' && mapping.delimiter != '\r' &&
                     mapping.decimal != '\0' && mapping.decimal != mapping.thousands;
  if (!clear) return Wrong(table, "delimiter, decimal and thousands cannot be told apart");
  return section.CheckNames();
}

absl::Status ReadReceiptSection(const toml::table& table, Mapping& mapping) {
  Section section(table, "receipt");
  GUILDER_RETURN_IF_ERROR(section.ReadSource("store", mapping.store));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("terminal", mapping.terminal));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("number", mapping.number));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("order", mapping.order));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("cashier", mapping.cashier));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("currency", mapping.currency));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("occurred", mapping.occurred));
  GUILDER_RETURN_IF_ERROR(section.Text("occurred_format", mapping.occurred_format));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("business_date", mapping.business_date));
  GUILDER_RETURN_IF_ERROR(section.Text("business_date_format", mapping.business_date_format));
  GUILDER_RETURN_IF_ERROR(section.Integer("shift_days", mapping.shift_days, -40'000, 40'000));
  std::string zone;
  GUILDER_RETURN_IF_ERROR(section.Text("zone", zone));
  if (!zone.empty() && !absl::LoadTimeZone(zone, &mapping.zone)) {
    return Wrong(table, absl::StrCat("there is no time zone '", zone, "'"));
  }
  if (!mapping.store.given) return Wrong(table, "receipt.store is missing");
  if (mapping.number.given == mapping.order.given) {
    return Wrong(table, "receipt.number or receipt.order, one of them");
  }
  if (!mapping.occurred.given || mapping.occurred_format.empty()) {
    return Wrong(table, "receipt.occurred and receipt.occurred_format are needed");
  }
  return section.CheckNames();
}

absl::Status ReadCardSection(const toml::table& table, Mapping& mapping) {
  Section section(table, "card");
  GUILDER_RETURN_IF_ERROR(section.ReadSource("number", mapping.card));
  Source customer;
  GUILDER_RETURN_IF_ERROR(section.ReadSource("customer", customer));
  if (mapping.card.given == customer.given) {
    return Wrong(table, "card.number or card.customer, one of them");
  }
  mapping.issue_cards = customer.given;
  if (customer.given) mapping.card = customer;
  return section.CheckNames();
}

absl::Status ReadLineSection(const toml::table& table, Mapping& mapping) {
  Section section(table, "line");
  GUILDER_RETURN_IF_ERROR(section.ReadSource("id", mapping.line_id));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("sku", mapping.sku));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("quantity", mapping.quantity));
  GUILDER_RETURN_IF_ERROR(section.Integer("quantity_digits", mapping.quantity_digits, 0, 3));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("amount", mapping.amount));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("price", mapping.price));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("category", mapping.category));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("tax", mapping.tax));
  GUILDER_RETURN_IF_ERROR(section.Bool("skip_zero_amounts", mapping.skip_zero_amounts));
  if (mapping.amount.given == mapping.price.given) {
    return Wrong(table, "line.amount or line.price, one of them");
  }
  return section.CheckNames();
}

absl::Status ReadReturnsSection(const toml::table& table, Mapping& mapping) {
  ReturnsMapping& returns = mapping.returns;
  Section section(table, "returns");
  GUILDER_RETURN_IF_ERROR(section.ReadSource("marked", returns.marked, {"prefix"}));
  if (const toml::table* marked = table["marked"].as_table()) {
    returns.prefix = (*marked)["prefix"].value_or(std::string());
  }
  GUILDER_RETURN_IF_ERROR(section.Bool("negative_quantity", returns.negative_quantity));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("sale", returns.sale));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("sale_date", returns.sale_date));
  GUILDER_RETURN_IF_ERROR(section.Bool("latest_sale", returns.latest_sale));
  if (returns.marked.given && returns.prefix.empty()) {
    return Wrong(table, "returns.marked needs a prefix");
  }
  if (returns.marked.given == returns.negative_quantity) {
    return Wrong(table, "returns.marked or returns.negative_quantity, one of them");
  }
  if (returns.sale.given && returns.latest_sale) {
    return Wrong(table, "returns.sale or returns.latest_sale, not both");
  }
  return section.CheckNames();
}

}  // namespace

absl::StatusOr<Mapping> ParseMapping(std::string_view toml) {
  toml::table table;
  try {
    table = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", error.source().begin.line, ": ", std::string(error.description())));
  }
  Mapping mapping;
  mapping.currency.constant = "EUR";
  const std::map<std::string, absl::Status (*)(const toml::table&, Mapping&)> sections = {
      {"file", ReadFileSection},
      {"receipt", ReadReceiptSection},
      {"card", ReadCardSection},
      {"line", ReadLineSection},
      {"returns", ReadReturnsSection}};
  for (const char* const needed : {"receipt", "card", "line"}) {
    if (!table.contains(needed)) {
      return absl::InvalidArgumentError(absl::StrCat("[", needed, "] is missing"));
    }
  }
  for (const auto& [key, value] : table) {
    const auto section = sections.find(std::string(key.str()));
    if (section == sections.end() || !value.is_table()) {
      return Wrong(value, absl::StrCat("'", std::string(key.str()), "' is no part of a mapping"));
    }
    GUILDER_RETURN_IF_ERROR(section->second(*value.as_table(), mapping));
  }
  return mapping;
}

}  // namespace guilder::cli::importing
