#include <algorithm>
#include <utility>

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"
#include "services/member/store/cards.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr int kNumbersAtOnce = 10'000;

#define GUILDER_RANGE_COLUMNS_ "range_id, partner_id, prefix, digits, claim_days, next_serial"

// Two that are made at once must see each other.
constexpr Statement kLockRanges{"member.lock_ranges",
                                "lock table member.card_ranges in share row exclusive mode"};

constexpr Statement kReadRanges{"member.read_ranges", "select " GUILDER_RANGE_COLUMNS_ R"sql(
    from member.card_ranges where range_id > $1 order by range_id limit $2
)sql"};

constexpr Statement kRangeOfRequest{"member.range_of_request", "select " GUILDER_RANGE_COLUMNS_
                                                               R"sql(
    from member.card_ranges where request_id = $1
)sql"};

constexpr Statement kOverlaps{"member.range_overlaps", R"sql(
  select 1 from member.card_ranges
   where digits = $2 and (prefix like $1 || '%' or $1 like prefix || '%')
)sql"};

constexpr Statement kInsertRange{"member.insert_range", R"sql(
  insert into member.card_ranges (partner_id, prefix, digits, claim_days, request_id, created_by,
                                  created_at_us)
  values ($1, $2, $3, $4, $5, $6, $7)
  returning range_id
)sql"};

constexpr Statement kLockRange{"member.lock_range", "select " GUILDER_RANGE_COLUMNS_ R"sql(
    from member.card_ranges where range_id = $1 for update
)sql"};

constexpr Statement kAdvanceRange{"member.advance_range", R"sql(
  update member.card_ranges set next_serial = $2 where range_id = $1
)sql"};

#undef GUILDER_RANGE_COLUMNS_

constexpr Statement kBatchOfRequest{"member.batch_of_request", R"sql(
  select batch_id, range_id, store_id, card_count, created_at_us
    from member.card_batches where request_id = $1
)sql"};

constexpr Statement kInsertBatch{"member.insert_batch", R"sql(
  insert into member.card_batches (range_id, store_id, card_count, request_id, created_by, created_at_us)
  values ($1, $2, $3, $4, $5, $6)
  returning batch_id
)sql"};

// Numbers that members brought along from elsewhere are left out.
constexpr Statement kInsertStock{"member.insert_stock", R"sql(
  insert into member.stock_cards (card_number, batch_id)
  select n, $1 from unnest($2::bigint[]) as w (n)
   where not exists (select 1 from member.cards c where c.card_number = w.n)
  returning card_number
)sql"};

constexpr Statement kReadBatches{"member.read_batches", R"sql(
  select b.batch_id, b.range_id, b.store_id, b.card_count, b.created_at_us,
         (select count(*) from member.stock_cards s where s.batch_id = b.batch_id and s.state = 1)
    from member.card_batches b where b.batch_id > $1 order by b.batch_id limit $2
)sql"};

constexpr Statement kFindBatch{"member.find_batch", R"sql(
  select 1 from member.card_batches where batch_id = $1
)sql"};

constexpr Statement kReadStock{"member.read_stock", R"sql(
  select card_number, state = 1
    from member.stock_cards where batch_id = $1 and card_number > $2 order by card_number limit $3
)sql"};

CardRangeRow RangeFromRow(const Row& row) {
  CardRangeRow range;
  range.id = static_cast<int>(row.Int(0));
  if (!row.IsNull(1)) range.partner = row.Id<PartnerId>(1);
  range.form = {std::string(row.Text(2)), static_cast<int>(row.Int(3))};
  range.claim_days = static_cast<int>(row.Int(4));
  range.next_serial = row.Int(5);
  return range;
}

CardBatchRow BatchFromRow(const Row& row) {
  return {static_cast<int>(row.Int(0)), static_cast<int>(row.Int(1)), row.Id<StoreId>(2),
          static_cast<int>(row.Int(3)), row.Id<Timestamp>(4)};
}

}  // namespace

absl::StatusOr<CardRangeRow> CreateRange(postgres::Transaction& transaction,
                                         const CardRangeRow& range, const Doing& doing) {
  transaction.Execute(kLockRanges);
  const Rows before = transaction.Execute(kRangeOfRequest, Params().Uuid(doing.request));
  if (!before.empty()) {
    const CardRangeRow made = RangeFromRow(before[0]);
    const bool same = made.partner == range.partner && made.form == range.form &&
                      made.claim_days == range.claim_days;
    return same ? absl::StatusOr<CardRangeRow>(made) : Refuse(Reason::kRequestIdReused);
  }
  const bool taken =
      Overlap(OwnCardForm(), range.form) ||
      !transaction.Execute(kOverlaps, Params().Text(range.form.prefix).Int(range.form.digits))
           .empty();
  if (taken) return Refuse(Reason::kAlreadyExists, "its numbers overlap those of another range");
  CardRangeRow made = range;
  made.next_serial = 1;
  std::optional<int64_t> partner;
  if (range.partner) partner = range.partner->value();
  made.id = static_cast<int>(transaction
                                 .Execute(kInsertRange, Params()
                                                            .Int(partner)
                                                            .Text(range.form.prefix)
                                                            .Int(range.form.digits)
                                                            .Int(range.claim_days)
                                                            .Uuid(doing.request)
                                                            .Text(doing.actor)
                                                            .Int(doing.at))[0]
                                 .Int(0));
  return made;
}

std::vector<CardRangeRow> ReadRanges(postgres::Transaction& transaction, int after, int limit) {
  std::vector<CardRangeRow> ranges;
  for (const Row row : transaction.Execute(kReadRanges, Params().Int(after).Int(limit))) {
    ranges.push_back(RangeFromRow(row));
  }
  return ranges;
}

absl::StatusOr<CardBatchRow> CreateBatch(postgres::Transaction& transaction,
                                         const CardBatchRow& batch, PartnerId partner,
                                         const Doing& doing) {
  const Rows locked = transaction.Execute(kLockRange, Params().Int(batch.range));
  if (locked.empty()) return Refuse(Reason::kNameNotFound);
  const Rows before = transaction.Execute(kBatchOfRequest, Params().Uuid(doing.request));
  if (!before.empty()) {
    const CardBatchRow made = BatchFromRow(before[0]);
    const bool same =
        made.range == batch.range && made.store == batch.store && made.count == batch.count;
    return same ? absl::StatusOr<CardBatchRow>(made) : Refuse(Reason::kRequestIdReused);
  }
  const CardRangeRow range = RangeFromRow(locked[0]);
  if (range.partner && *range.partner != partner) {
    return Refuse(Reason::kWrongState, "the range is of another partner");
  }
  if (range.next_serial + batch.count > SerialsOf(range.form)) {
    return Refuse(Reason::kWrongState, "the range has fewer numbers left");
  }
  CardBatchRow made = batch;
  made.created_at = doing.at;
  made.id = static_cast<int>(transaction
                                 .Execute(kInsertBatch, Params()
                                                            .Int(batch.range)
                                                            .Int(batch.store)
                                                            .Int(batch.count)
                                                            .Uuid(doing.request)
                                                            .Text(doing.actor)
                                                            .Int(doing.at))[0]
                                 .Int(0));
  int64_t serial = range.next_serial;
  for (int left = batch.count; left > 0;) {
    std::vector<CardNumber> numbers;
    const int64_t end = std::min(serial + std::min(left, kNumbersAtOnce), SerialsOf(range.form));
    for (; serial < end; ++serial) numbers.push_back(MakeCardNumber(range.form, serial));
    if (numbers.empty()) return Refuse(Reason::kWrongState, "the range has fewer numbers left");
    left -= transaction.Execute(kInsertStock, Params().Int(made.id).IntArray(numbers)).size();
  }
  transaction.Execute(kAdvanceRange, Params().Int(batch.range).Int(serial));
  return made;
}

std::vector<CardBatchRow> ReadBatches(postgres::Transaction& transaction, int after, int limit) {
  std::vector<CardBatchRow> batches;
  for (const Row row : transaction.Execute(kReadBatches, Params().Int(after).Int(limit))) {
    batches.push_back(BatchFromRow(row));
    batches.back().activated = static_cast<int>(row.Int(5));
  }
  return batches;
}

absl::StatusOr<std::vector<StockCard>> ReadStock(postgres::Transaction& transaction, int batch,
                                                 CardNumber after, int limit) {
  if (transaction.Execute(kFindBatch, Params().Int(batch)).empty()) {
    return Refuse(Reason::kNameNotFound);
  }
  std::vector<StockCard> cards;
  for (const Row row : transaction.Execute(kReadStock, Params().Int(batch).Int(after).Int(limit))) {
    cards.push_back({row.Id<CardNumber>(0), row.Bool(1)});
  }
  return cards;
}

}  // namespace guilder::member
