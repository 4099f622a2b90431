// What PostgreSQL could do at best: the rows of three-line purchases, written by bare libpq.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "services/cli/bench/store/databases.h"

namespace guilder::cli::bench {

// Writes what lanes write for a purchase into tables of the same shape, in a database of its own:
// journal, entry, two claims, lot, account, and the sums of partners and books. Each batch is one
// prepared statement that is a transaction. Nothing is read, locked beforehand or decided, and
// nobody is answered.
class RawSql {
 public:
  // Makes the database `bench_raw` beside that of `dsn`, with so many members and partners.
  static absl::StatusOr<std::unique_ptr<RawSql>> Prepare(const std::string& dsn, int members,
                                                         int partners, const PurchaseShape& shape);
  ~RawSql();

  // Purchases a second over so many connections, each with its share of the books.
  absl::StatusOr<double> Run(int connections, int batch_size, absl::Duration warm_up,
                             absl::Duration duration);

 private:
  class Lane;
  RawSql();

  std::string dsn_;
  int members_ = 0;
  int partners_ = 0;
  PurchaseShape shape_;
};

}  // namespace guilder::cli::bench
