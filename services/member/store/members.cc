#include "services/member/store/members.h"

#include <algorithm>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/forwards.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"
#include "services/member/domain/card_number.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kReadMember{"member.read", R"sql(
  select enrolled_at_us, sealed_key, sealed_profile, key_epoch
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

constexpr Statement kReadPeople{"member.read_people", R"sql(
  select person_number, sealed_profile
    from member.people
   where book = $1 and account_id = $2
   order by person_number
)sql"};

constexpr Statement kFindByPhone{"member.find_by_phone", R"sql(
  select account_id
    from (select account_id, enrolled_at_us as at_us from member.members
           where phone_index = any($1::bytea[])
          union all
          select account_id, added_at_us from member.people where phone_index = any($1::bytea[])) m
   order by at_us limit 1
)sql"};

constexpr Statement kFindByEmail{"member.find_by_email", R"sql(
  select account_id
    from (select account_id, enrolled_at_us as at_us from member.members
           where email_index = any($1::bytea[])
          union all
          select account_id, added_at_us from member.people where email_index = any($1::bytea[])) m
   order by at_us limit 1
)sql"};

// What is read of the accounts `f` that were found for the places of `w`.
#define GUILDER_SELECT_FOUND_                                                                   \
  "select w.place, f.account_id, f.blocked, m.enrolled_at_us, m.sealed_key, m.sealed_profile, " \
  "m.key_epoch, g.into_account "
#define GUILDER_JOIN_FOUND_                                                       \
  "left join lateral ("                                                           \
  "  select m.enrolled_at_us, m.sealed_key, m.sealed_profile, m.key_epoch"        \
  "    from member.members m"                                                     \
  "   where m.book = (f.account_id & 65535)::int and m.account_id = f.account_id" \
  "   limit 1) m on true "                                                        \
  "left join lateral ("                                                           \
  "  select g.into_account"                                                       \
  "    from ledger.forwards g"                                                    \
  "   where g.book = (f.account_id & 65535)::int and g.account_id = f.account_id" \
  "   limit 1) g on true"

// A statement for each kind of key, because one for all of them looks for each key in every way.
// `limit` keeps the planner from looking through a whole table for a few keys.
constexpr Statement kFindByCards{"member.find_by_cards", GUILDER_SELECT_FOUND_ R"sql(
    from unnest($1::bigint[], $2::bigint[]) as w (place, card_number)
    join lateral (
      select c.account_id, c.state <> 0 as blocked
        from member.cards c where c.card_number = w.card_number limit 1) f on true
)sql" GUILDER_JOIN_FOUND_};

// A row for each epoch in which the number may be indexed.
constexpr Statement kFindByPhones{"member.find_by_phones", GUILDER_SELECT_FOUND_ R"sql(
    from unnest($1::bigint[], $2::bytea[]) as w (place, phone_index)
    join lateral (
      (select p.account_id, false as blocked, p.enrolled_at_us as at_us
         from member.members p where p.phone_index = w.phone_index order by p.enrolled_at_us limit 1)
      union all
      (select p.account_id, false, p.added_at_us
         from member.people p where p.phone_index = w.phone_index order by p.added_at_us limit 1)
      order by at_us limit 1) f on true
)sql" GUILDER_JOIN_FOUND_};

constexpr Statement kFindByEmails{"member.find_by_emails", GUILDER_SELECT_FOUND_ R"sql(
    from unnest($1::bigint[], $2::bytea[]) as w (place, email_index)
    join lateral (
      (select p.account_id, false as blocked, p.enrolled_at_us as at_us
         from member.members p where p.email_index = w.email_index order by p.enrolled_at_us limit 1)
      union all
      (select p.account_id, false, p.added_at_us
         from member.people p where p.email_index = w.email_index order by p.added_at_us limit 1)
      order by at_us limit 1) f on true
)sql" GUILDER_JOIN_FOUND_};

#undef GUILDER_JOIN_FOUND_
#undef GUILDER_SELECT_FOUND_

constexpr Statement kWasServed{"member.was_served", R"sql(
  select exists (select 1 from ledger.journal
                  where book = $1 and account_id = $2 and partner_id = $3)
)sql"};

// Until the cards are there, nobody merges the account, which would leave them behind.
constexpr Statement kLockForCards{"member.lock_for_cards", R"sql(
  select 1 from member.members where book = $1 and account_id = $2 for share
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

// The columns sealed_key, sealed_profile, key_epoch, from `first` on.
std::optional<SealedProfile> SealedFromRow(const Row& row, int first) {
  if (row.IsNull(first) || row.IsNull(first + 1)) return std::nullopt;
  return SealedProfile{row.Bytes(first), row.Bytes(first + 1), row.Int(first + 2)};
}

// The account of the first row, or the one that goes on for it.
std::optional<AccountId> FirstAccount(postgres::Transaction& transaction,
                                      const postgres::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return ledger::SurvivorOf(transaction, rows[0].Id<AccountId>(0));
}

// The member who goes on for one who was merged.
absl::StatusOr<FoundMember> FollowMerge(postgres::Pool& pool, const FoundMember& merged) {
  return pool.Read([&](postgres::Transaction& transaction) -> absl::StatusOr<FoundMember> {
    const auto member = ReadMember(transaction, ledger::SurvivorOf(transaction, merged.account));
    if (!member) return Refuse(Reason::kMemberNotFound);
    return FoundMember{member->account, member->enrolled_at, member->sealed, merged.card_blocked};
  });
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
  member.sealed = SealedFromRow(row, 1);
  for (const Row card : transaction.Execute(kReadCards, key)) {
    member.cards.push_back({card.Id<CardNumber>(0), card.Bool(1)});
  }
  for (const Row person : transaction.Execute(kReadPeople, key)) {
    member.people.push_back({static_cast<int>(person.Int(0)), person.Bytes(1)});
  }
  return member;
}

std::optional<AccountId> FindByCard(postgres::Transaction& transaction, CardNumber card) {
  return FirstAccount(transaction, transaction.Execute(kFindByCard, Params().Int(card)));
}

std::optional<AccountId> FindByPhone(postgres::Transaction& transaction,
                                     const std::vector<Digest>& indexes) {
  return FirstAccount(transaction, transaction.Execute(kFindByPhone, Params().BytesArray(indexes)));
}

std::optional<AccountId> FindByEmail(postgres::Transaction& transaction,
                                     const std::vector<Digest>& indexes) {
  return FirstAccount(transaction, transaction.Execute(kFindByEmail, Params().BytesArray(indexes)));
}

absl::StatusOr<std::vector<absl::StatusOr<FoundMember>>> FindMembers(
    postgres::Pool& pool, const std::vector<MemberKeyAsked>& keys) {
  struct Indexed {
    size_t place;
    Digest index;
  };
  struct Carded {
    size_t place;
    CardNumber card;
  };
  std::vector<Carded> cards;
  std::vector<Indexed> phones;
  std::vector<Indexed> emails;
  std::vector<absl::StatusOr<FoundMember>> found;
  const absl::Status no_card = Refuse(Reason::kCardNotFound);
  const absl::Status nobody = Refuse(Reason::kMemberNotFound);
  for (size_t i = 0; i < keys.size(); ++i) {
    const MemberKeyAsked& key = keys[i];
    found.emplace_back(key.card ? no_card : nobody);
    if (key.card) cards.push_back({i, key.card});
    for (const Digest& index : key.phone_indexes) phones.push_back({i, index});
    for (const Digest& index : key.email_indexes) emails.push_back({i, index});
  }
  const auto add = [&](const Statement& statement, const Params& params) -> absl::Status {
    GUILDER_ASSIGN_OR_RETURN(const postgres::Rows rows, pool.ReadAlone(statement, params));
    for (const Row row : rows) {
      auto& member = found.at(static_cast<size_t>(row.Int(0)));
      // Nobody has enrolled with the card yet.
      if (row.IsNull(3)) {
        member = nobody;
        continue;
      }
      member = FoundMember{row.Id<AccountId>(1), row.Id<Timestamp>(3), SealedFromRow(row, 4),
                           row.Bool(2)};
      if (!row.IsNull(7)) member = FollowMerge(pool, *member);
    }
    return absl::OkStatus();
  };
  const auto of_indexes = [](const std::vector<Indexed>& indexes) {
    return Params().IntArray(indexes, &Indexed::place).BytesArray(indexes, &Indexed::index);
  };
  if (!cards.empty()) {
    GUILDER_RETURN_IF_ERROR(
        add(kFindByCards, Params().IntArray(cards, &Carded::place).IntArray(cards, &Carded::card)));
  }
  if (!phones.empty()) GUILDER_RETURN_IF_ERROR(add(kFindByPhones, of_indexes(phones)));
  if (!emails.empty()) GUILDER_RETURN_IF_ERROR(add(kFindByEmails, of_indexes(emails)));
  return found;
}

bool WasServedBy(postgres::Transaction& transaction, AccountId account, PartnerId partner) {
  return transaction
      .Execute(kWasServed, Params().Int(ledger::BookOf(account)).Int(account).Int(partner))[0]
      .Bool(0);
}

absl::StatusOr<std::vector<CardRow>> IssueCards(postgres::Transaction& transaction,
                                                AccountId account, int count, const Uuid& request,
                                                Timestamp now) {
  while (true) {
    const Params key = Params().Int(ledger::BookOf(account)).Int(account);
    if (transaction.Execute(kLockForCards, key).empty()) return Refuse(Reason::kMemberNotFound);
    // It may have been merged while that waited.
    const AccountId survivor = ledger::SurvivorOf(transaction, account);
    if (survivor == account) break;
    account = survivor;
  }
  const BookId book = ledger::BookOf(account);
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

}  // namespace guilder::member
