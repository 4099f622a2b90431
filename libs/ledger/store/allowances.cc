#include "libs/ledger/store/allowances.h"

#include "absl/strings/str_cat.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

// A row that has to be waited for is read as it is after the wait, so one statement can both lock
// and read it.
constexpr Statement kLockAllowances{"ledger.lock_allowances", R"sql(
  select a.limit_id, a.book, a.remaining
    from unnest($1::bigint[], $2::int[]) as w (limit_id, book)
    join ledger.allowances a on a.book = w.book and a.limit_id = w.limit_id
   order by a.limit_id, a.book
     for no key update of a
)sql"};

// One snapshot, so that what the allocator moves is in one place in it.
constexpr Statement kReadAllBooks{"ledger.read_allowances_of_all_books", R"sql(
  select b.book, coalesce(a.remaining, 0), l.pool
    from ledger.limits l
    join ledger.books b on b.programme_id = $2
    left join ledger.allowances a on a.book = b.book and a.limit_id = l.limit_id
   where l.limit_id = $1
)sql"};

constexpr Statement kWriteAllowances{"ledger.write_allowances", R"sql(
  update ledger.allowances a
     set remaining = a.remaining + w.change
    from unnest($1::bigint[], $2::int[], $3::bigint[]) as w (limit_id, book, change)
   where a.book = w.book and a.limit_id = w.limit_id
)sql"};

}  // namespace

AllowanceChanges ChangesOf(const std::vector<Entry>& entries, const Configuration& configuration) {
  AllowanceChanges changes;
  if (!configuration.has_limits()) return changes;
  for (const Entry& entry : entries) {
    const Points change = AllowanceChange(entry);
    if (change == Points(0)) continue;
    if (const LimitId limit = configuration.LimitOf(entry.contract)) changes[limit] += change;
  }
  return changes;
}

void Allowances::Load(postgres::Transaction& tx, const std::set<Key>& keys) {
  if (keys.empty()) return;
  for (const Key& key : keys) allowances_[key];
  const Rows rows = tx.Execute(kLockAllowances,
                               Params().IntArray(keys, &Key::first).IntArray(keys, &Key::second));
  for (const Row& row : rows) {
    allowances_[{row.Id<LimitId>(0), row.Id<BookId>(1)}].remaining = row.Id<Points>(2);
  }
}

absl::StatusOr<LimitId> Allowances::FindShort(BookId book, const AllowanceChanges& changes) const {
  for (const auto& [limit, change] : changes) {
    const auto found = allowances_.find({limit, book});
    if (found == allowances_.end()) {
      return absl::InternalError(absl::StrCat("a command changes limit ", limit.value(),
                                              ", which it did not say that it may"));
    }
    const auto& [remaining, changed] = found->second;
    if (remaining + changed + change < Points(0)) return limit;
  }
  return LimitId();
}

Points Allowances::Total(postgres::Transaction& tx, ProgrammeId programme, LimitId limit) {
  const auto [elsewhere, is_new] = elsewhere_.try_emplace(limit);
  if (is_new) {
    const Rows rows = tx.Execute(kReadAllBooks, Params().Int(limit).Int(programme));
    if (!rows.empty()) elsewhere->second = rows[0].Id<Points>(2);
    for (const Row& row : rows) {
      const bool ours = allowances_.contains({limit, row.Id<BookId>(0)});
      if (!ours) elsewhere->second += row.Id<Points>(1);
    }
  }
  Points total = elsewhere->second;
  for (const auto& [key, allowance] : allowances_) {
    if (key.first == limit) total += allowance.remaining + allowance.change;
  }
  return total;
}

void Allowances::Apply(BookId book, const AllowanceChanges& changes) {
  for (const auto& [limit, change] : changes) allowances_.at({limit, book}).change += change;
}

absl::Status Allowances::Write(postgres::Transaction& tx) const {
  std::map<Key, Points> changed;
  for (const auto& [key, allowance] : allowances_) {
    if (allowance.change != Points(0)) changed.emplace(key, allowance.change);
  }
  if (changed.empty()) return absl::OkStatus();
  using Change = decltype(changed)::value_type;
  const Rows rows = tx.Execute(
      kWriteAllowances, Params()
                            .IntArray(changed, [](const Change& c) { return c.first.first; })
                            .IntArray(changed, [](const Change& c) { return c.first.second; })
                            .IntArray(changed, &Change::second));
  if (rows.affected() == static_cast<int64_t>(changed.size())) return absl::OkStatus();
  return absl::InternalError("points were taken back of a limit that has no allowance in the book");
}

}  // namespace guilder::ledger
