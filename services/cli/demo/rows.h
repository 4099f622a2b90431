// The two data sets as rows: parsed, grouped, not yet moved in time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

#include "libs/base/types.h"
#include "services/cli/demo/csv.h"

namespace guilder::cli::demo {

struct JourneyLine {
  std::string product;
  int64_t quantity = 0;
  MinorUnits amount;
  std::string category;  // The product's category, or its department where it has none.
};

// What a household bought of one partner in one basket.
struct JourneyBasket {
  size_t partner = 0;
  std::string store;
  std::string household;
  std::string basket;
  absl::CivilSecond at;  // Of the earliest line.
  std::vector<JourneyLine> lines;
};

struct JourneyRows {
  std::vector<JourneyBasket> baskets;   // In the order of their first row.
  std::vector<std::string> households;  // Sorted by number.
  absl::CivilDay last_day;
  int64_t lines_read = 0;
  int64_t exact_duplicates = 0;
};

// Reads Complete Journey's transactions and products. A product that is not listed has no
// department.
//
// Errors: INVALID_ARGUMENT, a column is missing or a value malformed.
absl::StatusOr<JourneyRows> ReadJourney(std::string transactions, std::string products);

struct InvoiceRow {
  std::string code;
  int64_t quantity = 0;
  int64_t price = 0;  // Of one piece, in 1/10,000 of the major unit.
};

struct Invoice {
  std::string number;    // Begins with C when it is a cancellation.
  std::string customer;  // Empty for none.
  absl::CivilSecond at;  // Of the earliest row.
  std::vector<InvoiceRow> rows;
  int64_t exact_duplicates = 0;
};

// Reads Online Retail's invoices: by time, ties in the order of the file.
//
// Errors: INVALID_ARGUMENT, a column is missing, a value malformed, or an invoice has two
// customers.
absl::StatusOr<std::vector<Invoice>> ReadInvoices(std::string online_retail);

// Quantity × price in minor units, half away from zero; held at just beyond kMaxAmount.
MinorUnits AmountOfRow(const InvoiceRow& row);

// Whether a stock code of Online Retail is postage, a charge, a correction or a voucher.
bool IsNotGoods(std::string_view code);

}  // namespace guilder::cli::demo
