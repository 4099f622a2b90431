// What the benchmark asks of PostgreSQL itself.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace guilder::cli::bench {

// Creates an empty database beside the one of `dsn`, and gives its dsn.
absl::StatusOr<std::string> CreateDatabase(const std::string& dsn, const std::string& name);

// The path of the program that serves `dsn`, which runs on this machine.
absl::StatusOr<std::string> ServerProgram(const std::string& dsn);

// Writes a checkpoint, so that each measurement begins with the same.
absl::Status Checkpoint(const std::string& dsn);

// What the tables of a purchase take on the disk: those of ledger and accrual, with their indexes.
absl::StatusOr<int64_t> PostingBytes(const std::string& dsn);

// Records of the journal.
absl::StatusOr<int64_t> CountRecords(const std::string& dsn);

// How long a purchase's parts are on average, so that others can write as much.
struct PurchaseShape {
  int64_t purchases = 0;
  int content_bytes = 0;
  int response_bytes = 0;
  int frontier_bytes = 0;
};
absl::StatusOr<PurchaseShape> ReadPurchaseShape(const std::string& dsn);

}  // namespace guilder::cli::bench
