#include "services/accrual/store/earning_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"

namespace guilder::accrual {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kReadCounters{"accrual.read_counters", R"sql(
  select c.book, c.account_id, c.counter_id, c.points
    from unnest($1::int[], $2::bigint[], $3::bigint[]) as w (book, account_id, counter_id)
    join accrual.counters c
      on c.book = w.book and c.account_id = w.account_id and c.counter_id = w.counter_id
)sql"};

constexpr Statement kAddToCounters{"accrual.add_to_counters", R"sql(
  insert into accrual.counters as c (book, account_id, counter_id, points)
  select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[])
      on conflict (book, account_id, counter_id) do update set points = c.points + excluded.points
)sql"};

// What is given back was counted before, so the rows are there.
constexpr Statement kGiveBackToCounters{"accrual.give_back_to_counters", R"sql(
  update accrual.counters c
     set points = c.points - w.points
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[])
           as w (book, account_id, counter_id, points)
   where c.book = w.book and c.account_id = w.account_id and c.counter_id = w.counter_id
)sql"};

// In the order of ids, so that two lanes which meet the same new limits wait in one direction.
constexpr Statement kEnsureLimits{"accrual.ensure_limits", R"sql(
  insert into ledger.limits (limit_id, granted, pool)
  select limit_id, points, points
    from unnest($1::bigint[], $2::bigint[]) as w (limit_id, points)
   order by limit_id
      on conflict (limit_id) do nothing
)sql"};

constexpr Statement kRaiseLimits{"accrual.raise_limits", R"sql(
  update ledger.limits
     set granted = $3::bigint, pool = pool + $3::bigint - granted
   where limit_id between $1::bigint and $2::bigint and granted < $3::bigint
)sql"};

constexpr Statement kReadLeft{"accrual.read_left", R"sql(
  select w.place, l.pool + (select coalesce(sum(a.remaining), 0)::bigint
                              from ledger.books b
                              join ledger.allowances a on a.book = b.book
                             where a.limit_id = l.limit_id)
    from unnest($1::int[], $2::bigint[]) as w (place, limit_id)
    join ledger.limits l on l.limit_id = w.limit_id
)sql"};

constexpr Statement kReadPurchasers{"accrual.read_purchasers", R"sql(
  select w.place,
         exists (select from ledger.journal j
                  where j.book = w.book and j.account_id = w.account_id and j.kind = $5::smallint
                    and j.partner_id = w.partner_id),
         exists (select from ledger.journal j
                  where j.book = w.book and j.account_id = w.account_id and j.kind = $5::smallint)
    from unnest($1::int[], $2::int[], $3::bigint[], $4::int[])
           as w (place, book, account_id, partner_id)
)sql"};

// Names of segments have no commas.
constexpr Statement kReadStandings{"accrual.read_standings", R"sql(
  select w.place,
         coalesce((select t.tier from member.tiers t
                    where t.book = w.book and t.account_id = w.account_id and t.from_us <= w.at_us
                    order by t.from_us desc, t.number desc
                    limit 1), ''),
         coalesce((select string_agg(distinct s.segment, ',') from member.segments s
                    where s.book = w.book and s.account_id = w.account_id
                      and s.from_us <= w.at_us and w.at_us < s.until_us), ''),
         m.key_epoch, m.sealed_key, m.sealed_birthday
    from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[])
           as w (place, book, account_id, at_us)
    left join member.members m
      on m.book = w.book and m.account_id = w.account_id and m.sealed_birthday is not null
)sql"};

constexpr Statement kReadUsedQuotes{"accrual.read_used_quotes", R"sql(
  select quote_id from accrual.used_quotes where quote_id = any($1::uuid[])
)sql"};

constexpr Statement kUseQuotes{"accrual.use_quotes", R"sql(
  insert into accrual.used_quotes (quote_id, book, number)
  select * from unnest($1::uuid[], $2::int[], $3::bigint[])
      on conflict (quote_id) do nothing
)sql"};

template <typename Value>
std::vector<int64_t> Places(const std::vector<Value>& values) {
  std::vector<int64_t> places(values.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int64_t>(i);
  return places;
}

int64_t LimitValue(const CapLimit& limit) {
  return LimitOf(limit.counter).value();
}

}  // namespace

Counts ReadCounters(postgres::Transaction& tx, const std::vector<CounterKey>& keys) {
  Counts counts;
  if (keys.empty()) return counts;
  const auto rows = tx.Execute(kReadCounters, Params()
                                                  .IntArray(keys, &CounterKey::book)
                                                  .IntArray(keys, &CounterKey::account)
                                                  .IntArray(keys, &CounterKey::counter));
  for (const Row& row : rows) {
    counts[{row.Id<BookId>(0), row.Id<AccountId>(1), row.Id<CounterId>(2)}] = row.Id<Points>(3);
  }
  return counts;
}

namespace {

Params ParamsOf(const Counts& counts) {
  using Count = Counts::value_type;
  return std::move(Params()
                       .IntArray(counts, [](const Count& c) { return c.first.book; })
                       .IntArray(counts, [](const Count& c) { return c.first.account; })
                       .IntArray(counts, [](const Count& c) { return c.first.counter; })
                       .IntArray(counts, [](const Count& c) { return c.second; }));
}

}  // namespace

void AddToCounters(postgres::Transaction& tx, const Counts& counts) {
  if (!counts.empty()) tx.Execute(kAddToCounters, ParamsOf(counts));
}

void GiveBackToCounters(postgres::Transaction& tx, const Counts& counts) {
  if (!counts.empty()) tx.Execute(kGiveBackToCounters, ParamsOf(counts));
}

bool EnsureLimits(postgres::Transaction& tx, std::vector<CapLimit> limits) {
  if (limits.empty()) return true;
  const auto rows = tx.Execute(
      kEnsureLimits, Params().IntArray(limits, LimitValue).IntArray(limits, &CapLimit::points));
  return rows.affected() == 0;
}

void RaiseLimits(postgres::Transaction& tx, int32_t cap_serial, Points points) {
  // All counters of a cap lie between that of its first and before that of the next one's.
  const CounterId first = MakeCounterId(cap_serial, PartnerId(), 0);
  const CounterId next = MakeCounterId(cap_serial + 1, PartnerId(), 0);
  tx.Execute(kRaiseLimits, Params().Int(LimitOf(first)).Int(LimitOf(next).value() - 1).Int(points));
}

std::vector<Points> ReadLeft(postgres::Transaction& tx, const std::vector<CapLimit>& limits) {
  std::vector<Points> left;
  for (const CapLimit& limit : limits) left.push_back(limit.points);
  if (limits.empty()) return left;
  const auto rows =
      tx.Execute(kReadLeft, Params().IntArray(Places(limits)).IntArray(limits, LimitValue));
  for (const Row& row : rows) left[static_cast<size_t>(row.Int(0))] = row.Id<Points>(1);
  return left;
}

std::vector<HasPurchased> ReadPurchasers(postgres::Transaction& tx,
                                         const std::vector<Purchaser>& purchasers) {
  std::vector<HasPurchased> out(purchasers.size());
  if (purchasers.empty()) return out;
  const auto rows = tx.Execute(
      kReadPurchasers,
      Params()
          .IntArray(Places(purchasers))
          .IntArray(purchasers, [](const Purchaser& p) { return ledger::BookOf(p.account); })
          .IntArray(purchasers, &Purchaser::account)
          .IntArray(purchasers, &Purchaser::partner)
          .Int(ledger::RecordKind::kPurchase));
  for (const Row& row : rows) out[static_cast<size_t>(row.Int(0))] = {row.Bool(1), row.Bool(2)};
  return out;
}

std::vector<Standing> ReadStandings(postgres::Transaction& tx,
                                    const std::vector<StandingAsked>& asked) {
  std::vector<Standing> out(asked.size());
  if (asked.empty()) return out;
  const auto rows = tx.Execute(
      kReadStandings,
      Params()
          .IntArray(Places(asked))
          .IntArray(asked, [](const StandingAsked& a) { return ledger::BookOf(a.account); })
          .IntArray(asked, &StandingAsked::account)
          .IntArray(asked, &StandingAsked::at));
  for (const Row& row : rows) {
    Standing& standing = out[static_cast<size_t>(row.Int(0))];
    standing.tier = row.Text(1);
    for (const absl::string_view segment :
         absl::StrSplit(ToAbsl(row.Text(2)), ',', absl::SkipEmpty())) {
      standing.segments.emplace_back(segment);
    }
    if (row.IsNull(4) || row.IsNull(5)) continue;
    standing.birthday = SealedBirthday{row.Int(3), row.Bytes(4), row.Bytes(5)};
  }
  return out;
}

QuoteIds ReadUsedQuotes(postgres::Transaction& tx, const std::vector<Uuid>& quotes) {
  QuoteIds used;
  if (quotes.empty()) return used;
  for (const Row& row : tx.Execute(kReadUsedQuotes, Params().UuidArray(quotes))) {
    used.insert(row.Uuid(0));
  }
  return used;
}

bool UseQuotes(postgres::Transaction& tx, std::vector<UsedQuote> quotes) {
  if (quotes.empty()) return true;
  // In the order of keys, so that two lanes which want the same ones cannot deadlock.
  std::sort(quotes.begin(), quotes.end(),
            [](const UsedQuote& a, const UsedQuote& b) { return a.id < b.id; });
  const auto rows = tx.Execute(kUseQuotes, Params()
                                               .UuidArray(quotes, &UsedQuote::id)
                                               .IntArray(quotes, &UsedQuote::book)
                                               .IntArray(quotes, &UsedQuote::number));
  return rows.affected() == static_cast<int64_t>(quotes.size());
}

}  // namespace guilder::accrual
