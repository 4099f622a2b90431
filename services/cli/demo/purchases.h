// Builds what the tills of the demonstration's partners send, out of real purchase data.
//
// Pure apart from reading the files: the same files and options give the same work. README.md says
// how rows become receipts and returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "libs/base/types.h"

namespace guilder::cli::demo {

// The category of lines that are no goods (postage, bank charges, manual corrections): an earn rule
// excludes it.
inline constexpr char kNotGoodsCategory[] = "not-goods";

// No receipt or return has more lines; a longer one is cut into several, as the service demands.
inline constexpr size_t kMaxLinesPerReceipt = 500;

// CSV files, plain or .xz, with the columns of the original data sets.
struct PurchaseFiles {
  std::string transactions;  // Complete Journey.
  std::string products;      // Complete Journey.
  std::string online_retail;
};

// The slices that the source tree ships, in its folder tests/data.
PurchaseFiles ShippedFiles(const std::string& data_directory);

struct PurchaseOptions {
  absl::CivilDay today;  // The last purchase of each data set moves to the day before.
  absl::TimeZone zone;   // In which the data's wall clock times are read after moving.
  int branches = 12;     // The data's 293 stores are folded into so many for each partner.
  int terminals = 2;     // Per store.
};

struct ReceiptLine {
  std::string line_id;  // "1", "2" … in its receipt.
  std::string sku;
  int64_t quantity = 0;
  MinorUnits amount;  // For the whole quantity.
  std::string category;
};

// What the service will answer.
enum class Expected { kRecorded, kCardMissing, kAmountOutOfRange };

struct Receipt {
  size_t partner = 0;  // In DemoPartners().
  std::string store;
  std::string terminal;
  std::string number;
  bool is_order = false;         // `number` is a web shop's order id, not a receipt's number.
  std::optional<size_t> member;  // In TillWork::members; none for a purchase without a card.
  Timestamp occurred_at;
  std::string business_date;  // "2026-01-31", in the options' zone.
  std::vector<ReceiptLine> lines;
  Expected expected = Expected::kRecorded;
};

struct ReturnLine {
  std::string line_id;  // Of the receipt; empty when no sale was found.
  std::string sku;
  int64_t quantity = 0;
};

// One call of RecordReturn: what a cancellation takes back of one receipt, or what it found no sale
// for.
struct Return {
  size_t partner = 0;
  std::string store;
  std::string number;  // Of the cancellation, with "-1", "-2" … where it is cut.
  std::optional<size_t> member;
  Timestamp occurred_at;          // Not before its receipt.
  std::optional<size_t> receipt;  // In TillWork::receipts; none: the service parks it.
  std::vector<ReturnLine> lines;
};

// What the rows of the files became. Counts of lines unless named otherwise.
struct PurchaseCounts {
  int64_t lines_read = 0;
  int64_t exact_duplicates = 0;    // Equal to an earlier row of their invoice; lines of their own.
  int64_t recorded_lines = 0;      // In receipts that the service records, not-goods included.
  int64_t not_goods_lines = 0;     // Of these, lines that are no goods.
  int64_t card_missing_lines = 0;  // In receipts without a card.
  int64_t amount_out_of_range_lines = 0;
  int64_t cancellation_lines = 0;
  int64_t cancelled_not_goods =
      0;  // Cancellation lines that are no goods; nothing is sent for them.
  int64_t matched_cancellations =
      0;                             // Cancellation lines that found sales for all or part of them.
  int64_t parked_cancellations = 0;  // Cancellation lines of which all or part found no sale.
};

struct TillWork {
  std::vector<Receipt> receipts;  // By time; ties by partner and number.
  std::vector<Return> returns;    // By time; ties by number.
  std::vector<std::string>
      members;  // "household-2261", "customer-17850": in no customer's real name.
  std::vector<std::vector<std::string>> stores;  // Of each partner, sorted.
  PurchaseCounts counts;
};

// Reads the files and builds the work, in about a second for 130,000 lines.
//
// Errors: NOT_FOUND, DATA_LOSS: a file; INVALID_ARGUMENT: a column is missing or a value malformed,
// with the file and record.
absl::StatusOr<TillWork> LoadPurchases(const PurchaseFiles& files, const PurchaseOptions& options);

// As LoadPurchases, from the texts of the files.
absl::StatusOr<TillWork> BuildPurchases(std::string transactions, std::string products,
                                        std::string online_retail, const PurchaseOptions& options);

}  // namespace guilder::cli::demo
