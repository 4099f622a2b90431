// A bounded set of connections for many threads.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "libs/postgres/connection.h"

namespace guilder::postgres {

// Thread safe. Connections are opened when they are first needed, and replaced when they broke.
class Pool {
 public:
  // `size` connections at most. A caller waits `max_wait` at most for one of them.
  Pool(std::string dsn, int size, SessionSettings settings = {},
       std::chrono::milliseconds max_wait = std::chrono::milliseconds(2'000));
  // No call may be under way.
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // RunInTransaction on a connection of the pool. kQueueFull when none became free before
  // `deadline` or within the longest wait; kStoreUnavailable when a new one could not be opened.
  template <typename Body>
  std::invoke_result_t<Body&, Transaction&> Run(Body&& body,
                                                absl::Time deadline = absl::InfiniteFuture()) {
    return internal::RunAny<Body, Transaction&>(
        [&](absl::FunctionRef<absl::Status(Transaction&)> erased) {
          return RunErased(internal::Access::kReadWrite, deadline, erased);
        },
        body);
  }

  // The same in a read only transaction.
  template <typename Body>
  std::invoke_result_t<Body&, Transaction&> Read(Body&& body,
                                                 absl::Time deadline = absl::InfiniteFuture()) {
    return internal::RunAny<Body, Transaction&>(
        [&](absl::FunctionRef<absl::Status(Transaction&)> erased) {
          return RunErased(internal::Access::kReadOnly, deadline, erased);
        },
        body);
  }

  // postgres::ReadAlone on a connection of the pool.
  absl::StatusOr<Rows> ReadAlone(const Statement& statement, const Params& params,
                                 absl::Time deadline = absl::InfiniteFuture());

  int size() const;
  // Connections that are serving a call now.
  int in_use() const;

 private:
  absl::Status RunErased(internal::Access access, absl::Time deadline,
                         absl::FunctionRef<absl::Status(Transaction&)> body);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace guilder::postgres
