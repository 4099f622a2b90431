#include "libs/ledger/store/allocator.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "libs/ledger/store/limits.h"
#include "libs/postgres/status.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

// In the order in which lanes lock them.
constexpr Statement kLockAllowances{"ledger.lock_allowances_of_limit", R"sql(
  select a.book, a.remaining
    from ledger.allowances a
   where a.limit_id = $1
     and a.book = any(array(select b.book from ledger.books b where b.programme_id = $2))
   order by a.book
     for no key update
)sql"};

constexpr Statement kWrite{"ledger.divide_limit", R"sql(
  with pool as (
    update ledger.limits set pool = 0 where limit_id = $1 and pool > 0
  )
  update ledger.allowances a
     set remaining = w.remaining
    from unnest($2::int[], $3::bigint[]) as w (book, remaining)
   where a.book = w.book and a.limit_id = $1 and a.remaining <> w.remaining
)sql"};

// How often a division is run again because of another transaction.
constexpr int kMaxRuns = 5;

postgres::SessionSettings AllocatorSession() {
  postgres::SessionSettings settings;
  settings.application_name = "guilder allocator";
  settings.statement_timeout = std::chrono::milliseconds(2'000);
  settings.idle_in_transaction_timeout = std::chrono::milliseconds(2'000);
  settings.parameters = {{"enable_hashjoin", "off"},
                         {"enable_mergejoin", "off"},
                         {"enable_seqscan", "off"},
                         {"jit", "off"}};
  return settings;
}

// Whether something is left of a limit that would help a book which lacks it.
bool Helps(Points total, const std::map<BookId, Points>& remaining,
           const std::vector<AllowanceNeed>& needs) {
  for (const AllowanceNeed& need : needs) {
    const auto found = remaining.find(need.book);
    const bool has = found != remaining.end() && found->second >= need.points;
    if (!has && need.points <= total) return true;
  }
  return false;
}

absl::Status DivideLimit(Transaction& tx, ProgrammeId programme, LimitId limit,
                         const std::vector<AllowanceNeed>& needs,
                         const std::vector<AllowanceNeed>& earlier) {
  // Allocators of several processes take turns by limit.
  const std::optional<Points> pool = LockPool(tx, limit);
  if (!pool) return absl::OkStatus();  // nothing was ever granted
  Points total = *pool;
  // Books may have been added since the last time.
  AddAllowances(tx, programme, limit);
  const Params of_limit = Params().Int(limit).Int(programme);
  std::vector<BookId> books;
  std::map<BookId, Points> remaining;
  for (const Row& row : tx.Execute(kLockAllowances, of_limit)) {
    books.push_back(row.Id<BookId>(0));
    remaining[books.back()] = row.Id<Points>(1);
    total += row.Id<Points>(1);
  }
  if (!Helps(total, remaining, needs)) return absl::OkStatus();
  // A command over two books asks for one of them at a time: what the first one got stays with it.
  std::vector<AllowanceNeed> all = needs;
  for (const AllowanceNeed& before : earlier) {
    const bool again = std::any_of(needs.begin(), needs.end(), [&](const AllowanceNeed& need) {
      return need.book == before.book;
    });
    if (!again) all.push_back(before);
  }
  const std::map<BookId, Points> divided = DivideAllowance(total, books, all);
  using Share = decltype(divided)::value_type;
  tx.Execute(
      kWrite,
      Params().Int(limit).IntArray(divided, &Share::first).IntArray(divided, &Share::second));
  return absl::OkStatus();
}

}  // namespace

Allocator::Allocator(std::string dsn, ProgrammeId programme)
    : dsn_(std::move(dsn)), programme_(programme) {
  thread_ = std::thread([this] { Work(); });
}

Allocator::~Allocator() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  asked_something_.notify_one();
  thread_.join();
}

void Allocator::Ask(LimitId limit, AllowanceNeed need, Done done) {
  {
    const std::lock_guard lock(mutex_);
    Asked& asked = asked_[limit];
    asked.needs.push_back(need);
    asked.done.push_back(std::move(done));
  }
  asked_something_.notify_one();
}

void Allocator::Work() {
  while (true) {
    std::map<LimitId, Asked> round;
    {
      std::unique_lock lock(mutex_);
      asked_something_.wait(lock, [&] { return closed_ || !asked_.empty(); });
      if (asked_.empty()) return;
      round.swap(asked_);
    }
    for (auto& [limit, asked] : round) {
      const absl::Status status = Divide(limit, asked.needs);
      last_needs_[limit] = std::move(asked.needs);
      for (const Done& done : asked.done) done(status);
    }
  }
}

absl::Status Allocator::Divide(LimitId limit, const std::vector<AllowanceNeed>& needs) {
  if (!connection_) {
    absl::StatusOr<postgres::Connection> opened =
        postgres::Connection::Open(dsn_, AllocatorSession());
    if (!opened.ok()) return opened.status();
    connection_ = *std::move(opened);
  }
  for (int run = 1;; ++run) {
    const absl::Status status = postgres::RunInTransaction(*connection_, [&](Transaction& tx) {
      return DivideLimit(tx, programme_, limit, needs, last_needs_[limit]);
    });
    if (!postgres::IsRetryable(status) || run == kMaxRuns) return status;
  }
}

}  // namespace guilder::ledger
