// Connections and transactions.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/postgres/packed_rows.h"
#include "libs/postgres/params.h"
#include "libs/postgres/rows.h"
#include "libs/postgres/statement.h"
#include "libs/postgres/status.h"

namespace guilder::postgres {

// How a session behaves. A zero timeout means none. What the dsn itself says about keepalives,
// application_name and connect_timeout wins.
struct SessionSettings {
  std::string application_name = "guilder";
  std::chrono::milliseconds statement_timeout{10'000};
  std::chrono::milliseconds idle_in_transaction_timeout{2'000};
  std::chrono::milliseconds lock_timeout{0};
  std::chrono::seconds connect_timeout{5};
  // How long a peer that went silent is believed to be there; keepalives probe it meanwhile.
  std::chrono::milliseconds tcp_user_timeout{3'000};
  // More settings, as in {"plan_cache_mode", "force_custom_plan"}.
  std::map<std::string, std::string> parameters{};
};

// A statement and its parameters, to be run later. The statement is a constant.
struct Call {
  const Statement* statement;
  Params params;
};

// A transaction that RunInTransaction began. Lives as long as the body that was given it.
//
// A failing statement throws out of the body; RunInTransaction rolls back and makes it a status. So
// a body reads straight on, and catches nothing.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Runs one statement with as many parameters as it has places.
  Rows Execute(const Statement& statement, const Params& params = {});

  // Runs one whose answer nobody reads: before whatever else is executed, or, when the parameters
  // of all that still wait are text, in one round trip with the commit. So a transaction whose last
  // statements are run like this saves the waits for their answers.
  void ExecuteLater(const Statement& statement, Params params);

  // Runs a query whose only column is a composite value, `select row(a, b) from …`, and gives its
  // rows in binary form: a fifth of what Execute costs this process, for a round trip more. The
  // rows must fit the memory of both ends.
  PackedRows ExecutePacked(const Statement& statement, const Params& params = {});

  // Runs SQL without parameters, possibly many statements, which is not prepared: for migrations
  // and tests. It must not begin, commit or roll back.
  Rows Script(const std::string& sql);

 private:
  friend class TransactionRunner;
  struct Impl;  // A view of a Connection::Impl and of libpqxx's transaction.
  explicit Transaction(Impl& impl) : impl_(impl) {}
  void RunLater();
  Impl& impl_;
};

// One session. Not thread safe: one user at a time.
//
// A connection that broke heals itself: the next transaction opens a new session first. Nothing of
// a session but its settings and prepared statements survives that.
class Connection {
 public:
  // Connects at once. Fails with kStoreUnavailable when nothing answers, and with INTERNAL when the
  // server refuses the settings. `dsn` is a libpq connection string or a postgresql:// URI.
  static absl::StatusOr<Connection> Open(const std::string& dsn,
                                         const SessionSettings& settings = {});

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Whether the session was alive when it was last used.
  bool is_open() const;

 private:
  friend class Transaction;
  friend class TransactionRunner;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

namespace internal {

enum class Access { kReadWrite, kReadOnly };

using Body = absl::FunctionRef<absl::Status(Transaction&, const Rows& opened)>;

absl::Status Run(Connection& connection, Access access, const std::vector<Call>& opening,
                 Body body);

// Calls `run` with a body whose status is that of `body`, and gives what `body` gave.
template <typename Body, typename... Arguments>
std::invoke_result_t<Body&, Arguments...> RunAny(
    std::type_identity_t<
        absl::FunctionRef<absl::Status(absl::FunctionRef<absl::Status(Arguments...)>)>>
        run,
    Body& body) {
  using Result = std::invoke_result_t<Body&, Arguments...>;
  if constexpr (std::is_same_v<Result, absl::Status>) {
    return run(body);
  } else {
    std::optional<Result> result;
    const absl::Status status = run([&](Arguments... arguments) {
      result.emplace(body(arguments...));
      return result->status();
    });
    if (!status.ok()) return status;
    return *std::move(result);
  }
}

// Runs a body that does not care what opened its transaction.
template <typename Body>
std::invoke_result_t<Body&, Transaction&> RunPlain(Connection& connection, Access access,
                                                   Body& body) {
  return RunAny<Body, Transaction&>(
      [&](absl::FunctionRef<absl::Status(Transaction&)> erased) {
        return Run(connection, access, {},
                   [&](Transaction& transaction, const Rows&) { return erased(transaction); });
      },
      body);
}

}  // namespace internal

// Runs `body`, an absl::Status(Transaction&) or absl::StatusOr<T>(Transaction&), in one READ
// COMMITTED transaction: commits when it returns OK, otherwise rolls back and returns its status.
//
// If the session turns out to be dead before the body has begun, a new one is opened and it is
// begun again, once; so the body runs at most once. Failures of the database become:
//
// - kStoreUnavailable: the connection was lost (IsOutcomeUnknown when the commit was under way),
// the
//   server is shutting down or short of resources, a statement ran into its timeout; or another
//   transaction was in the way (IsRetryable). Details: `sqlstate`, `retryable`, `outcome_unknown`.
// - INTERNAL: anything else; SqlStateOf tells what. IsCausedByValues and IsUniqueViolation tell the
//   cases apart that a caller may expect.
template <typename Body>
std::invoke_result_t<Body&, Transaction&> RunInTransaction(Connection& connection, Body&& body) {
  return internal::RunPlain(connection, internal::Access::kReadWrite, body);
}

// The same in a read only transaction.
template <typename Body>
std::invoke_result_t<Body&, Transaction&> ReadInTransaction(Connection& connection, Body&& body) {
  return internal::RunPlain(connection, internal::Access::kReadOnly, body);
}

// RunInTransaction with statements that are known before it begins, and that travel with `begin` in
// one round trip. Each sees what was committed when it began itself. The body is given the answer
// of the last one: absl::StatusOr<T>(Transaction&, const Rows&).
template <typename Body>
std::invoke_result_t<Body&, Transaction&, const Rows&> RunInTransaction(
    Connection& connection, const std::vector<Call>& opening, Body&& body) {
  return internal::RunAny<Body, Transaction&, const Rows&>(
      [&](internal::Body erased) {
        return internal::Run(connection, internal::Access::kReadWrite, opening, erased);
      },
      body);
}

// Runs one statement that changes nothing, as a transaction of its own in one round trip. Errors as
// above.
absl::StatusOr<Rows> ReadAlone(Connection& connection, const Statement& statement,
                               const Params& params);

// Runs one statement outside of any transaction, as `create database` and `vacuum` must be.
absl::Status ExecuteAlone(Connection& connection, const std::string& sql);

}  // namespace guilder::postgres
