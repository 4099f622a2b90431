#include "services/member/store/bonuses.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadPolicy{"member.read_bonus_policy", R"sql(
  select version, payer_id, birthday_points, referrer_points, referred_points, referral_days
    from member.bonus_policies
   where programme_id = $1
   order by version desc
   limit 1
)sql"};

constexpr Statement kInsertPolicy{"member.insert_bonus_policy", R"sql(
  insert into member.bonus_policies (programme_id, version, set_at_us, set_by, payer_id, birthday_points,
                                     referrer_points, referred_points, referral_days)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      on conflict (programme_id, version) do nothing
  returning version
)sql"};

constexpr Statement kReadMarks{"member.read_person_marks", R"sql(
  select mark, granted_at_us from member.person_marks where kind = $1 and mark = any($2::bytea[])
)sql"};

constexpr Statement kSetMarks{"member.set_person_marks", R"sql(
  insert into member.person_marks (mark, kind, granted_at_us)
  select mark, $1, $3 from unnest($2::bytea[]) as w (mark) order by mark
      on conflict (mark, kind)
      do update set granted_at_us = greatest(person_marks.granted_at_us, excluded.granted_at_us)
)sql"};

constexpr Statement kInsertBonuses{"member.insert_bonuses", R"sql(
  insert into member.bonuses (record_book, number, kind, book, account_id, points, posted_at_us,
                              other_account, identified)
  select book, number, kind, (account_id & 65535)::int, account_id, points, at_us, other, identified <> 0
    from unnest($1::int[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::int[])
           as w (book, number, kind, account_id, points, at_us, other, identified)
)sql"};

constexpr Statement kMarkPerson{"member.mark_person", R"sql(
  insert into member.person_marks (mark, kind, granted_at_us)
  select w.mark, b.kind, max(b.posted_at_us)
    from member.bonuses b, unnest($3::bytea[]) as w (mark)
   where b.book = $1 and b.account_id = $2 and b.kind in (1, 2)
   group by w.mark, b.kind
   order by w.mark, b.kind
      on conflict (mark, kind)
      do update set granted_at_us = greatest(person_marks.granted_at_us, excluded.granted_at_us)
)sql"};

constexpr Statement kMoveBonuses{"member.move_bonuses", R"sql(
  update member.bonuses set book = $3, account_id = $4 where book = $1 and account_id = $2
)sql"};

constexpr Statement kMoveReferrals{"member.move_referrals", R"sql(
  update member.bonuses set other_account = $2 where other_account = $1
)sql"};

constexpr Statement kLockMarks{"member.lock_person_marks", R"sql(
  select pg_advisory_xact_lock(w.lock_key) from unnest($1::bigint[]) as w (lock_key)
)sql"};

constexpr Statement kLastBirthday{"member.last_birthday", R"sql(
  select account_id, max(posted_at_us)
    from member.bonuses
   where (book, account_id) in (select (a & 65535)::int, a from unnest($1::bigint[]) as w (a))
     and kind = 2
   group by account_id
)sql"};

// Referrals are rare; one after the other none closes a circle that another opens.
constexpr Statement kLockReferrals{"member.lock_referrals",
                                   "select pg_advisory_xact_lock(1735748708, 2)"};

constexpr Statement kReadReferral{"member.read_referral", R"sql(
  with recursive referrers (account_id) as (
    select $3::bigint
    union
    select b.other_account
      from referrers r
      join member.bonuses b
        on b.book = (r.account_id & 65535)::int and b.account_id = r.account_id and b.kind = 3
  )
  select exists (select 1 from member.bonuses b
                  where b.book = $1 and b.account_id = $2 and b.kind = 1 and b.identified),
         exists (select 1 from member.bonuses b
                  where b.book = $1 and b.account_id = $2 and b.kind = 3),
         exists (select 1 from referrers r where r.account_id = $2),
         coalesce((select m.enrolled_at_us from member.members m
                    where m.book = $1 and m.account_id = $2), 0)
)sql"};

constexpr Statement kReadCandidates{"member.read_birthdays", R"sql(
  select m.account_id, m.enrolled_at_us, m.sealed_key, m.sealed_profile, m.key_epoch
    from member.members m
    join ledger.accounts a on a.book = m.book and a.account_id = m.account_id and a.status = 0
   where (m.book, m.account_id) > ($1, $2) and m.sealed_key is not null
   order by m.book, m.account_id
   limit $3
)sql"};

// A lock's key from a mark, which is a digest itself.
int64_t LockOf(const Digest& mark) {
  int64_t lock = 0;
  std::memcpy(&lock, mark.data(), sizeof lock);
  return lock;
}

}  // namespace

BonusPolicy ReadBonusPolicy(Transaction& transaction, ProgrammeId programme) {
  const Rows rows = transaction.Execute(kReadPolicy, Params().Int(programme));
  if (rows.empty()) return {};
  const Row row = rows[0];
  return {row.Int(0),         row.Id<PartnerId>(1), Points(row.Int(2)),
          Points(row.Int(3)), Points(row.Int(4)),   static_cast<int>(row.Int(5))};
}

bool InsertBonusPolicy(Transaction& transaction, ProgrammeId programme, const BonusPolicy& policy,
                       Timestamp now, const std::string& set_by) {
  return !transaction
              .Execute(kInsertPolicy, Params()
                                          .Int(programme)
                                          .Int(policy.version)
                                          .Int(now)
                                          .Text(set_by)
                                          .Int(policy.payer)
                                          .Int(policy.birthday)
                                          .Int(policy.referrer)
                                          .Int(policy.referred)
                                          .Int(policy.referral_days))
              .empty();
}

std::map<Digest, Timestamp> ReadMarks(Transaction& transaction, BonusKind kind,
                                      const std::vector<Digest>& marks) {
  std::map<Digest, Timestamp> found;
  for (const Row row : transaction.Execute(kReadMarks, Params().Int(kind).BytesArray(marks))) {
    found[row.Digest(0)] = row.Id<Timestamp>(1);
  }
  return found;
}

void SetMarks(Transaction& transaction, BonusKind kind, const std::vector<Digest>& marks,
              Timestamp granted_at) {
  if (marks.empty()) return;
  // A row is set once in a statement.
  const std::set<Digest> each(marks.begin(), marks.end());
  transaction.Execute(kSetMarks, Params().Int(kind).BytesArray(each).Int(granted_at));
}

void InsertBonuses(Transaction& transaction, const std::vector<GivenBonus>& bonuses) {
  if (bonuses.empty()) return;
  const auto other = [](const GivenBonus& bonus) {
    return bonus.other ? std::optional(bonus.other.value()) : std::nullopt;
  };
  transaction.Execute(kInsertBonuses, Params()
                                          .IntArray(bonuses, &GivenBonus::record_book)
                                          .IntArray(bonuses, &GivenBonus::number)
                                          .IntArray(bonuses, &GivenBonus::kind)
                                          .IntArray(bonuses, &GivenBonus::account)
                                          .IntArray(bonuses, &GivenBonus::points)
                                          .IntArray(bonuses, &GivenBonus::posted_at)
                                          .IntArray(bonuses, other)
                                          .IntArray(bonuses, [](const GivenBonus& bonus) {
                                            return bonus.identified ? 1 : 0;
                                          }));
}

void MarkPerson(Transaction& transaction, AccountId account, const std::vector<Digest>& marks) {
  if (marks.empty()) return;
  transaction.Execute(kMarkPerson,
                      Params().Int(ledger::BookOf(account)).Int(account).BytesArray(marks));
}

void MoveBonuses(Transaction& transaction, AccountId from, AccountId into) {
  transaction.Execute(
      kMoveBonuses,
      Params().Int(ledger::BookOf(from)).Int(from).Int(ledger::BookOf(into)).Int(into));
  transaction.Execute(kMoveReferrals, Params().Int(from).Int(into));
}

void BirthdayRows::Load(Transaction& transaction, const ledger::Configuration&,
                        const std::vector<ledger::Command*>& commands) {
  std::set<int64_t> locks;
  std::vector<Digest> marks;
  std::vector<AccountId> accounts;
  for (ledger::Command* command : commands) {
    auto& birthday = static_cast<BirthdayCommand&>(*command);
    birthday.last.reset();
    accounts.push_back(birthday.account);
    for (const Digest& mark : birthday.marks) {
      locks.insert(LockOf(mark));
      marks.push_back(mark);
    }
  }
  transaction.Execute(kLockMarks, Params().IntArray(locks));
  std::map<AccountId, Timestamp> by_account;
  for (const Row row : transaction.Execute(kLastBirthday, Params().IntArray(accounts))) {
    by_account[row.Id<AccountId>(0)] = row.Id<Timestamp>(1);
  }
  const std::map<Digest, Timestamp> by_mark = ReadMarks(transaction, BonusKind::kBirthday, marks);
  for (ledger::Command* command : commands) {
    auto& birthday = static_cast<BirthdayCommand&>(*command);
    const auto own = by_account.find(birthday.account);
    if (own != by_account.end()) birthday.last = own->second;
    for (const Digest& mark : birthday.marks) {
      const auto persons = by_mark.find(mark);
      if (persons == by_mark.end()) continue;
      birthday.last = std::max(birthday.last.value_or(persons->second), persons->second);
    }
  }
}

void BirthdayRows::Write(Transaction& transaction, const std::vector<ledger::Command*>& commands) {
  std::vector<GivenBonus> bonuses;
  for (const ledger::Command* command : commands) {
    const auto& birthday = static_cast<const BirthdayCommand&>(*command);
    bonuses.push_back({birthday.book, birthday.place.number, BonusKind::kBirthday, birthday.account,
                       birthday.given, birthday.place.posted_at});
    SetMarks(transaction, BonusKind::kBirthday, birthday.marks, birthday.place.posted_at);
  }
  InsertBonuses(transaction, bonuses);
}

void ReferralRows::Load(Transaction& transaction, const ledger::Configuration&,
                        const std::vector<ledger::Command*>& commands) {
  transaction.Execute(kLockReferrals);
  for (ledger::Command* command : commands) {
    auto& referral = static_cast<ReferralCommand&>(*command);
    const Rows rows = transaction.Execute(kReadReferral, Params()
                                                             .Int(ledger::BookOf(referral.account))
                                                             .Int(referral.account)
                                                             .Int(referral.others[0]));
    const Row row = rows[0];
    referral.facts = {row.Bool(0), row.Bool(1), row.Bool(2), row.Id<Timestamp>(3)};
  }
}

void ReferralRows::Write(Transaction& transaction, const std::vector<ledger::Command*>& commands) {
  std::vector<GivenBonus> bonuses;
  for (const ledger::Command* command : commands) {
    const auto& referral = static_cast<const ReferralCommand&>(*command);
    const AccountId referrer = referral.others[0];
    const Timestamp at = referral.place.posted_at;
    bonuses.push_back({referral.book, referral.place.number, BonusKind::kReferred, referral.account,
                       referral.policy.referred, at, referrer});
    bonuses.push_back({ledger::BookOf(referrer), referral.referrers_record, BonusKind::kReferrer,
                       referrer, referral.policy.referrer, at, referral.account});
  }
  InsertBonuses(transaction, bonuses);
  // Last: from here to the commit nobody else is noted.
  for (const ledger::Command* command : commands) {
    const auto& referral = static_cast<const ReferralCommand&>(*command);
    if (referral.note) referral.note(transaction);
  }
}

std::vector<BirthdayCandidate> ReadCandidates(Transaction& transaction, AccountId after,
                                              int limit) {
  const int64_t book = after ? ledger::BookOf(after).value() : -1;
  std::vector<BirthdayCandidate> candidates;
  for (const Row row :
       transaction.Execute(kReadCandidates, Params().Int(book).Int(after).Int(limit))) {
    candidates.push_back(
        {row.Id<AccountId>(0), row.Id<Timestamp>(1), {row.Bytes(2), row.Bytes(3), row.Int(4)}});
  }
  return candidates;
}

}  // namespace guilder::member
