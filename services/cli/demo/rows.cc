#include "services/cli/demo/rows.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/demo/partners.h"

namespace guilder::cli::demo {
namespace {

using Fields = std::vector<std::string_view>;

constexpr int kMinorUnitDigits = 2;
constexpr int kPriceDigits = 4;

absl::Status Malformed(std::string_view what, int64_t record, std::string_view value) {
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(what), " in record ", record, ": '",
                                                 ToAbsl(value.substr(0, 40)), "' is malformed"));
}

// The numbers of a text that are parted by single other characters: "12/1/2010 8:26" → 12, 1 …
template <size_t kCount>
std::optional<std::array<int, kCount>> Numbers(std::string_view text) {
  std::array<int, kCount> numbers{};
  size_t at = 0;
  for (size_t i = 0; i < kCount; ++i) {
    if (i > 0 && at < text.size()) ++at;
    const size_t begin = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && at - begin < 4; ++at) {
      numbers[i] = numbers[i] * 10 + (text[at] - '0');
    }
    if (at == begin) return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  return numbers;
}

// Nothing when one of the numbers is out of its range, which civil time would carry over silently.
std::optional<absl::CivilSecond> Civil(int year, int month, int day, int hour, int minute,
                                       int second) {
  const absl::CivilSecond at(year, month, day, hour, minute, second);
  if (at.year() != year || at.month() != month || at.day() != day || at.hour() != hour ||
      at.minute() != minute || at.second() != second) {
    return std::nullopt;
  }
  return at;
}

// "2017-01-28 14:06:53"
std::optional<absl::CivilSecond> JourneyTime(std::string_view text) {
  const auto n = Numbers<6>(text);
  if (!n) return std::nullopt;
  return Civil((*n)[0], (*n)[1], (*n)[2], (*n)[3], (*n)[4], (*n)[5]);
}

// "12/1/2010 8:26", month first.
std::optional<absl::CivilSecond> InvoiceTime(std::string_view text) {
  const auto n = Numbers<5>(text);
  if (!n) return std::nullopt;
  return Civil((*n)[2], (*n)[0], (*n)[1], (*n)[3], (*n)[4], 0);
}

bool NumberLess(const std::string& a, const std::string& b) {
  return std::pair(a.size(), std::string_view(a)) < std::pair(b.size(), std::string_view(b));
}

struct Product {
  size_t partner;
  std::string category;
};

absl::StatusOr<std::unordered_map<std::string, Product>> ReadProducts(std::string products) {
  CsvReader reader(std::move(products));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<size_t> column,
                           reader.Header({"product_id", "department", "product_category"}));
  const size_t width = 1 + *std::max_element(column.begin(), column.end());
  std::unordered_map<std::string, Product> by_id;
  for (int64_t record = 1; const Fields* fields = reader.Next(); ++record) {
    if (fields->size() < width) return Malformed("product", record, (*fields)[0]);
    const std::string_view department = (*fields)[column[1]];
    const std::string_view category = (*fields)[column[2]];
    by_id[std::string((*fields)[column[0]])] = {PartnerOfDepartment(department),
                                                ToUtf8(category.empty() ? department : category)};
  }
  return by_id;
}

// Counts the rows that equal an earlier one of their group.
class DuplicateCounter {
 public:
  int64_t Add(const std::string& group, const Fields& fields) {
    std::string row = group;
    for (const std::string_view field : fields) {
      row += '\x1F';
      row += field;
    }
    return seen_.insert(std::hash<std::string>()(row)).second ? 0 : 1;
  }

 private:
  std::unordered_set<size_t> seen_;
};

}  // namespace

absl::StatusOr<JourneyRows> ReadJourney(std::string transactions, std::string products) {
  GUILDER_ASSIGN_OR_RETURN(const auto product_by_id, ReadProducts(std::move(products)));
  CsvReader reader(std::move(transactions));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<size_t> column,
                           reader.Header({"household_id", "store_id", "basket_id", "product_id",
                                          "quantity", "sales_value", "transaction_timestamp"}));
  const size_t width = 1 + *std::max_element(column.begin(), column.end());
  const Product unlisted{PartnerOfDepartment(""), "UNLISTED"};

  JourneyRows rows;
  DuplicateCounter duplicates;
  std::unordered_map<std::string, size_t> basket_by_key;
  std::set<std::string, decltype(&NumberLess)> households(&NumberLess);
  absl::CivilSecond last;
  while (const Fields* fields = reader.Next()) {
    const int64_t record = ++rows.lines_read;
    if (fields->size() < width) return Malformed("transaction", record, (*fields)[0]);
    const auto field = [&](size_t i) { return (*fields)[column[i]]; };
    const std::optional<int64_t> quantity = ParseDecimal(field(4), 0);
    if (!quantity) return Malformed("quantity", record, field(4));
    const std::optional<int64_t> amount = ParseDecimal(field(5), kMinorUnitDigits);
    if (!amount) return Malformed("sales_value", record, field(5));
    const std::optional<absl::CivilSecond> at = JourneyTime(field(6));
    if (!at) return Malformed("transaction_timestamp", record, field(6));

    const auto listed = product_by_id.find(std::string(field(3)));
    const Product& product = listed == product_by_id.end() ? unlisted : listed->second;
    const std::string key = absl::StrCat(product.partner, ",", ToAbsl(field(1)), ",",
                                         ToAbsl(field(0)), ",", ToAbsl(field(2)));
    const auto [found, is_new] = basket_by_key.try_emplace(key, rows.baskets.size());
    if (is_new) {
      rows.baskets.push_back(
          {product.partner, ToUtf8(field(1)), ToUtf8(field(0)), ToUtf8(field(2)), *at, {}});
      households.insert(rows.baskets.back().household);
    }
    JourneyBasket& basket = rows.baskets[found->second];
    basket.at = std::min(basket.at, *at);
    basket.lines.push_back({ToUtf8(field(3)), *quantity, MinorUnits(*amount), product.category});
    rows.exact_duplicates += duplicates.Add(key, *fields);
    last = rows.lines_read == 1 ? *at : std::max(last, *at);
  }
  rows.households.assign(households.begin(), households.end());
  rows.last_day = absl::CivilDay(last);
  return rows;
}

absl::StatusOr<std::vector<Invoice>> ReadInvoices(std::string online_retail) {
  CsvReader reader(std::move(online_retail));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<size_t> column,
                           reader.Header({"InvoiceNo", "StockCode", "Quantity", "InvoiceDate",
                                          "UnitPrice", "CustomerID"}));
  const size_t width = 1 + *std::max_element(column.begin(), column.end());

  std::vector<Invoice> invoices;
  DuplicateCounter duplicates;
  std::unordered_map<std::string, size_t> invoice_by_number;
  for (int64_t record = 1; const Fields* fields = reader.Next(); ++record) {
    if (fields->size() < width) return Malformed("invoice", record, (*fields)[0]);
    const auto field = [&](size_t i) { return (*fields)[column[i]]; };
    const std::optional<int64_t> quantity = ParseDecimal(field(2), 0);
    if (!quantity) return Malformed("Quantity", record, field(2));
    const std::optional<absl::CivilSecond> at = InvoiceTime(field(3));
    if (!at) return Malformed("InvoiceDate", record, field(3));
    const std::optional<int64_t> price = ParseDecimal(field(4), kPriceDigits);
    if (!price) return Malformed("UnitPrice", record, field(4));

    const std::string number = ToUtf8(field(0));
    const auto [found, is_new] = invoice_by_number.try_emplace(number, invoices.size());
    if (is_new) invoices.push_back({number, ToUtf8(field(5)), *at, {}, 0});
    Invoice& invoice = invoices[found->second];
    if (invoice.customer != field(5)) return Malformed("CustomerID", record, field(5));
    invoice.at = std::min(invoice.at, *at);
    invoice.rows.push_back({ToUtf8(field(1)), *quantity, *price});
    invoice.exact_duplicates += duplicates.Add(number, *fields);
  }
  std::stable_sort(invoices.begin(), invoices.end(),
                   [](const Invoice& a, const Invoice& b) { return a.at < b.at; });
  return invoices;
}

MinorUnits AmountOfRow(const InvoiceRow& row) {
  constexpr int64_t kPricePerMinorUnit = 100;
  const __int128 product = static_cast<__int128>(row.quantity) * row.price;
  const __int128 half = product < 0 ? -kPricePerMinorUnit / 2 : kPricePerMinorUnit / 2;
  const __int128 amount = (product + half) / kPricePerMinorUnit;
  const __int128 beyond = kMaxAmount.value() + 1;
  return MinorUnits(static_cast<int64_t>(std::clamp<__int128>(amount, -beyond, beyond)));
}

bool IsNotGoods(std::string_view code) {
  constexpr std::string_view kCodes[] = {
      "POST", "D", "M", "m", "BANK CHARGES", "C2", "DOT", "CRUK", "PADS", "AMAZONFEE", "S", "B"};
  return std::find(std::begin(kCodes), std::end(kCodes), code) != std::end(kCodes) ||
         code.substr(0, 5) == "gift_";
}

}  // namespace guilder::cli::demo
