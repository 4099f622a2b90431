#include "services/cli/importing/row_reader.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/base/currency.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/demo/csv.h"
#include "services/cli/output/format.h"

namespace guilder::cli::importing {
namespace {

constexpr int kPriceDigits = 6;

// No text of a purchase is nearly as long; what is would not fit a request.
constexpr size_t kMaxTextBytes = 1'000;

// Keeps what is wrong first.
void Note(Row& row, std::string error) {
  if (row.error.empty()) row.error = std::move(error);
}

// "1.234,50" as "1234.50"; what is no number as another that is none.
std::string PlainDecimal(std::string_view text, const Mapping& mapping) {
  const std::optional<std::string> ungrouped = WithoutThousands(text, mapping);
  if (!ungrouped) return "?";
  std::string plain;
  for (const char c : *ungrouped) {
    // A point that is no decimal separator makes it no number.
    plain += c == mapping.decimal ? '.' : c == '.' ? '?' : c;
  }
  return plain;
}

// Notes a text that is too long, and shortens it.
void CheckLength(const char* what, std::string& text, Row& row) {
  if (text.size() <= kMaxTextBytes) return;
  Note(row, absl::StrCat("its ", what, " is longer than 1,000 bytes"));
  text.resize(kMaxTextBytes);
}

// quantity × price in minor units, half away from zero; held at just beyond what a line may come
// to.
int64_t AmountOf(int64_t quantity, int quantity_digits, int64_t price, int exponent) {
  __int128 unit = 1;
  for (int i = exponent; i < kPriceDigits + quantity_digits; ++i) unit *= 10;
  const __int128 product = static_cast<__int128>(quantity) * price;
  const __int128 amount = (product + (product < 0 ? -unit / 2 : unit / 2)) / unit;
  const __int128 beyond = kMaxAmount.value() + 1;
  return static_cast<int64_t>(std::clamp<__int128>(amount, -beyond, beyond));
}

}  // namespace

absl::StatusOr<RowReader> RowReader::Make(const std::vector<std::string_view>& header,
                                          const Mapping& mapping) {
  RowReader reader(mapping);
  reader.width_ = header.size();
  const Source& number = mapping.number.given ? mapping.number : mapping.order;
  const std::pair<Placed*, const Source*> all[] = {
      {&reader.store_, &mapping.store},
      {&reader.terminal_, &mapping.terminal},
      {&reader.number_, &number},
      {&reader.business_date_, &mapping.business_date},
      {&reader.cashier_, &mapping.cashier},
      {&reader.sequence_, &mapping.sequence},
      {&reader.occurred_, &mapping.occurred},
      {&reader.currency_, &mapping.currency},
      {&reader.card_, &mapping.card},
      {&reader.line_id_, &mapping.line_id},
      {&reader.sku_, &mapping.sku},
      {&reader.quantity_, &mapping.quantity},
      {&reader.amount_, &mapping.amount},
      {&reader.price_, &mapping.price},
      {&reader.category_, &mapping.category},
      {&reader.tax_, &mapping.tax},
      {&reader.marked_, &mapping.returns.marked},
      {&reader.sale_, &mapping.returns.sale},
      {&reader.sale_date_, &mapping.returns.sale_date}};
  for (const auto& [placed, source] : all) {
    GUILDER_ASSIGN_OR_RETURN(*placed, Placed::In(header, *source));
  }
  return reader;
}

std::string RowReader::ReadDate(const Placed& placed, const std::vector<std::string_view>& fields,
                                Row& row) const {
  const std::string date = TextOf(placed, fields);
  absl::Time at;
  std::string error;
  const std::string& format = mapping_->business_date_format;
  if (!absl::ParseTime(format, date, absl::UTCTimeZone(), &at, &error)) {
    Note(row, absl::StrCat("'", date, "' is no date like ", format));
    return "";
  }
  return absl::FormatCivilTime(absl::ToCivilDay(at, absl::UTCTimeZone()) + mapping_->shift_days);
}

void RowReader::ReadWhen(const std::vector<std::string_view>& fields, Row& row) const {
  const std::string text = TextOf(occurred_, fields);
  absl::Time at;
  std::string error;
  if (!absl::ParseTime(mapping_->occurred_format, text, mapping_->zone, &at, &error) ||
      at == absl::InfiniteFuture() || at == absl::InfinitePast()) {
    return Note(row, absl::StrCat("'", text, "' is no time like ", mapping_->occurred_format));
  }
  // Whole days of the zone, so that the time of day stays.
  const auto local = mapping_->zone.At(at);
  const absl::Time moved =
      absl::FromCivil(local.cs + mapping_->shift_days * int64_t{86'400}, mapping_->zone) +
      local.subsecond;
  row.occurred = FromAbslTime(moved);
  if (business_date_.source->given) {
    row.business_date = ReadDate(business_date_, fields, row);
  } else if (mapping_->number.given) {
    row.business_date = absl::FormatCivilTime(absl::ToCivilDay(moved, mapping_->zone));
  }
}

void RowReader::ReadLine(const std::vector<std::string_view>& fields, Row& row) const {
  const int exponent = CurrencyExponent(row.currency);
  const auto number = [&](const Placed& placed, int digits) -> int64_t {
    const std::string text = TextOf(placed, fields);
    const auto value = demo::ParseDecimal(PlainDecimal(text, *mapping_), digits);
    if (!value) {
      Note(row, absl::StrCat(placed.source->column, ": '", text.substr(0, 40), "' is no number"));
    }
    return value.value_or(0);
  };
  RowLine& line = row.line;
  line.line_id = TextOf(line_id_, fields);
  line.sku = TextOf(sku_, fields);
  line.category = TextOf(category_, fields);
  line.quantity = 1;
  if (quantity_.source->given) {
    const int64_t thousandths = number(quantity_, mapping_->quantity_digits + 3);
    line.quantity = thousandths / 1'000;
    // Half a piece is neither none nor one.
    if (thousandths % 1'000 != 0) {
      Note(row,
           absl::StrCat(quantity_.source->column, ": '", TextOf(quantity_, fields).substr(0, 40),
                        "' is no whole number of ", "what quantity_digits counts"));
    }
  }
  if (mapping_->price.given) {
    line.unit_price = number(price_, kPriceDigits);
    const int digits = quantity_.source->given ? mapping_->quantity_digits : 0;
    line.amount = AmountOf(line.quantity, digits, line.unit_price, exponent);
  } else {
    line.amount = number(amount_, exponent);
    const int64_t pieces = line.quantity == 0 ? 1 : line.quantity;
    line.unit_price = static_cast<int64_t>(__int128{line.amount} * 1'000'000 / pieces);
  }
  if (mapping_->tax.given) line.tax = number(tax_, exponent);
}

Row RowReader::Read(const std::vector<std::string_view>& fields) const {
  Row row;
  Note(row, WrongWidth(fields, width_));
  row.store = TextOf(store_, fields);
  row.terminal = TextOf(terminal_, fields);
  row.number = TextOf(number_, fields);
  row.cashier = TextOf(cashier_, fields);
  row.currency = TextOf(currency_, fields);
  if (const std::string text = TextOf(sequence_, fields); !text.empty()) {
    const auto number = ParseInt(text);
    if (number && *number > 0) row.sequence = *number;
    if (row.sequence == 0)
      Note(row, absl::StrCat("'", text.substr(0, 40), "' is no running number"));
  }
  row.card = TextOf(card_, fields);
  ReadWhen(fields, row);
  ReadLine(fields, row);
  CheckLength("store", row.store, row);
  CheckLength("terminal", row.terminal, row);
  CheckLength("number", row.number, row);
  CheckLength("cashier", row.cashier, row);
  CheckLength("card", row.card, row);
  CheckLength("line id", row.line.line_id, row);
  CheckLength("sku", row.line.sku, row);
  CheckLength("category", row.line.category, row);
  const ReturnsMapping& returns = mapping_->returns;
  row.is_return =
      (returns.marked.given && absl::StartsWith(TextOf(marked_, fields), returns.prefix)) ||
      (returns.negative_quantity && row.line.quantity < 0);
  if (!row.is_return) return row;
  row.sale = TextOf(sale_, fields);
  CheckLength("sale", row.sale, row);
  row.sale_date = row.business_date;
  if (!row.sale.empty() && returns.sale_date.given) {
    row.sale_date = ReadDate(sale_date_, fields, row);
  }
  return row;
}

}  // namespace guilder::cli::importing
