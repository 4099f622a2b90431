#include "services/member/store/cards.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/forwards.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

// A state of member.stock_cards.
constexpr int kBlockedStock = 2;

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

// Whether the member was erased. An erasure waits for this lock, and this for an erasure.
constexpr Statement kLockMember{"member.lock_for_card", R"sql(
  select sealed_key is null from member.members where book = $1 and account_id = $2 for share
)sql"};

// Whose card it is has to be read in a statement of its own, which sees what was committed while
// the lock was waited for.
constexpr Statement kLockStock{"member.lock_stock", R"sql(
  select state from member.stock_cards where card_number = $1 for no key update
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
  update member.stock_cards set state = 2 where card_number = $1 and state = 0 returning 1
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

void AddEvent(postgres::Transaction& transaction, CardNumber card, CardEvent event,
              const Doing& doing, const std::string& reason = "", CardNumber other = {}) {
  transaction.Execute(
      kAddEvent,
      Params().Int(card).Int(doing.at).Int(event).Text(doing.actor).Text(reason).Int(other));
}

// Whether the member was erased; nothing for an account that is no member's.
std::optional<bool> LockMember(postgres::Transaction& transaction, AccountId account) {
  const Rows rows =
      transaction.Execute(kLockMember, Params().Int(ledger::BookOf(account)).Int(account));
  return rows.empty() ? std::nullopt : std::optional(rows[0].Bool(0));
}

// The same of who goes on for the account, which then stands in it: so no card is left behind with
// an account that is merged meanwhile.
std::optional<bool> LockSurvivor(postgres::Transaction& transaction, AccountId& account) {
  while (true) {
    const std::optional<bool> erased = LockMember(transaction, account);
    const AccountId survivor = ledger::SurvivorOf(transaction, account);
    if (survivor == account) return erased;
    account = survivor;
  }
}

AccountId AccountOf(postgres::Transaction& transaction, CardNumber card) {
  const Rows rows = transaction.Execute(kFindAccount, Params().Int(card));
  return rows.empty() ? AccountId() : rows[0].Id<AccountId>(0);
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
  const std::optional<bool> erased = LockSurvivor(transaction, account);
  if (erased.value_or(true)) return Refuse(Reason::kMemberNotFound);
  const Rows stock = transaction.Execute(kLockStock, Params().Int(card));
  const AccountId other = AccountOf(transaction, card);
  if (stock.empty() && !other) return Refuse(Reason::kCardNotFound);
  if (!stock.empty() && stock[0].Int(0) == kBlockedStock) return Refuse(Reason::kCardBlocked);
  if (other == account) return absl::OkStatus();
  if (other) return Refuse(Reason::kAlreadyExists, "the card has another account");
  transaction.Execute(kShowStock, Params().Int(card));
  InsertCard(transaction, card, account, doing);
  AddEvent(transaction, card, CardEvent::kGiven, doing);
  return absl::OkStatus();
}

absl::StatusOr<CardRow> ReplaceCard(postgres::Transaction& transaction, CardNumber card,
                                    CardNumber replacement, const std::string& reason,
                                    const Doing& doing) {
  // Members are locked before their cards, as an erasure does.
  const AccountId account = AccountOf(transaction, card);
  if (!account) return Refuse(Reason::kCardNotFound);
  const std::optional<bool> erased = LockMember(transaction, account);
  const Rows locked = transaction.Execute(kLockCard, Params().Int(card));
  if (locked.empty() || locked[0].Id<AccountId>(0) != account) {
    return Refuse(Reason::kWrongState, "its account was merged meanwhile");
  }
  const Rows before = transaction.Execute(kReplacementOf, Params().Int(card));
  if (!before.empty()) {
    const auto other = before[0].Id<CardNumber>(0);
    if (before[0].Uuid(1) != doing.request) {
      return Refuse(Reason::kWrongState, "it was replaced before");
    }
    const bool same = !replacement || replacement == other;
    return same ? absl::StatusOr<CardRow>(CardRow{other, false}) : Refuse(Reason::kRequestIdReused);
  }
  if (erased.value_or(false)) return Refuse(Reason::kMemberErased);
  // Nobody can enrol with a card of no batch, so nobody would get to the points.
  if (!replacement && UnclaimedAccountOf(transaction, card)) {
    return Refuse(Reason::kWrongState,
                  "nobody has enrolled with it: it is replaced by a card of a batch");
  }
  CardNumber other = replacement;
  if (replacement) {
    const Rows stock = transaction.Execute(kLockStock, Params().Int(replacement));
    if (stock.empty()) return Refuse(Reason::kCardNotFound);
    if (stock[0].Int(0) == kBlockedStock) return Refuse(Reason::kCardBlocked);
    if (AccountOf(transaction, replacement)) {
      return Refuse(Reason::kAlreadyExists, "the card is somebody's");
    }
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
  Rows locked = transaction.Execute(kLockCard, Params().Int(card));
  bool waited = false;
  if (locked.empty()) {
    waited = !transaction.Execute(kBlockStock, Params().Int(card)).empty();
    // It may have been shown while that waited.
    if (!waited) locked = transaction.Execute(kLockCard, Params().Int(card));
  }
  if (!locked.empty()) {
    transaction.Execute(kStopCard, Params().Int(card).Text(reason));
    if (locked[0].Int(1) != 0) return CardRow{card, true};
  } else if (!waited) {
    const Rows stock = transaction.Execute(kLockStock, Params().Int(card));
    if (stock.empty() || stock[0].Int(0) != kBlockedStock) return std::nullopt;
    return CardRow{card, true};
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
