#include "services/member/store/consents.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kLockMember{"member.lock_for_consent", R"sql(
  select sealed_key is null
    from member.members
   where book = $1 and account_id = $2
     for no key update
)sql"};

constexpr Statement kReadLast{"member.read_last_consent", R"sql(
  select partner_id, purpose, channel, granted, changed_at_us, changed_by, source, number
    from member.consents
   where book = $1 and account_id = $2 and partner_id = $3 and purpose = $4 and channel = $5
   order by number desc
   limit 1
)sql"};

constexpr Statement kInsert{"member.insert_consent", R"sql(
  insert into member.consents (book, account_id, partner_id, purpose, channel, number, granted,
                               changed_at_us, changed_by, source)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
)sql"};

constexpr Statement kReadAll{"member.read_consents", R"sql(
  select partner_id, purpose, channel, granted, changed_at_us, changed_by, source
    from (select c.*, max(number) over (partition by partner_id, purpose, channel) as last_number
            from member.consents c
           where book = $1 and account_id = $2 and (partner_id = $3 or $3 = 0)) c
   where $4 or number = last_number
   order by changed_at_us, partner_id, purpose, channel, number
)sql"};

constexpr Statement kCheck{"member.check_consents", R"sql(
  select w.place
    from unnest($1::bigint[], $2::bigint[]) as w (place, account_id)
    join member.members m
      on m.book = (w.account_id & 65535)::int and m.account_id = w.account_id
     and m.sealed_key is not null
    join ledger.accounts a
      on a.book = m.book and a.account_id = m.account_id and a.status = 0
    join lateral (select c.granted
                    from member.consents c
                   where c.book = m.book and c.account_id = m.account_id and c.partner_id = $3
                     and c.purpose = $4 and c.channel = $5
                   order by c.number desc
                   limit 1) c on c.granted
)sql"};

Params OfKey(AccountId account, const ConsentKey& key) {
  return Params()
      .Int(ledger::BookOf(account))
      .Int(account)
      .Int(key.partner)
      .Int(key.purpose)
      .Int(key.channel);
}

ConsentRow FromRow(const Row& row) {
  return {{row.Id<PartnerId>(0), static_cast<int>(row.Int(1)), static_cast<int>(row.Int(2))},
          row.Bool(3),
          row.Id<Timestamp>(4),
          std::string(row.Text(5)),
          std::string(row.Text(6))};
}

}  // namespace

absl::StatusOr<ConsentRow> SetConsent(postgres::Transaction& transaction, AccountId account,
                                      const ConsentRow& said) {
  const postgres::Rows member =
      transaction.Execute(kLockMember, Params().Int(ledger::BookOf(account)).Int(account));
  if (member.empty()) return Refuse(Reason::kMemberNotFound);
  if (member[0].Bool(0)) return Refuse(Reason::kMemberErased);
  const postgres::Rows last = transaction.Execute(kReadLast, OfKey(account, said.key));
  if (!last.empty() && last[0].Bool(3) == said.granted) return FromRow(last[0]);
  const int64_t number = last.empty() ? 1 : last[0].Int(7) + 1;
  transaction.Execute(kInsert, OfKey(account, said.key)
                                   .Int(number)
                                   .Bool(said.granted)
                                   .Int(said.changed_at)
                                   .Text(said.changed_by)
                                   .Text(said.source));
  return said;
}

std::vector<ConsentRow> ReadConsents(postgres::Transaction& transaction, AccountId account,
                                     PartnerId partner, bool history) {
  std::vector<ConsentRow> consents;
  for (const Row row : transaction.Execute(
           kReadAll,
           Params().Int(ledger::BookOf(account)).Int(account).Int(partner).Bool(history))) {
    consents.push_back(FromRow(row));
  }
  return consents;
}

std::vector<bool> CheckConsents(postgres::Transaction& transaction,
                                const std::vector<AccountId>& accounts, const ConsentKey& key) {
  std::vector<size_t> places;
  for (size_t i = 0; i < accounts.size(); ++i) places.push_back(i);
  std::vector<bool> agrees(accounts.size());
  for (const Row row : transaction.Execute(kCheck, Params()
                                                       .IntArray(places)
                                                       .IntArray(accounts)
                                                       .Int(key.partner)
                                                       .Int(key.purpose)
                                                       .Int(key.channel))) {
    agrees.at(static_cast<size_t>(row.Int(0))) = true;
  }
  return agrees;
}

}  // namespace guilder::member
