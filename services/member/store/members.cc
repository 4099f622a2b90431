#include "services/member/store/members.h"

#include <algorithm>

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/forwards.h"
#include "libs/postgres/connection.h"
#include "services/member/domain/card_number.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kReadMember{"member.read", R"sql(
  select enrolled_at_us, sealed_key, sealed_profile
    from member.members
   where book = $1 and account_id = $2
)sql"};

constexpr Statement kReadCards{"member.read_cards", R"sql(
  select card_number, state <> 0
    from member.cards
   where book = $1 and account_id = $2
   order by issued_at_us, card_number
)sql"};

constexpr Statement kFindByCard{"member.find_by_card", R"sql(
  select account_id from member.cards where card_number = $1
)sql"};

constexpr Statement kFindByPhone{"member.find_by_phone", R"sql(
  select account_id from member.members where phone_index = $1 order by enrolled_at_us limit 1
)sql"};

constexpr Statement kFindByEmail{"member.find_by_email", R"sql(
  select account_id from member.members where email_index = $1 order by enrolled_at_us limit 1
)sql"};

constexpr Statement kWasServed{"member.was_served", R"sql(
  select exists (select 1 from ledger.journal
                  where book = $1 and account_id = $2 and partner_id = $3)
)sql"};

// Two attempts at one request wait for each other; the second then finds the first one's cards.
constexpr Statement kLockRequest{"member.lock_request", R"sql(
  select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))
)sql"};

constexpr Statement kCardsOfRequest{"member.cards_of_request", R"sql(
  select card_number, state <> 0, account_id
    from member.cards
   where request_id = $1
   order by card_number
)sql"};

constexpr Statement kDrawCardSerials{"member.draw_card_serials", R"sql(
  select nextval('member.card_serials') from generate_series(1, $1)
)sql"};

constexpr Statement kInsertCards{"member.insert_cards", R"sql(
  insert into member.cards (card_number, book, account_id, state, issued_at_us, request_id)
  select card_number, $2, $3, 0, $4, $5 from unnest($1::bigint[]) as w (card_number)
)sql"};

constexpr Statement kBlockCard{"member.block_card", R"sql(
  update member.cards
     set state = 1, blocked_reason = case when state = 0 then $2 else blocked_reason end
   where card_number = $1
  returning card_number
)sql"};

// The account of the first row, or the one that goes on for it.
std::optional<AccountId> FirstAccount(postgres::Transaction& transaction,
                                      const postgres::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return ledger::SurvivorOf(transaction, rows[0].Id<AccountId>(0));
}

}  // namespace

std::optional<MemberRow> ReadMember(postgres::Transaction& transaction, AccountId account) {
  account = ledger::SurvivorOf(transaction, account);
  const Params key = Params().Int(ledger::BookOf(account)).Int(account);
  const postgres::Rows rows = transaction.Execute(kReadMember, key);
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  MemberRow member;
  member.account = account;
  member.enrolled_at = row.Id<Timestamp>(0);
  if (!row.IsNull(1) && !row.IsNull(2)) member.sealed = SealedProfile{row.Bytes(1), row.Bytes(2)};
  for (const Row card : transaction.Execute(kReadCards, key)) {
    member.cards.push_back({card.Id<CardNumber>(0), card.Bool(1)});
  }
  return member;
}

std::optional<AccountId> FindByCard(postgres::Transaction& transaction, CardNumber card) {
  return FirstAccount(transaction, transaction.Execute(kFindByCard, Params().Int(card)));
}

std::optional<AccountId> FindByPhone(postgres::Transaction& transaction, const Digest& index) {
  return FirstAccount(transaction, transaction.Execute(kFindByPhone, Params().Bytes(index)));
}

std::optional<AccountId> FindByEmail(postgres::Transaction& transaction, const Digest& index) {
  return FirstAccount(transaction, transaction.Execute(kFindByEmail, Params().Bytes(index)));
}

bool WasServedBy(postgres::Transaction& transaction, AccountId account, PartnerId partner) {
  return transaction
      .Execute(kWasServed, Params().Int(ledger::BookOf(account)).Int(account).Int(partner))[0]
      .Bool(0);
}

absl::StatusOr<std::vector<CardRow>> IssueCards(postgres::Transaction& transaction,
                                                AccountId account, int count, const Uuid& request,
                                                Timestamp now) {
  const BookId book = ledger::BookOf(account);
  if (transaction.Execute(kReadMember, Params().Int(book).Int(account)).empty()) {
    return Refuse(Reason::kMemberNotFound);
  }
  transaction.Execute(kLockRequest, Params().Uuid(request));
  std::vector<CardRow> cards;
  for (const Row row : transaction.Execute(kCardsOfRequest, Params().Uuid(request))) {
    if (row.Id<AccountId>(2) != account) return Refuse(Reason::kRequestIdReused);
    cards.push_back({row.Id<CardNumber>(0), row.Bool(1)});
  }
  if (cards.size() == static_cast<size_t>(count)) return cards;
  if (!cards.empty()) return Refuse(Reason::kRequestIdReused);
  for (const Row row : transaction.Execute(kDrawCardSerials, Params().Int(count))) {
    cards.push_back({MakeCardNumber(row.Int(0)), false});
  }
  std::sort(cards.begin(), cards.end(),
            [](const CardRow& a, const CardRow& b) { return a.number < b.number; });
  transaction.Execute(
      kInsertCards,
      Params().IntArray(cards, &CardRow::number).Int(book).Int(account).Int(now).Uuid(request));
  return cards;
}

std::optional<CardRow> BlockCard(postgres::Transaction& transaction, CardNumber card,
                                 const std::string& reason) {
  if (transaction.Execute(kBlockCard, Params().Int(card).Text(reason)).empty()) return std::nullopt;
  return CardRow{card, true};
}

}  // namespace guilder::member
