#include "services/cli/bench/store/databases.h"

#include <filesystem>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"

namespace guilder::cli::bench {
namespace {

using postgres::Connection;
using postgres::Params;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kBackend{"bench.backend", "select pg_backend_pid()"};

constexpr Statement kPostingBytes{"bench.posting_bytes", R"sql(
  select sum(pg_total_relation_size(c.oid))::bigint
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('ledger', 'accrual') and c.relkind = 'r'
)sql"};

constexpr Statement kCountRecords{"bench.count_records",
                                  "select sum(last_number)::bigint from ledger.books"};

constexpr Statement kShape{"bench.purchase_shape", R"sql(
  select count(*), coalesce(avg(octet_length(content)), 0)::int,
         coalesce(avg(octet_length(response)), 0)::int,
         (select avg(octet_length(frontier))::int from ledger.books)
    from ledger.journal where kind = $1
)sql"};

}  // namespace

absl::StatusOr<std::string> CreateDatabase(const std::string& dsn, const std::string& name) {
  GUILDER_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dsn));
  GUILDER_RETURN_IF_ERROR(
      postgres::ExecuteAlone(connection, absl::StrCat("create database ", name)));
  // The last of several equal parameters wins.
  return absl::StrCat(dsn, " dbname='", name, "'");
}

absl::StatusOr<std::string> ServerProgram(const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dsn));
  return postgres::ReadInTransaction(
      connection, [](Transaction& tx) -> absl::StatusOr<std::string> {
        const int64_t pid = tx.Execute(kBackend)[0].Int(0);
        std::error_code error;
        const auto program =
            std::filesystem::read_symlink(absl::StrCat("/proc/", pid, "/exe"), error);
        if (!error) return program.string();
        return absl::FailedPreconditionError(
            absl::StrCat("cannot see PostgreSQL's program: ", error.message()));
      });
}

absl::Status Checkpoint(const std::string& dsn) {
  postgres::SessionSettings patient;
  patient.statement_timeout = std::chrono::minutes(5);
  GUILDER_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dsn, patient));
  return postgres::ExecuteAlone(connection, "checkpoint");
}

absl::StatusOr<int64_t> PostingBytes(const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dsn));
  return postgres::ReadInTransaction(connection, [](Transaction& tx) -> absl::StatusOr<int64_t> {
    return tx.Execute(kPostingBytes)[0].Int(0);
  });
}

absl::StatusOr<int64_t> CountRecords(const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dsn));
  return postgres::ReadInTransaction(connection, [](Transaction& tx) -> absl::StatusOr<int64_t> {
    return tx.Execute(kCountRecords)[0].Int(0);
  });
}

absl::StatusOr<PurchaseShape> ReadPurchaseShape(const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(Connection connection, Connection::Open(dsn));
  return postgres::ReadInTransaction(
      connection, [](Transaction& tx) -> absl::StatusOr<PurchaseShape> {
        const auto rows = tx.Execute(kShape, Params().Int(ledger::RecordKind::kPurchase));
        PurchaseShape shape;
        shape.purchases = rows[0].Int(0);
        shape.content_bytes = static_cast<int>(rows[0].Int(1));
        shape.response_bytes = static_cast<int>(rows[0].Int(2));
        shape.frontier_bytes = static_cast<int>(rows[0].Int(3));
        return shape;
      });
}

}  // namespace guilder::cli::bench
