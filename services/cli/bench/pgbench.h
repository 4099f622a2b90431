// TPC-B, as PostgreSQL's own pgbench runs it: what the machine's disk and processor give today.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace guilder::cli::bench {

class Pgbench {
 public:
  // Makes the database `bench_tpcb` in the cluster of `dsn` and fills it. The pgbench is the one
  // beside the running server's program. Errors are sentences for the user.
  static absl::StatusOr<Pgbench> Prepare(const std::string& dsn, int scale);

  // Transactions a second with so many clients and prepared statements.
  absl::StatusOr<double> Run(int clients, int seconds) const;

 private:
  std::string program_;
  std::string dsn_;
};

}  // namespace guilder::cli::bench
