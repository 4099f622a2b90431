// What the rows of a partner's file say: receipts and returns, as they are sent. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "guilder/accrual/v1/accrual_service.pb.h"

#include "services/cli/importing/mapping.h"
#include "services/cli/importing/rejects.h"

namespace guilder::cli::importing {

// One receipt or return, or a part of one that is too long for a request.
struct Item {
  // Of the file's records after the header, from 0.
  std::vector<int64_t> rows;
  // The line of the file on which the first one begins.
  int64_t line = 0;
  // The customer in the partner's books, who is still to be given a card. Empty for none.
  std::string customer;
  bool is_return = false;
  // Without a request id.
  accrual::v1::RecordPurchaseRequest purchase;
  accrual::v1::RecordReturnRequest returned;
  // What no request can be made of is not sent.
  Refusal refusal;
};

struct FileWork {
  // Receipts in the order of the file; then returns in the order of time. Parts of one return stand
  // beside each other.
  std::vector<Item> items;
  int64_t rows = 0;
  // Lines of no amount that the mapping leaves out.
  int64_t skipped_rows = 0;
};

// Reads the file's text, which is UTF-8. `partner` is "partners/{id}".
//
// Rows of one receipt need not follow each other. A receipt of which one row is malformed is
// refused as a whole, so that it can be corrected and sent as a whole. One of more than 500 lines
// is cut into several: "17", "17-2" …
//
// Error: INVALID_ARGUMENT, a column that the mapping names is missing.
absl::StatusOr<FileWork> ReadFileWork(std::string text, const Mapping& mapping,
                                      const std::string& partner);

// The request id of an item: follows from the partner and from what is asked, so that a second
// sending of the same rows, from this file or another, is a repeat.
std::string RequestIdOf(const std::string& partner, const Item& item);

}  // namespace guilder::cli::importing
