// One row of a partner's file, by the mapping. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/cli/importing/columns.h"
#include "services/cli/importing/mapping.h"

namespace guilder::cli::importing {

struct RowLine {
  std::string line_id;
  std::string sku;
  int64_t quantity = 0;
  int64_t amount = 0;  // minor units, for the whole quantity
  int64_t tax = 0;
  int64_t unit_price = 0;  // in millionths
  std::string category;
};

struct Row {
  bool is_return = false;
  std::string store;
  std::string terminal;
  std::string number;  // of the receipt, or the order's id
  std::string business_date;
  std::string sale;       // whose return it is; empty when the file does not say
  std::string sale_date;  // the sale's business date
  std::string cashier;
  int64_t sequence = 0;  // the terminal's running number; 0 for none
  std::string card;      // or the customer
  std::string currency;
  Timestamp occurred;
  RowLine line;
  // What is wrong with it; empty when nothing is. The texts above are there all the same.
  std::string error;
};

class RowReader {
 public:
  // The mapping outlives it. Error: INVALID_ARGUMENT, the file has no column of a name.
  static absl::StatusOr<RowReader> Make(const std::vector<std::string_view>& header,
                                        const Mapping& mapping);

  Row Read(const std::vector<std::string_view>& fields) const;

 private:
  explicit RowReader(const Mapping& mapping) : mapping_(&mapping) {}

  std::string ReadDate(const Placed& placed, const std::vector<std::string_view>& fields,
                       Row& row) const;
  void ReadWhen(const std::vector<std::string_view>& fields, Row& row) const;
  void ReadLine(const std::vector<std::string_view>& fields, Row& row) const;

  const Mapping* mapping_;
  size_t width_ = 0;
  Placed store_, terminal_, number_, business_date_, cashier_, sequence_, occurred_, currency_,
      card_, line_id_, sku_, quantity_, amount_, price_, category_, tax_, marked_, sale_,
      sale_date_;
};

}  // namespace guilder::cli::importing
