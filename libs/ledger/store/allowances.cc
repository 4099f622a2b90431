#include "libs/ledger/store/allowances.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/posting.h"

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
  select b.book, coalesce(a.remaining, 0), l.pool,
         exists (select from unnest($3::uuid[]) as w (claim_key)
                   join ledger.claims c on c.claim_key = w.claim_key)
    from ledger.limits l
    join ledger.books b on b.programme_id = $2
    left join ledger.allowances a on a.book = b.book and a.limit_id = l.limit_id
   where l.limit_id = $1
)sql"};

}  // namespace

AllowanceChanges ChangesOf(const std::vector<Entry>& entries, const Configuration& configuration) {
  AllowanceChanges changes;
  if (!configuration.has_limits()) return changes;
  for (const Entry& entry : entries) {
    const Points change = AllowanceChange(entry);
    if (change == Points(0)) continue;
    const PointLimit* const limit = configuration.LimitOf(entry.contract);
    if (limit == nullptr || limit->units == 0) continue;
    Points& sum = changes[limit->limit];
    // Both are below half of what fits.
    sum = InUnits(sum + InUnits(change, limit->units), 1);
  }
  return changes;
}

std::map<BookId, AllowanceChanges> ChangesOf(const Command& command,
                                             const std::vector<Posting>& postings,
                                             const Configuration& configuration) {
  std::map<BookId, AllowanceChanges> changes;
  for (const Posting& posting : postings) {
    AllowanceChanges& of_book = changes[BookOf(posting.account().id)];
    for (const auto& [limit, points] : ChangesOf(posting.entries(), configuration)) {
      of_book[limit] += points;
    }
  }
  for (const auto& [limit, points] : command.spends) changes[command.book][limit] -= points;
  return changes;
}

Points NeedOf(LimitId limit, const std::map<BookId, AllowanceChanges>& changes) {
  Points need;
  for (const auto& [book, of_book] : changes) {
    const auto change = of_book.find(limit);
    if (change != of_book.end()) need -= change->second;
  }
  return need;
}

std::set<LimitId> LimitsOf(const Command& command, const Configuration& configuration) {
  std::set<LimitId> limits;
  if (!configuration.has_limits()) return limits;
  if (command.issues == Issues::kPartnersPoints) limits = configuration.LimitsOf(command.partner);
  if (command.issues == Issues::kOperatorPartnersPoints && configuration.operator_partner()) {
    limits = configuration.LimitsOf(configuration.operator_partner()->id);
  }
  for (const PartnerId payer : command.payers) {
    const std::set<LimitId>& also = configuration.LimitsOf(payer);
    limits.insert(also.begin(), also.end());
  }
  return limits;
}

absl::Status Exhausted(LimitId limit, Points left) {
  if (KindOf(limit) == LimitKind::kCredit) {
    return Refuse(Reason::kExposureExceeded, {},
                  {{"remaining_micros", std::to_string(left.value())}});
  }
  return Refuse(Reason::kPointBlockExhausted, {},
                {{"remaining_points", std::to_string(left.value())}});
}

Allowances::Allowances(const std::set<Key>& locked) {
  for (const Key& key : locked) allowances_[key];
}

std::set<Allowances::Key> Allowances::KeysOf(const std::vector<Command*>& commands,
                                             const Configuration& configuration) {
  std::set<LimitId> limits;
  std::set<BookId> books;
  for (const Command* command : commands) {
    books.insert(command->book);
    for (const AccountId other : command->others) books.insert(BookOf(other));
    limits.merge(LimitsOf(*command, configuration));
  }
  std::set<Key> keys;
  for (const LimitId limit : limits) {
    for (const BookId book : books) keys.emplace(limit, book);
  }
  return keys;
}

postgres::Call Allowances::Lock(const std::set<Key>& keys) {
  return {&kLockAllowances, Params().IntArray(keys, &Key::first).IntArray(keys, &Key::second)};
}

void Allowances::Add(const Key& key, Points remaining) {
  Allowance& allowance = allowances_[key];
  allowance.remaining = remaining;
  allowance.found = true;
}

void Allowances::Load(postgres::Transaction& tx, std::set<Key> keys) {
  std::erase_if(keys, [this](const Key& key) { return allowances_.contains(key); });
  if (keys.empty()) return;
  for (const Key& key : keys) allowances_[key];
  const postgres::Call lock = Lock(keys);
  for (const Row& row : tx.Execute(*lock.statement, lock.params)) {
    Add({row.Id<LimitId>(0), row.Id<BookId>(1)}, row.Id<Points>(2));
  }
}

absl::StatusOr<LimitId> Allowances::FindShort(BookId book, const AllowanceChanges& changes) const {
  for (const auto& [limit, change] : changes) {
    const auto found = allowances_.find({limit, book});
    if (found == allowances_.end()) {
      return absl::InternalError(absl::StrCat("a command changes limit ", limit.value(),
                                              ", which it did not say that it may"));
    }
    const Allowance& allowance = found->second;
    if (allowance.remaining + allowance.change + change < Points(0)) return limit;
  }
  return LimitId();
}

Points Allowances::Total(postgres::Transaction& tx, ProgrammeId programme, LimitId limit,
                         ClaimsToFind& claims) {
  const auto [elsewhere, is_new] = elsewhere_.try_emplace(limit);
  if (is_new) {
    const Rows rows =
        tx.Execute(kReadAllBooks, Params().Int(limit).Int(programme).UuidArray(claims.keys));
    if (!rows.empty()) {
      elsewhere->second = rows[0].Id<Points>(2);
      claims.taken = rows[0].Bool(3);
    }
    for (const Row& row : rows) {
      // A row that was not there to be locked may have been made since.
      const auto ours = allowances_.find({limit, row.Id<BookId>(0)});
      const bool locked = ours != allowances_.end() && ours->second.found;
      if (!locked) elsewhere->second += row.Id<Points>(1);
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

absl::StatusOr<std::map<Allowances::Key, Points>> Allowances::Changes() const {
  std::map<Key, Points> changes;
  for (const auto& [key, allowance] : allowances_) {
    if (allowance.change == Points(0)) continue;
    if (!allowance.found) {
      return absl::InternalError(
          "points were taken back of a limit that has no allowance in the book");
    }
    changes.emplace(key, allowance.change);
  }
  return changes;
}

}  // namespace guilder::ledger
