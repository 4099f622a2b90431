#include "libs/ledger/store/limits.h"

#include <algorithm>

#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Statement;

// Into the pool, so that no book is waited for: the first one that lacks an allowance has it
// divided.
constexpr Statement kGrant{"ledger.grant_limit", R"sql(
  insert into ledger.limits as l (limit_id, granted, pool)
  values ($1, $2, $2)
      on conflict (limit_id) do update
     set granted = l.granted + excluded.granted, pool = l.pool + excluded.pool
)sql"};

constexpr Statement kLock{"ledger.lock_limit", R"sql(
  select pool, granted from ledger.limits where limit_id = $1 for no key update
)sql"};

constexpr Statement kLockAllowances{"ledger.lock_limits_allowances", R"sql(
  select book, remaining from ledger.allowances where limit_id = $1 order by book for no key update
)sql"};

constexpr Statement kWithdraw{"ledger.withdraw_limit", R"sql(
  update ledger.limits set granted = granted - $2, pool = pool - $3 where limit_id = $1
)sql"};

constexpr Statement kWithdrawAllowance{"ledger.withdraw_allowance", R"sql(
  update ledger.allowances set remaining = remaining - $3 where book = $1 and limit_id = $2
)sql"};

constexpr Statement kRead{"ledger.read_limit", R"sql(
  select l.granted, l.pool + (select coalesce(sum(a.remaining), 0)::bigint
                                from ledger.books b
                                join ledger.allowances a on a.book = b.book
                               where a.limit_id = l.limit_id)
    from ledger.limits l
   where l.limit_id = $1
)sql"};

// In the order in which lanes lock them.
constexpr Statement kLockBooks{"ledger.lock_books_for_limit", R"sql(
  select 1 from ledger.books where programme_id = $1 order by book for no key update
)sql"};

constexpr Statement kOpen{"ledger.open_limit", R"sql(
  insert into ledger.limits (limit_id, granted, pool) values ($1, $2, 0)
)sql"};

constexpr Statement kAddAllowances{"ledger.add_limits_allowances", R"sql(
  insert into ledger.allowances (book, limit_id, remaining)
  select b.book, $1, 0
    from ledger.books b
   where b.programme_id = $2
     and not exists (select from ledger.allowances a where a.book = b.book and a.limit_id = $1)
   order by b.book
      on conflict (book, limit_id) do nothing
)sql"};

constexpr Statement kInAllBooks{"ledger.is_limit_in_all_books", R"sql(
  select not exists (select from ledger.books b
                      where b.programme_id = $2
                        and not exists (select from ledger.allowances a
                                         where a.book = b.book and a.limit_id = $1))
)sql"};

constexpr Statement kCloseAllowances{"ledger.close_limits_allowances", R"sql(
  delete from ledger.allowances where limit_id = $1
)sql"};

constexpr Statement kClose{"ledger.close_limit", R"sql(
  delete from ledger.limits where limit_id = $1
)sql"};

}  // namespace

void GrantLimit(postgres::Transaction& transaction, LimitId limit, Points points) {
  transaction.Execute(kGrant, Params().Int(limit).Int(points));
}

bool WithdrawLimit(postgres::Transaction& transaction, LimitId limit, Points points) {
  const std::optional<Points> locked = LockPool(transaction, limit);
  if (!locked) return false;
  const Points pool = *locked;
  const postgres::Rows allowances = transaction.Execute(kLockAllowances, Params().Int(limit));
  Points left = pool;
  for (const postgres::Row& row : allowances) left += row.Id<Points>(1);
  if (left < points) return false;
  const Points from_pool = std::min(pool, points);
  Points missing = points - from_pool;
  for (const postgres::Row& row : allowances) {
    const Points taken = std::min(missing, row.Id<Points>(1));
    if (taken <= Points(0)) continue;
    transaction.Execute(kWithdrawAllowance, Params().Int(row.Int(0)).Int(limit).Int(taken));
    missing -= taken;
  }
  transaction.Execute(kWithdraw, Params().Int(limit).Int(points).Int(from_pool));
  return true;
}

std::optional<Points> LockPool(postgres::Transaction& transaction, LimitId limit) {
  const postgres::Rows limits = transaction.Execute(kLock, Params().Int(limit));
  if (limits.empty()) return std::nullopt;
  return limits[0].Id<Points>(0);
}

void AddAllowances(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit) {
  transaction.Execute(kAddAllowances, Params().Int(limit).Int(programme));
}

LimitState LockLimit(postgres::Transaction& transaction, LimitId limit) {
  const postgres::Rows limits = transaction.Execute(kLock, Params().Int(limit));
  if (limits.empty()) return {};
  LimitState state{limits[0].Id<Points>(1), limits[0].Id<Points>(0)};
  for (const postgres::Row& row : transaction.Execute(kLockAllowances, Params().Int(limit))) {
    state.remaining += row.Id<Points>(1);
  }
  return state;
}

void LockBooks(postgres::Transaction& transaction, ProgrammeId programme) {
  transaction.Execute(kLockBooks, Params().Int(programme));
}

void OpenLimit(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit,
               Points spent) {
  transaction.Execute(kOpen, Params().Int(limit).Int(spent));
  AddAllowances(transaction, programme, limit);
}

void CloseLimit(postgres::Transaction& transaction, LimitId limit) {
  // As others lock them: the limit first.
  LockPool(transaction, limit);
  transaction.Execute(kCloseAllowances, Params().Int(limit));
  transaction.Execute(kClose, Params().Int(limit));
}

bool HasLimit(postgres::Transaction& transaction, LimitId limit) {
  return !transaction.Execute(kRead, Params().Int(limit)).empty();
}

bool IsInAllBooks(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit) {
  return transaction.Execute(kInAllBooks, Params().Int(limit).Int(programme))[0].Bool(0);
}

void SetGranted(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit,
                Points wanted) {
  LockPool(transaction, limit);
  AddAllowances(transaction, programme, limit);
  const LimitState state = LockLimit(transaction, limit);
  const Points spent = state.granted - state.remaining;
  const Points granted = std::max(std::min(wanted, kMaxGranted), spent);
  if (granted > state.granted) GrantLimit(transaction, limit, granted - state.granted);
  if (granted < state.granted) WithdrawLimit(transaction, limit, state.granted - granted);
}

LimitState ReadLimit(postgres::Transaction& transaction, LimitId limit) {
  const postgres::Rows rows = transaction.Execute(kRead, Params().Int(limit));
  if (rows.empty()) return {};
  return {rows[0].Id<Points>(0), rows[0].Id<Points>(1)};
}

}  // namespace guilder::ledger
