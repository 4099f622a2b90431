#include "services/cli/importing/mapping.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/base/status_macros.h"
#include "services/cli/importing/toml_section.h"

namespace guilder::cli::importing {
namespace {

absl::Status ReadFileSection(const toml::table& table, Mapping& mapping) {
  return ReadFileForm(table, mapping);
}

absl::Status ReadReceiptSection(const toml::table& table, Mapping& mapping) {
  Section section(table, "receipt");
  GUILDER_RETURN_IF_ERROR(section.ReadSource("store", mapping.store));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("terminal", mapping.terminal));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("number", mapping.number));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("order", mapping.order));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("cashier", mapping.cashier));
  GUILDER_RETURN_IF_ERROR(section.ReadSource("sequence", mapping.sequence));
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

absl::Status ReadFileForm(const toml::table& table, FileForm& form) {
  Section section(table, "file");
  GUILDER_RETURN_IF_ERROR(section.Text("encoding", form.encoding));
  GUILDER_RETURN_IF_ERROR(section.Character("delimiter", form.delimiter));
  GUILDER_RETURN_IF_ERROR(section.Character("decimal", form.decimal));
  GUILDER_RETURN_IF_ERROR(section.Character("thousands", form.thousands));
  const bool clear = form.delimiter != '\0' && form.delimiter != '"' && form.delimiter != '\n' &&
                     form.delimiter != '\r' && form.decimal != '\0' &&
                     form.decimal != form.thousands;
  if (!clear) return Wrong(table, "delimiter, decimal and thousands cannot be told apart");
  return section.CheckNames();
}

absl::StatusOr<Mapping> ParseMapping(std::string_view toml) {
  Mapping mapping;
  mapping.currency.constant = "EUR";
  GUILDER_RETURN_IF_ERROR(ReadSections<Mapping>(toml,
                                                {{"file", ReadFileSection},
                                                 {"receipt", ReadReceiptSection},
                                                 {"card", ReadCardSection},
                                                 {"line", ReadLineSection},
                                                 {"returns", ReadReturnsSection}},
                                                {"receipt", "card", "line"}, mapping));
  return mapping;
}

}  // namespace guilder::cli::importing
