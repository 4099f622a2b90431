#include "services/settlement/store/lots.h"

#include <algorithm>

#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using ledger::Bucket;
using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr int64_t kRecordsPerChunk = 20'000;

constexpr Statement kListBooks{"settlement.list_books", R"sql(
  select book from ledger.books order by book
)sql"};

constexpr Statement kEnsureProgress{"settlement.ensure_lot_progress", R"sql(
  insert into settlement.lot_progress (book) values ($1) on conflict (book) do nothing
)sql"};

constexpr Statement kLockProgress{"settlement.lock_lot_progress", R"sql(
  select last_number from settlement.lot_progress where book = $1 for no key update
)sql"};

// The first sealed window that has records after that number.
constexpr Statement kFindWindow{"settlement.find_window_of_lots", R"sql(
  select s.last_number, w.window_start_us, w.window_end_us
    from ledger.seals s
    join settlement.windows w on w.window_end_us = s.boundary_us
   where s.book = $1
     and s.last_number > $2
   order by s.boundary_us
   limit 1
)sql"};

// What was issued and redeemed by day, and where each day begins in the book: before lots are
// looked at, which may be of these days.
constexpr Statement kNoteDays{"settlement.note_days", R"sql(
  with midnights as materialized (
    select array_agg(start order by start) as starts
      from (select (extract(epoch from m at time zone g.time_zone) * 1000000)::bigint as start
              from ledger.books k
              join ledger.programmes g using (programme_id)
             cross join generate_series(
                     date_trunc('day', to_timestamp($4::bigint / 1000000) at time zone g.time_zone),
                     to_timestamp($5::bigint / 1000000) at time zone g.time_zone,
                     interval '1 day') as m
             where k.book = $1) d
  ), chunk as materialized (
    select e.number, e.points, e.debit_bucket, e.credit_bucket, e.contract_id,
           m.starts[width_bucket(e.posted_at_us, m.starts)] as day_us
      from ledger.entries e
     cross join midnights m
     where e.book = $1
       and e.number > $2
       and e.number <= $3
       and e.posted_at_us >= $4
       and e.posted_at_us < $5
  ), days as (
    insert into settlement.book_days (book, day_us, first_number)
    select $1, day_us, min(number) from chunk group by day_us
        on conflict (book, day_us) do nothing
  )
  insert into settlement.daily_points as p (book, window_start_us, currency, day_us, issued, redeemed)
  select $1, $4, c.currency, e.day_us,
         coalesce(sum(e.points) filter (where e.debit_bucket = $6::smallint), 0)::bigint,
         coalesce(sum(e.points) filter (where e.credit_bucket = $7::smallint), 0)::bigint
    from chunk e
    join partner.contracts c using (contract_id)
   where e.debit_bucket = $6
      or e.credit_bucket = $7
   group by c.currency, e.day_us
      on conflict (book, window_start_us, currency, day_us)
      do update set issued = p.issued + excluded.issued, redeemed = p.redeemed + excluded.redeemed
)sql"};

// What each entry means for the lots on its sides. Entries inside of a lot, such as an activation,
// mean nothing; points in transit are the other lot's from then on. A lot's id tells its record,
// and the seals tell in which window that is. Where points that had expired are taken back, the
// entry names the lot on a control account: the record has the account. Lots are looked up by their
// keys (`offset 0` keeps it so), because a join would read all lots of the book.
constexpr Statement kAttribute{"settlement.attribute_lots", R"sql(
  with boundaries as materialized (
    select array_agg(last_number + 1 order by boundary_us) as first_numbers,
           array_agg(boundary_us order by boundary_us) as starts,
           (select min(window_start_us) from settlement.windows) as first_start,
           (select g.time_zone
              from ledger.books k
              join ledger.programmes g using (programme_id)
             where k.book = $1) as time_zone
      from ledger.seals
     where book = $1
  ), days as materialized (
    select array_agg(first_number order by first_number) as first_numbers,
           array_agg(day_us order by first_number) as starts
      from settlement.book_days
     where book = $1
  ), chunk as materialized (
    select number, posted_at_us, debit_account, debit_lot, debit_bucket, credit_account, credit_lot,
           credit_bucket, points
      from ledger.entries
     where book = $1
       and number > $2
       and number <= $3
       and posted_at_us >= $4
       and posted_at_us < $5
  ), sides as (
    select credit_account as account_id, credit_lot as lot_id,
           case debit_bucket when $6::smallint then 1 when $7::smallint then 3
                             when $8::smallint then 4
                             when $11::smallint then 5
                else case credit_bucket when $10::smallint then 3 else 5 end end as move,
           case when debit_bucket in ($6, $11) or (debit_bucket >= $9::smallint and credit_bucket <> $10)
                then points else -points end as points
      from chunk
     where credit_bucket >= $9
       and credit_lot is not null
       and (debit_bucket < $9 or debit_account <> credit_account
            or debit_lot is distinct from credit_lot)
     union all
    select debit_account, debit_lot,
           case credit_bucket when $6 then 2 when $7 then 3 when $8 then 4 when $10 then 3 else 5 end,
           case when credit_bucket <> $11 and (credit_bucket < $9 or credit_bucket = $10) then points
                else -points end
      from chunk
     where debit_bucket >= $9
       and debit_lot is not null
       and (credit_bucket < $9 or debit_account <> credit_account
            or debit_lot is distinct from credit_lot)
     union all
    select j.account_id, e.debit_lot, m.move, m.sign * e.points
      from chunk e
      join ledger.journal j
        on j.book = $1 and j.number = e.number and j.posted_at_us = e.posted_at_us
     join (values (2, 1, $6), (4, -1, $6), (5, -1, $11), (4, -1, $11)) as m (move, sign, bucket)
        on m.bucket = e.credit_bucket
     where e.debit_bucket = $8
       and e.debit_lot is not null
  ), moves as (
    select l.contract_id, s.move, s.points,
           coalesce(b.starts[width_bucket(s.lot_id / 1024, b.first_numbers)], b.first_start)
             as issued_window_us,
           coalesce(d.starts[width_bucket(s.lot_id / 1024, d.first_numbers)], 0) as issued_day_us,
           case when l.expires_at_us >= 253402300800000000 then 0
                else to_char(to_timestamp(l.expires_at_us / 1000000) at time zone b.time_zone,
                             'YYYYMM')::int end as expiry_month
      from sides s
     cross join boundaries b
     cross join days d
     cross join lateral (select contract_id, expires_at_us
                           from ledger.lots
                          where book = $1
                            and account_id = s.account_id
                            and lot_id = s.lot_id
                         offset 0) as l
  )
  insert into settlement.lot_positions as p
         (book, window_start_us, contract_id, issued_window_us, expiry_month, move, points,
          issued_day_us)
  select $1, $4, contract_id, issued_window_us, expiry_month, move, sum(points)::bigint, issued_day_us
    from moves
   group by contract_id, issued_window_us, expiry_month, move, issued_day_us
  having sum(points) <> 0
      on conflict (book, window_start_us, contract_id, issued_window_us, expiry_month, move,
                   issued_day_us)
      do update set points = p.points + excluded.points
)sql"};

constexpr Statement kSetProgress{"settlement.set_lot_progress", R"sql(
  update settlement.lot_progress set last_number = $2 where book = $1
)sql"};

constexpr Statement kCountMissing{"settlement.count_missing_lots", R"sql(
  select count(*)
    from (select s.book, max(s.last_number) as last_number
            from ledger.seals s
           where s.boundary_us <= $1
           group by s.book) s
    left join settlement.lot_progress p using (book)
   where s.last_number > coalesce(p.last_number, 0)
)sql"};

constexpr Statement kRead{"settlement.read_lot_points", R"sql(
  select contract_id, issued_window_us, expiry_month, move,
         coalesce(sum(points) filter (where window_start_us < $1), 0)::bigint,
         coalesce(sum(points) filter (where window_start_us >= $1), 0)::bigint
    from settlement.lot_positions
   where window_start_us < $2
   group by contract_id, issued_window_us, expiry_month, move
   order by contract_id, issued_window_us, expiry_month, move
)sql"};

constexpr Statement kReadContracts{"settlement.read_contract_points", R"sql(
  select p.contract_id, 0, 0, p.move,
         coalesce(sum(p.points) filter (where p.window_start_us < $1), 0)::bigint,
         coalesce(sum(p.points) filter (where p.window_start_us >= $1), 0)::bigint
    from settlement.lot_positions p
    join partner.contracts c using (contract_id)
   where p.window_start_us < $2
     and c.currency = $3
   group by p.contract_id, p.move
   order by p.contract_id, p.move
)sql"};

constexpr Statement kReadIssueDays{"settlement.read_issue_days", R"sql(
  select contract_id, coalesce(nullif(issued_day_us, 0), issued_window_us),
         sum(case move when 1 then points when 5 then points else -points end)::bigint
    from settlement.lot_positions
   where window_start_us < $1
   group by 1, 2
  having sum(case move when 1 then points when 5 then points else -points end) > 0
   order by 1, 2
)sql"};

// Does the next chunk of a book. False when there is none.
bool AttributeChunk(Transaction& transaction, BookId book) {
  transaction.Execute(kEnsureProgress, Params().Int(book));
  const int64_t after = transaction.Execute(kLockProgress, Params().Int(book))[0].Int(0);
  const Rows window = transaction.Execute(kFindWindow, Params().Int(book).Int(after));
  if (window.empty()) return false;
  const int64_t until = std::min(window[0].Int(0), after + kRecordsPerChunk);
  transaction.Execute(kNoteDays, Params()
                                     .Int(book)
                                     .Int(after)
                                     .Int(until)
                                     .Int(window[0].Int(1))
                                     .Int(window[0].Int(2))
                                     .Int(Bucket::kIssued)
                                     .Int(Bucket::kRedeemed));
  transaction.Execute(kAttribute, Params()
                                      .Int(book)
                                      .Int(after)
                                      .Int(until)
                                      .Int(window[0].Int(1))
                                      .Int(window[0].Int(2))
                                      .Int(Bucket::kIssued)
                                      .Int(Bucket::kRedeemed)
                                      .Int(Bucket::kExpired)
                                      .Int(Bucket::kPending)
                                      .Int(Bucket::kDebt)
                                      .Int(Bucket::kInTransit));
  transaction.Execute(kSetProgress, Params().Int(book).Int(until));
  return true;
}

std::vector<LotPoints> PointsFromRows(const Rows& rows) {
  std::vector<LotPoints> points;
  for (const Row& row : rows) {
    points.push_back({row.Id<ContractId>(0), row.Id<Timestamp>(1), static_cast<int>(row.Int(2)),
                      row.Enum<LotMove>(3), row.Id<Points>(4), row.Id<Points>(5)});
  }
  return points;
}

}  // namespace

absl::Status AttributeLots(postgres::Pool& pool) {
  std::vector<BookId> books;
  GUILDER_RETURN_IF_ERROR(pool.Read([&](Transaction& transaction) {
    for (const Row& row : transaction.Execute(kListBooks)) books.push_back(row.Id<BookId>(0));
    return absl::OkStatus();
  }));
  for (const BookId book : books) {
    for (bool more = true; more;) {
      GUILDER_RETURN_IF_ERROR(pool.Run([&](Transaction& transaction) {
        more = AttributeChunk(transaction, book);
        return absl::OkStatus();
      }));
    }
  }
  return absl::OkStatus();
}

bool AreLotsAttributed(Transaction& transaction, Timestamp end) {
  return transaction.Execute(kCountMissing, Params().Int(end))[0].Int(0) == 0;
}

std::vector<LotPoints> ReadLotPoints(Transaction& transaction, Timestamp start, Timestamp end) {
  return PointsFromRows(transaction.Execute(kRead, Params().Int(start).Int(end)));
}

std::vector<OutstandingPoints> ReadOutstandingByDay(Transaction& transaction, Timestamp end) {
  std::vector<OutstandingPoints> outstanding;
  for (const Row& row : transaction.Execute(kReadIssueDays, Params().Int(end))) {
    outstanding.push_back({row.Id<ContractId>(0), row.Id<Timestamp>(1), row.Id<Points>(2)});
  }
  return outstanding;
}

std::vector<LotPoints> ReadContractPoints(Transaction& transaction, Timestamp start, Timestamp end,
                                          const std::string& currency) {
  return PointsFromRows(
      transaction.Execute(kReadContracts, Params().Int(start).Int(end).Text(currency)));
}

}  // namespace guilder::settlement
