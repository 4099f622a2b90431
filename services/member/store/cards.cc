#include "services/member/store/cards.h"

#include <algorithm>
#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

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

constexpr Statement kReadCard{"member.read_card", R"sql(
  select coalesce(c.state, case s.state when 2 then 1 else 0 end) <> 0, c.account_id,
         coalesce(s.batch_id, 0), u.account_id is not null, u.claim_by_us, c.issued_at_us
    from (values ($1::bigint)) w (card_number)
    left join member.cards c on c.card_number = w.card_number
    left join member.stock_cards s on s.card_number = w.card_number
    left join member.unclaimed_accounts u on u.book = c.book and u.account_id = c.account_id
   where c.card_number is not null or s.card_number is not null
)sql"};

constexpr Statement kReadEvents{"member.read_card_events", R"sql(
  select at_us, event, actor, reason, coalesce(other_card, 0)
    from member.card_events where card_number = $1 order by number
)sql"};

constexpr Statement kAddEvent{"member.add_card_event", R"sql(
  insert into member.card_events (card_number, number, at_us, event, actor, reason, other_card)
  select $1, coalesce(max(number), 0) + 1, $2::bigint, $3::smallint, $4::text, $5::text,
         nullif($6::bigint, 0)
    from member.card_events where card_number = $1
)sql"};

constexpr Statement kLockMember{"member.lock_for_card", R"sql(
  select 1 from member.members where book = $1 and account_id = $2 and sealed_key is not null
     for key share
)sql"};

constexpr Statement kLockStock{"member.lock_stock", R"sql(
  select s.state, c.account_id
    from member.stock_cards s
    left join member.cards c on c.card_number = s.card_number
   where s.card_number = $1
     for no key update of s
)sql"};

constexpr Statement kFindAccount{"member.account_of_card", R"sql(
  select account_id from member.cards where card_number = $1
)sql"};

constexpr Statement kShowStock{"member.show_stock", R"sql(
  update member.stock_cards set state = 1 where card_number = $1
)sql"};

constexpr Statement kInsertCard{"member.insert_card", R"sql(
  insert into member.cards (card_number, book, account_id, state, issued_at_us, request_id)
  values ($1, $2, $3, 0, $4, $5)
)sql"};

constexpr Statement kLockCard{"member.lock_card", R"sql(
  select account_id, state from member.cards where card_number = $1 for no key update
)sql"};

constexpr Statement kStopCard{"member.stop_card", R"sql(
  update member.cards
     set state = greatest(state, 1),
         blocked_reason = case when state = 0 then $2 else blocked_reason end
   where card_number = $1
)sql"};

constexpr Statement kBlockStock{"member.block_stock", R"sql(
  update member.stock_cards set state = 2 where card_number = $1 and state <> 1 returning 1
)sql"};

constexpr Statement kReplacementOf{"member.replacement_of", R"sql(
  select e.other_card, c.request_id
    from member.card_events e
    join member.cards c on c.card_number = e.other_card
   where e.card_number = $1 and e.event = 5
)sql"};

constexpr Statement kDrawSerial{"member.draw_serial", "select nextval('member.card_serials')"};

constexpr Statement kLockHandedOut{"member.lock_handed_out", R"sql(
  select s.card_number, s.state
    from member.stock_cards s
   where s.card_number = any($1::bigint[])
   order by s.card_number
     for no key update of s
)sql"};

// In a statement of its own, which sees what was committed while the locks were waited for.
constexpr Statement kReadHandedOut{"member.read_handed_out", R"sql(
  select c.card_number, c.account_id, c.state <> 0, u.account_id is not null, u.claim_by_us
    from member.cards c
    left join member.unclaimed_accounts u on u.book = c.book and u.account_id = c.account_id
   where c.card_number = any($1::bigint[])
)sql"};

constexpr Statement kUnclaimedAccountOf{"member.unclaimed_account_of", R"sql(
  select u.account_id
    from member.cards c
    join member.unclaimed_accounts u on u.book = c.book and u.account_id = c.account_id
   where c.card_number = $1
)sql"};

constexpr Statement kClaim{"member.claim_account", R"sql(
  delete from member.unclaimed_accounts where book = $1 and account_id = $2
)sql"};

constexpr Statement kLockLapsed{"member.lock_lapsed", R"sql(
  select 1 from member.unclaimed_accounts
   where book = $1 and account_id = $2 and claim_by_us <= $3
     for update
)sql"};

constexpr Statement kReadLapsed{"member.read_lapsed", R"sql(
  select u.account_id
    from member.unclaimed_accounts u
    join ledger.accounts a on a.book = u.book and a.account_id = u.account_id
   where (u.book, u.account_id) > ($1, $2) and u.claim_by_us <= $3 and a.pending + a.available > 0
   order by u.book, u.account_id
   limit $4
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

void AddEvent(postgres::Transaction& transaction, CardNumber card, CardEvent event,
              const Doing& doing, const std::string& reason = "", CardNumber other = {}) {
  transaction.Execute(
      kAddEvent,
      Params().Int(card).Int(doing.at).Int(event).Text(doing.actor).Text(reason).Int(other));
}

void InsertCard(postgres::Transaction& transaction, CardNumber card, AccountId account,
                const Doing& doing) {
  transaction.Execute(kInsertCard, Params()
                                       .Int(card)
                                       .Int(ledger::BookOf(account))
                                       .Int(account)
                                       .Int(doing.at)
                                       .Uuid(doing.request));
}

}  // namespace

std::string_view CardEventName(CardEvent event) {
  switch (event) {
    case CardEvent::kIssued:
      return "ISSUED";
    case CardEvent::kActivated:
      return "ACTIVATED";
    case CardEvent::kEnrolled:
      return "ENROLLED";
    case CardEvent::kGiven:
      return "GIVEN";
    case CardEvent::kBlocked:
      return "BLOCKED";
    case CardEvent::kReplaced:
      return "REPLACED";
    case CardEvent::kReplaces:
      return "REPLACES";
  }
  return "UNKNOWN";
}

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

std::optional<CardFacts> ReadCard(postgres::Transaction& transaction, CardNumber card) {
  const Rows rows = transaction.Execute(kReadCard, Params().Int(card));
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  CardFacts facts;
  facts.card = {card, row.Bool(0)};
  facts.account = row.OptionalId<AccountId>(1).value_or(AccountId());
  facts.waiting = row.IsNull(1);
  facts.batch = static_cast<int>(row.Int(2));
  facts.unclaimed = row.Bool(3);
  facts.claim_by = row.OptionalId<Timestamp>(4);
  if (facts.batch == 0)
    facts.events.push_back({row.Id<Timestamp>(5), CardEvent::kIssued, "", "", {}});
  for (const Row event : transaction.Execute(kReadEvents, Params().Int(card))) {
    facts.events.push_back({event.Id<Timestamp>(0), event.Enum<CardEvent>(1),
                            std::string(event.Text(2)), std::string(event.Text(3)),
                            event.Id<CardNumber>(4)});
  }
  return facts;
}

absl::Status GiveCard(postgres::Transaction& transaction, CardNumber card, AccountId account,
                      const Doing& doing) {
  const Params member = Params().Int(ledger::BookOf(account)).Int(account);
  if (transaction.Execute(kLockMember, member).empty()) return Refuse(Reason::kMemberNotFound);
  const Rows stock = transaction.Execute(kLockStock, Params().Int(card));
  if (stock.empty()) {
    const Rows other = transaction.Execute(kFindAccount, Params().Int(card));
    if (other.empty()) return Refuse(Reason::kCardNotFound);
    if (other[0].Id<AccountId>(0) == account) return absl::OkStatus();
    return Refuse(Reason::kAlreadyExists, "the card is somebody's");
  }
  if (stock[0].Int(0) == 2) return Refuse(Reason::kCardBlocked);
  if (!stock[0].IsNull(1)) {
    if (stock[0].Id<AccountId>(1) == account) return absl::OkStatus();
    return Refuse(Reason::kAlreadyExists, "the card has an account of its own");
  }
  transaction.Execute(kShowStock, Params().Int(card));
  InsertCard(transaction, card, account, doing);
  AddEvent(transaction, card, CardEvent::kGiven, doing);
  return absl::OkStatus();
}

absl::StatusOr<CardRow> ReplaceCard(postgres::Transaction& transaction, CardNumber card,
                                    CardNumber replacement, const std::string& reason,
                                    const Doing& doing) {
  const Rows locked = transaction.Execute(kLockCard, Params().Int(card));
  if (locked.empty()) return Refuse(Reason::kCardNotFound);
  const auto account = locked[0].Id<AccountId>(0);
  const Rows before = transaction.Execute(kReplacementOf, Params().Int(card));
  if (!before.empty()) {
    const auto other = before[0].Id<CardNumber>(0);
    if (before[0].Uuid(1) != doing.request) {
      return Refuse(Reason::kWrongState, "it was replaced before");
    }
    const bool same = !replacement || replacement == other;
    return same ? absl::StatusOr<CardRow>(CardRow{other, false}) : Refuse(Reason::kRequestIdReused);
  }
  CardNumber other = replacement;
  if (replacement) {
    const Rows stock = transaction.Execute(kLockStock, Params().Int(replacement));
    if (stock.empty()) return Refuse(Reason::kCardNotFound);
    if (stock[0].Int(0) == 2) return Refuse(Reason::kCardBlocked);
    if (!stock[0].IsNull(1)) return Refuse(Reason::kAlreadyExists, "the card is somebody's");
    transaction.Execute(kShowStock, Params().Int(replacement));
  } else {
    other = MakeCardNumber(transaction.Execute(kDrawSerial)[0].Int(0));
  }
  InsertCard(transaction, other, account, doing);
  transaction.Execute(kStopCard, Params().Int(card).Text(reason));
  AddEvent(transaction, card, CardEvent::kReplaced, doing, reason, other);
  AddEvent(transaction, other, CardEvent::kReplaces, doing, "", card);
  return CardRow{other, false};
}

std::optional<CardRow> BlockCard(postgres::Transaction& transaction, CardNumber card,
                                 const std::string& reason, const Doing& doing) {
  const Rows locked = transaction.Execute(kLockCard, Params().Int(card));
  if (locked.empty()) {
    if (transaction.Execute(kBlockStock, Params().Int(card)).empty()) return std::nullopt;
  } else {
    transaction.Execute(kStopCard, Params().Int(card).Text(reason));
    if (locked[0].Int(1) != 0) return CardRow{card, true};
  }
  AddEvent(transaction, card, CardEvent::kBlocked, doing, reason);
  return CardRow{card, true};
}

std::map<CardNumber, HandedOutCard> LockHandedOut(postgres::Transaction& transaction,
                                                  const std::vector<CardNumber>& cards) {
  std::map<CardNumber, HandedOutCard> found;
  for (const Row row : transaction.Execute(kLockHandedOut, Params().IntArray(cards))) {
    HandedOutCard& card = found[row.Id<CardNumber>(0)];
    card.of_batch = true;
    card.blocked = row.Int(1) == 2;
  }
  for (const Row row : transaction.Execute(kReadHandedOut, Params().IntArray(cards))) {
    HandedOutCard& card = found[row.Id<CardNumber>(0)];
    card.account = row.Id<AccountId>(1);
    card.blocked = row.Bool(2);
    card.unclaimed = row.Bool(3);
    card.claim_by = row.OptionalId<Timestamp>(4);
  }
  return found;
}

AccountId UnclaimedAccountOf(postgres::Transaction& transaction, CardNumber card) {
  const Rows rows = transaction.Execute(kUnclaimedAccountOf, Params().Int(card));
  return rows.empty() ? AccountId() : rows[0].Id<AccountId>(0);
}

void ClaimCard(postgres::Transaction& transaction, CardNumber card, AccountId account,
               const Doing& doing) {
  transaction.Execute(kShowStock, Params().Int(card));
  transaction.Execute(kClaim, Params().Int(ledger::BookOf(account)).Int(account));
  AddEvent(transaction, card, CardEvent::kEnrolled, doing);
}

bool LockLapsed(postgres::Transaction& transaction, AccountId account, Timestamp now) {
  return !transaction
              .Execute(kLockLapsed, Params().Int(ledger::BookOf(account)).Int(account).Int(now))
              .empty();
}

std::vector<AccountId> ReadLapsed(postgres::Transaction& transaction, AccountId after,
                                  Timestamp now, int limit) {
  const int64_t book = after ? ledger::BookOf(after).value() : -1;
  std::vector<AccountId> accounts;
  for (const Row row :
       transaction.Execute(kReadLapsed, Params().Int(book).Int(after).Int(now).Int(limit))) {
    accounts.push_back(row.Id<AccountId>(0));
  }
  return accounts;
}

}  // namespace guilder::member
