#include "services/member/store/standing.h"

#include <algorithm>

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kLockMember{"member.lock_for_standing", R"sql(
  select erased_at_us is not null
    from member.members
   where book = $1 and account_id = $2
     for no key update
)sql"};

constexpr Statement kReadTiers{"member.read_tiers", R"sql(
  select number, tier, from_us, changed_at_us, changed_by, reason
    from member.tiers
   where book = $1 and account_id = $2
   order by from_us, number
)sql"};

constexpr Statement kInsertTier{"member.insert_tier", R"sql(
  insert into member.tiers (book, account_id, number, tier, from_us, changed_at_us, changed_by, reason)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
)sql"};

constexpr Statement kReadSegments{"member.read_segments", R"sql(
  select number, segment, from_us, until_us, changed_by
    from member.segments
   where book = $1 and account_id = $2
   order by segment, from_us, number
)sql"};

constexpr Statement kInsertSegment{"member.insert_segment", R"sql(
  insert into member.segments (book, account_id, number, segment, from_us, until_us, changed_by)
  values ($1, $2, $3, $4, $5, $6, $7)
)sql"};

constexpr Statement kEndSegment{"member.end_segment", R"sql(
  update member.segments
     set until_us = greatest(from_us, $4::bigint)
   where book = $1 and account_id = $2 and segment = $3 and until_us > $4::bigint
)sql"};

Params OfAccount(AccountId account) {
  return Params().Int(ledger::BookOf(account)).Int(account);
}

}  // namespace

absl::Status LockStanding(postgres::Transaction& transaction, AccountId account) {
  const postgres::Rows rows = transaction.Execute(kLockMember, OfAccount(account));
  if (rows.empty()) return Refuse(Reason::kMemberNotFound);
  return rows[0].Bool(0) ? Refuse(Reason::kMemberErased) : absl::OkStatus();
}

std::vector<TierChange> ReadTierChanges(postgres::Transaction& transaction, AccountId account) {
  std::vector<TierChange> changes;
  for (const Row row : transaction.Execute(kReadTiers, OfAccount(account))) {
    changes.push_back({static_cast<int>(row.Int(0)), std::string(row.Text(1)), row.Id<Timestamp>(2),
                       row.Id<Timestamp>(3), std::string(row.Text(4)), std::string(row.Text(5))});
  }
  return changes;
}

void InsertTierChange(postgres::Transaction& transaction, AccountId account,
                      const TierChange& change) {
  transaction.Execute(kInsertTier, OfAccount(account)
                                       .Int(change.number)
                                       .Text(change.tier)
                                       .Int(change.from)
                                       .Int(change.changed_at)
                                       .Text(change.changed_by)
                                       .Text(change.reason));
}

std::vector<SegmentTime> ReadSegments(postgres::Transaction& transaction, AccountId account) {
  std::vector<SegmentTime> times;
  for (const Row row : transaction.Execute(kReadSegments, OfAccount(account))) {
    times.push_back({static_cast<int>(row.Int(0)), std::string(row.Text(1)), row.Id<Timestamp>(2),
                     row.Id<Timestamp>(3), std::string(row.Text(4))});
  }
  return times;
}

void InsertSegment(postgres::Transaction& transaction, AccountId account, const SegmentTime& time) {
  transaction.Execute(kInsertSegment, OfAccount(account)
                                          .Int(time.number)
                                          .Text(time.segment)
                                          .Int(time.from)
                                          .Int(time.until)
                                          .Text(time.changed_by));
}

void EndSegment(postgres::Transaction& transaction, AccountId account, const std::string& segment,
                Timestamp now) {
  transaction.Execute(kEndSegment, OfAccount(account).Text(segment).Int(now));
}

void MergeStanding(postgres::Transaction& transaction, AccountId from, AccountId into,
                   Timestamp now, const std::string& by) {
  // Who never enrolled has none, and of who was erased nothing is noted any more.
  if (!LockStanding(transaction, from).ok() || !LockStanding(transaction, into).ok()) return;
  const std::vector<TierChange> known = ReadTierChanges(transaction, into);
  const std::vector<TierChange> brought = ReadTierChanges(transaction, from);
  const TierChange* const has = TierAt(known, now);
  const TierChange* const brings = TierAt(brought, now);
  const bool takes = (has == nullptr || has->tier.empty()) && brings != nullptr;
  if (takes && !brings->tier.empty()) {
    InsertTierChange(transaction, into,
                     {static_cast<int>(known.size()) + 1, brings->tier, now, now, by, "merged"});
  }
  const std::vector<SegmentTime> times = ReadSegments(transaction, into);
  int number = static_cast<int>(times.size());
  for (SegmentTime time : ReadSegments(transaction, from)) {
    if (time.until <= now) continue;
    time.number = ++number;
    time.from = std::max(time.from, now);
    time.changed_by = by;
    InsertSegment(transaction, into, time);
  }
}

}  // namespace guilder::member
