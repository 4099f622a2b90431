#include "services/member/store/retention.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kLockMember{"member.lock_for_retention", R"sql(
  select sealed_key is null
    from member.members
   where book = $1 and account_id = $2
     for no key update
)sql"};

constexpr Statement kInsert{"member.insert_retention_lock", R"sql(
  insert into member.retention_locks (book, account_id, request_id, reason, until_us, locked_at_us,
                                      locked_by)
  values ($1, $2, $3, $4, $5, $6, $7)
      on conflict (request_id) do nothing
  returning lock_id
)sql"};

constexpr Statement kFindOfRequest{"member.retention_lock_of_request", R"sql(
  select lock_id, account_id, reason, until_us from member.retention_locks where request_id = $1
)sql"};

constexpr Statement kLift{"member.lift_retention_lock", R"sql(
  update member.retention_locks
     set lifted_at_us = coalesce(lifted_at_us, $2)
   where lock_id = $1
  returning account_id
)sql"};

constexpr Statement kFindPostponement{"member.find_postponement", R"sql(
  select by, until_us
    from (select 'retentionLocks/' || lock_id as by, until_us
            from member.retention_locks
           where book = $1 and account_id = $2 and until_us > $3 and lifted_at_us is null
          union all
          select 'disputes/' || d.dispute_id, d.deadline_us
            from settlement.disputes d
            join settlement.settlements s on s.settlement_id = d.settlement_id
           where d.state = 'OPEN'
             and exists (select from ledger.journal j
                          where j.book = $1 and j.account_id = $2 and j.partner_id = d.partner_id
                            and j.posted_at_us >= s.start_us and j.posted_at_us < s.end_us)) p
   order by until_us desc
   limit 1
)sql"};

}  // namespace

absl::StatusOr<int64_t> AddRetentionLock(postgres::Transaction& transaction,
                                         const RetentionLock& lock, const Uuid& request) {
  const BookId book = ledger::BookOf(lock.account);
  const postgres::Rows member =
      transaction.Execute(kLockMember, Params().Int(book).Int(lock.account));
  if (member.empty()) return Refuse(Reason::kMemberNotFound);
  if (member[0].Bool(0)) return Refuse(Reason::kMemberErased);
  const postgres::Rows added = transaction.Execute(kInsert, Params()
                                                                .Int(book)
                                                                .Int(lock.account)
                                                                .Uuid(request)
                                                                .Text(lock.reason)
                                                                .Int(lock.until)
                                                                .Int(lock.locked_at)
                                                                .Text(lock.locked_by));
  if (!added.empty()) return added[0].Int(0);
  const postgres::Rows rows = transaction.Execute(kFindOfRequest, Params().Uuid(request));
  const Row before = rows[0];
  const bool same = before.Id<AccountId>(1) == lock.account && before.Text(2) == lock.reason &&
                    before.Id<Timestamp>(3) == lock.until;
  if (!same) return Refuse(Reason::kRequestIdReused);
  return before.Int(0);
}

std::optional<AccountId> LiftRetentionLock(postgres::Transaction& transaction, int64_t lock,
                                           Timestamp now) {
  const postgres::Rows rows = transaction.Execute(kLift, Params().Int(lock).Int(now));
  if (rows.empty()) return std::nullopt;
  return rows[0].Id<AccountId>(0);
}

std::optional<Postponement> FindPostponement(postgres::Transaction& transaction, AccountId account,
                                             Timestamp now) {
  const postgres::Rows rows = transaction.Execute(
      kFindPostponement, Params().Int(ledger::BookOf(account)).Int(account).Int(now));
  if (rows.empty()) return std::nullopt;
  return Postponement{std::string(rows[0].Text(0)), rows[0].Id<Timestamp>(1)};
}

}  // namespace guilder::member
