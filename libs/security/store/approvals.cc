#include "libs/security/store/approvals.h"

#include "libs/postgres/connection.h"

namespace guilder::security {
namespace {

using postgres::Params;
using postgres::Statement;

#define GUILDER_APPROVAL_COLUMNS_                                                              \
  "approval_id, request_type, change, change_hash, note, state, requested_by, decided_by, "    \
  "expires_at_us, expires_at_us <= (extract(epoch from clock_timestamp()) * 1000000)::bigint " \
  "as expired "

constexpr Statement kInsert{"security.insert_approval", R"sql(
  insert into operator.approvals
         (request_type, change, change_hash, note, requested_by, requested_at_us, expires_at_us)
  select $1, $2, $3, $4, $5, now_us, now_us + $6 * 86400000000
    from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now_us) as clock
  returning )sql" GUILDER_APPROVAL_COLUMNS_};

constexpr Statement kLock{"security.lock_approval", "select " GUILDER_APPROVAL_COLUMNS_ R"sql(
    from operator.approvals
   where approval_id = $1
     for update
)sql"};

#undef GUILDER_APPROVAL_COLUMNS_

constexpr Statement kDecide{"security.decide_approval", R"sql(
  update operator.approvals
     set state = $2, decided_by = $3, decision_note = $4,
         decided_at_us = (extract(epoch from clock_timestamp()) * 1000000)::bigint
   where approval_id = $1
)sql"};

// What another transaction is about to use is waited for, and then not found approved.
constexpr Statement kUse{"security.use_approval", R"sql(
  update operator.approvals
     set state = 'USED', used_at_us = (extract(epoch from clock_timestamp()) * 1000000)::bigint
   where approval_id = (select min(approval_id)
                          from operator.approvals
                         where change_hash = $1
                           and requested_by = $2
                           and state = 'APPROVED'
                           and expires_at_us
                               > (extract(epoch from clock_timestamp()) * 1000000)::bigint)
     and state = 'APPROVED'
  returning approval_id
)sql"};

Approval FromRow(const postgres::Row& row) {
  Approval approval;
  approval.number = row.Int(0);
  approval.request_type = row.Text(1);
  approval.change = row.Text(2);
  approval.hash = row.Digest(3);
  approval.note = row.Text(4);
  approval.state = row.Text(5);
  approval.requested_by = row.Text(6);
  approval.decided_by = row.Text(7);
  approval.expires_at = row.Id<Timestamp>(8);
  approval.expired = row.Bool(9);
  return approval;
}

}  // namespace

Approval InsertApproval(postgres::Transaction& transaction, Approval approval) {
  return FromRow(transaction.Execute(kInsert, Params()
                                                  .Text(approval.request_type)
                                                  .Text(approval.change)
                                                  .Bytes(approval.hash)
                                                  .Text(approval.note)
                                                  .Text(approval.requested_by)
                                                  .Int(kApprovalDays))[0]);
}

std::optional<Approval> LockApproval(postgres::Transaction& transaction, int64_t number) {
  const postgres::Rows rows = transaction.Execute(kLock, Params().Int(number));
  if (rows.empty()) return std::nullopt;
  return FromRow(rows[0]);
}

void DecideApproval(postgres::Transaction& transaction, int64_t number, std::string_view state,
                    std::string_view decided_by, std::string_view note) {
  transaction.Execute(kDecide, Params().Int(number).Text(state).Text(decided_by).Text(note));
}

bool UseApproval(postgres::Transaction& transaction, const Digest& hash,
                 std::string_view requested_by) {
  return !transaction.Execute(kUse, Params().Bytes(hash).Text(requested_by)).empty();
}

}  // namespace guilder::security
