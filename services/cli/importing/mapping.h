// How a partner's CSV file is to be read: which column says what, and in which form.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace guilder::cli::importing {

// What a row says about one thing: the same for all rows, or what stands in a column.
struct Source {
  bool given = false;
  std::string constant;
  // Empty for a constant.
  std::string column;
  // Translates what stands in the column; what is not in it is `otherwise`, or stays.
  std::map<std::string, std::string, std::less<>> values;
  std::optional<std::string> otherwise;
};

// How the file is written.
struct FileForm {
  std::string encoding = "UTF-8";  // as iconv knows it
  char delimiter = ',';
  char decimal = '.';
  char thousands = '\0';  // none
};

// How a row is told to be a return, and how its sale is found.
struct ReturnsMapping {
  // Rows whose column begins with the prefix; or all whose quantity is below zero.
  Source marked;
  std::string prefix;
  bool negative_quantity = false;
  // The number of the sale, or the order's id, in the form of the receipt's.
  Source sale;
  // The sale's business date; the return's own without.
  Source sale_date;
  // Without such a column: the latest earlier sale of this file to the same card, of the same sku
  // at the same price, and those before it, until the quantity is covered.
  bool latest_sale = false;
};

struct Mapping : FileForm {
  Source store;
  Source terminal;
  Source number;  // of the receipt; or
  Source order;
  Source business_date;
  Source cashier;
  Source sequence;  // the terminal's running number of it
  Source occurred;
  std::string occurred_format;  // as absl::ParseTime has it
  std::string business_date_format = "%Y-%m-%d";
  absl::TimeZone zone = absl::UTCTimeZone();
  // Added to every date, so that a sandbox can try an old file.
  int shift_days = 0;
  Source currency;

  Source card;
  // The card's column says who the customer is in the partner's books. One that was not seen before
  // is given a card that nobody has registered yet.
  bool issue_cards = false;

  Source line_id;
  Source sku;
  Source quantity;
  int quantity_digits = 0;  // "1.250" with 3 is 1250
  Source amount;            // of the whole quantity; or
  Source price;             // of one unit
  Source category;
  Source tax;
  // Lines of no amount are left out, instead of their receipt being refused.
  bool skip_zero_amounts = false;

  ReturnsMapping returns;
};

// Reads a mapping in TOML. README.md has an example.
//
// Error: INVALID_ARGUMENT, the line and what is wrong with it; also for a name that no mapping has.
absl::StatusOr<Mapping> ParseMapping(std::string_view toml);

}  // namespace guilder::cli::importing
