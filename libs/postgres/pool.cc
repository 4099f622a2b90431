#include "libs/postgres/pool.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/reason.h"

namespace guilder::postgres {

struct Pool::Impl {
  const std::string dsn;
  const int size;
  const SessionSettings settings;
  const absl::Duration max_wait;

  std::mutex mutex;
  // Signalled when one comes back.
  std::condition_variable has_room;
  // Guarded by the mutex.
  int in_use = 0;
  // Guarded by the mutex. The one used last is used next, so that a quiet pool keeps few sessions
  // warm.
  std::vector<Connection> idle;

  absl::StatusOr<Connection> Take(absl::Time deadline) {
    const absl::Time last = std::min(deadline, absl::Now() + max_wait);
    {
      std::unique_lock lock(mutex);
      if (!has_room.wait_until(lock, absl::ToChronoTime(last), [this] { return in_use < size; })) {
        return Refuse(Reason::kQueueFull,
                      absl::StrCat("none of ", size, " database connections became free"));
      }
      ++in_use;
      if (!idle.empty()) {
        Connection connection = std::move(idle.back());
        idle.pop_back();
        return connection;
      }
    }
    auto opened = Connection::Open(dsn, settings);
    if (!opened.ok()) Release();
    return opened;
  }

  void Release() {
    {
      const std::lock_guard lock(mutex);
      --in_use;
    }
    has_room.notify_one();
  }

  void GiveBack(Connection connection) {
    {
      const std::lock_guard lock(mutex);
      --in_use;
      if (connection.is_open()) idle.push_back(std::move(connection));
    }
    has_room.notify_one();
  }
};

Pool::Pool(std::string dsn, int size, SessionSettings settings, std::chrono::milliseconds max_wait)
    : impl_(new Impl{.dsn = std::move(dsn),
                     .size = size,
                     .settings = std::move(settings),
                     .max_wait = absl::FromChrono(max_wait),
                     .mutex = {},
                     .has_room = {},
                     .idle = {}}) {}

Pool::~Pool() = default;

int Pool::size() const {
  return impl_->size;
}

int Pool::in_use() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->in_use;
}

absl::Status Pool::RunErased(internal::Access access, absl::Time deadline,
                             absl::FunctionRef<absl::Status(Transaction&)> body) {
  auto connection = impl_->Take(deadline);
  if (!connection.ok()) return connection.status();
  absl::Status status =
      internal::Run(*connection, access, {},
                    [&](Transaction& transaction, const Rows&) { return body(transaction); });
  impl_->GiveBack(*std::move(connection));
  return status;
}

absl::StatusOr<Rows> Pool::ReadAlone(const Statement& statement, const Params& params,
                                     absl::Time deadline) {
  auto connection = impl_->Take(deadline);
  if (!connection.ok()) return connection.status();
  absl::StatusOr<Rows> rows = postgres::ReadAlone(*connection, statement, params);
  impl_->GiveBack(*std::move(connection));
  return rows;
}

}  // namespace guilder::postgres
