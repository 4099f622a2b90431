#include "libs/security/store/audit_log.h"

#include "libs/postgres/connection.h"

namespace guilder::security {
namespace {

// One row lock puts the records into one order.
constexpr postgres::Statement kLockHead{"audit.lock_head", R"sql(
  select number, hash, (extract(epoch from clock_timestamp()) * 1000000)::bigint
    from operator.audit_head
     for update
)sql"};

constexpr postgres::Statement kMoveHead{"audit.move_head", R"sql(
  update operator.audit_head set number = $1, hash = $2
)sql"};

constexpr postgres::Statement kAppend{"audit.append", R"sql(
  insert into operator.audit_log (number, at_us, actor, peer, action, resource, before, after, hash)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
)sql"};

constexpr postgres::Statement kList{"audit.list", R"sql(
  select number, at_us, actor, peer, action, resource, before, after, hash
    from operator.audit_log
   where number > $1
     and ($2 = '' or actor = $2)
     and ($3 = '' or resource = $3 or starts_with(resource, $3 || '/'))
   order by number
   limit $4
)sql"};

constexpr postgres::Statement kReadHead{"audit.read_head", R"sql(
  select number, hash from operator.audit_head
)sql"};

}  // namespace

void AppendAudit(postgres::Transaction& transaction, AuditRecord record) {
  // After a wait the row is as the transaction before has left it: it is the only one, and locked.
  const postgres::Rows head = transaction.Execute(kLockHead);
  record.number = head[0].Int(0) + 1;
  record.at = head[0].Id<Timestamp>(2);
  record.hash = AuditHash(record, head[0].Digest(1));
  transaction.Execute(kAppend, postgres::Params()
                                   .Int(record.number)
                                   .Int(record.at)
                                   .Text(record.actor)
                                   .Text(record.peer)
                                   .Text(record.action)
                                   .Text(record.resource)
                                   .Text(record.before)
                                   .Text(record.after)
                                   .Bytes(record.hash));
  transaction.Execute(kMoveHead, postgres::Params().Int(record.number).Bytes(record.hash));
}

std::vector<AuditRecord> ListAudit(postgres::Transaction& transaction, const AuditFilter& filter,
                                   int64_t after, int limit) {
  std::vector<AuditRecord> records;
  for (const postgres::Row row : transaction.Execute(
           kList,
           postgres::Params().Int(after).Text(filter.actor).Text(filter.resource).Int(limit))) {
    AuditRecord record;
    record.number = row.Int(0);
    record.at = row.Id<Timestamp>(1);
    record.actor = row.Text(2);
    record.peer = row.Text(3);
    record.action = row.Text(4);
    record.resource = row.Text(5);
    record.before = row.Text(6);
    record.after = row.Text(7);
    record.hash = row.Digest(8);
    records.push_back(std::move(record));
  }
  return records;
}

AuditHead ReadAuditHead(postgres::Transaction& transaction) {
  const postgres::Rows rows = transaction.Execute(kReadHead);
  return {rows[0].Int(0), rows[0].Digest(1)};
}

}  // namespace guilder::security
