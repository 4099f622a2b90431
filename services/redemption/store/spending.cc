#include "services/redemption/store/spending.h"

#include <algorithm>

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"

namespace guilder::redemption {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// `limit` keeps the planner from looking through a whole table for a few keys. The clock is that of
// the lane's record, to some milliseconds.
constexpr Statement kReadSpending{"redemption.read_spending", R"sql(
  select w.place, m.pin_hash, m.pin_set_us, m.failed_attempts, m.locked_at_us, m.code_hash,
         m.code_expires_us, o.number, o.first_held_us, o.state, d.device_key is not null, coalesce(c.count, 0)
    from unnest($1::bigint[], $2::int[], $3::uuid[], $4::uuid[])
           with ordinality as w (account_id, partner_id, order_key, device_key, place)
    left join lateral (select s.pin_hash, s.pin_set_us, s.failed_attempts, s.locked_at_us, s.code_hash,
                              s.code_expires_us
                         from redemption.members s
                        where s.book = (w.account_id & 65535)::int and s.account_id = w.account_id
                        limit 1) m on true
    left join lateral (select r.number, r.first_held_us, h.state
                         from redemption.orders r
                         join ledger.holds h on h.book = r.book and h.number = r.number
                        where r.book = (w.account_id & 65535)::int and r.account_id = w.account_id
                          and r.partner_id = w.partner_id and r.order_key = w.order_key
                        limit 1) o on true
    left join lateral (select e.device_key
                         from redemption.devices e
                        where e.book = (w.account_id & 65535)::int and e.account_id = w.account_id
                          and e.device_key = w.device_key
                        limit 1) d on true
    left join lateral (select count(*)
                         from ledger.books b
                         join ledger.journal j on j.book = b.book
                        where $5::bigint > 0 and b.book = (w.account_id & 65535)::int
                          and j.account_id = w.account_id and j.kind = $6::smallint
                          and j.posted_at_us > b.clock_offset_us - $5::bigint * 1000000
                              + (extract(epoch from clock_timestamp()) * 1000000)::bigint) c on true
)sql"};

constexpr Statement kWriteOrders{"redemption.write_orders", R"sql(
  insert into redemption.orders as o (book, account_id, partner_id, order_key, number, first_held_us)
  select (account_id & 65535)::int, account_id, partner_id, order_key, number, first_held_us
    from unnest($1::bigint[], $2::int[], $3::uuid[], $4::bigint[], $5::bigint[])
           as w (account_id, partner_id, order_key, number, first_held_us)
      on conflict (book, account_id, partner_id, order_key) do update set number = excluded.number
)sql"};

constexpr Statement kWriteDevices{"redemption.write_devices", R"sql(
  insert into redemption.devices (book, account_id, device_key, first_used_us)
  select distinct on (account_id, device_key) (account_id & 65535)::int, account_id, device_key, at_us
    from unnest($1::bigint[], $2::uuid[], $3::bigint[]) as w (account_id, device_key, at_us)
      on conflict (book, account_id, device_key) do nothing
)sql"};

constexpr Statement kWriteAttempts{"redemption.write_attempts", R"sql(
  update redemption.members m
     set failed_attempts = case when w.succeeded then 0 else m.failed_attempts end + w.wrong,
         locked_at_us = case when case when w.succeeded then 0 else m.failed_attempts end + w.wrong >= $6::int
                             then coalesce(m.locked_at_us, w.at_us) else m.locked_at_us end,
         code_hash = case when w.code_used then null else m.code_hash end
    from unnest($1::bigint[], $2::int[], $3::bool[], $4::bool[], $5::bigint[])
           as w (account_id, wrong, succeeded, code_used, at_us)
   where m.book = (w.account_id & 65535)::int and m.account_id = w.account_id
)sql"};

constexpr Statement kWriteReviews{"redemption.write_reviews", R"sql(
  insert into redemption.reviews (book, number, account_id, partner_id, reason, created_at_us, captures)
  select (account_id & 65535)::int, number, account_id, partner_id, reason, created_at_us, captures
    from unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::bool[])
           as w (account_id, number, partner_id, reason, created_at_us, captures)
)sql"};

// Points that staff or a fee took left their lot before its end.
constexpr Statement kReadLapsed{"redemption.read_lapsed", R"sql(
  select l.lot_id, sum(case when e.credit_bucket = $4 then e.points else -e.points end)::bigint
    from ledger.journal j
    join ledger.entries e
      on e.book = j.book and e.number = j.number and e.posted_at_us = j.posted_at_us
    join ledger.lots l
      on l.book = j.book and l.account_id = j.account_id and l.lot_id = e.debit_lot
   where j.book = $1
     and j.account_id = $2
     and j.posted_at_us > $3
     and (e.debit_bucket = $4
          or (e.credit_bucket = $4
              and greatest(l.expires_at_us, l.restored_until_us) between $3 + 1 and e.posted_at_us))
   group by l.lot_id
)sql"};

constexpr Statement kReadMember{"redemption.read_member", R"sql(
  select pin_hash, pin_set_us, failed_attempts, locked_at_us, code_hash, code_expires_us
    from redemption.members where book = $1 and account_id = $2
)sql"};

// From column `first` on.
MemberSecrets SecretsFromRow(const Row& row, int first) {
  MemberSecrets secrets;
  if (row.IsNull(first + 1)) return secrets;
  secrets.pin_hash = row.OptionalText(first).value_or(std::string_view());
  secrets.pin_set_at = row.Id<Timestamp>(first + 1);
  secrets.failed_attempts = static_cast<int>(row.Int(first + 2));
  secrets.locked_at = row.OptionalId<Timestamp>(first + 3);
  if (!row.IsNull(first + 4)) secrets.code_hash = row.Digest(first + 4);
  secrets.code_expires_at = row.Id<Timestamp>(first + 5);
  return secrets;
}

}  // namespace

Uuid KeyOfText(std::string_view label, std::string_view text) {
  Uuid key{};
  if (text.empty()) return key;
  Encoder encoder;
  encoder.Bytes(label).Bytes(text);
  const Digest digest = Sha256({encoder.str()});
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

std::vector<SpendingRow> ReadSpending(postgres::Transaction& tx,
                                      const std::vector<SpendingKey>& keys,
                                      int64_t period_seconds) {
  std::vector<SpendingRow> spending(keys.size());
  const auto rows = tx.Execute(kReadSpending, Params()
                                                  .IntArray(keys, &SpendingKey::account)
                                                  .IntArray(keys, &SpendingKey::partner)
                                                  .UuidArray(keys, &SpendingKey::order)
                                                  .UuidArray(keys, &SpendingKey::device)
                                                  .Int(period_seconds)
                                                  .Int(ledger::RecordKind::kAuthorization));
  for (const Row& row : rows) {
    SpendingRow& read = spending[static_cast<size_t>(row.Int(0) - 1)];
    read.secrets = SecretsFromRow(row, 1);
    if (!row.IsNull(7)) {
      read.earlier = EarlierRedemption{row.Id<RecordNumber>(7), row.Enum<ledger::HoldState>(9),
                                       row.Id<Timestamp>(8)};
    }
    read.device_known = row.Bool(10);
    read.recent_redemptions = static_cast<int>(row.Int(11));
  }
  return spending;
}

std::map<LotId, Points> ReadLapsed(postgres::Transaction& tx, AccountId account, Timestamp after) {
  std::map<LotId, Points> lapsed;
  const auto rows = tx.Execute(
      kReadLapsed,
      Params().Int(ledger::BookOf(account)).Int(account).Int(after).Int(ledger::Bucket::kExpired));
  for (const Row& row : rows) lapsed.emplace(row.Id<LotId>(0), row.Id<Points>(1));
  return lapsed;
}

void WriteOrders(postgres::Transaction& tx, const std::vector<HeldOrder>& orders) {
  if (orders.empty()) return;
  tx.Execute(kWriteOrders, Params()
                               .IntArray(orders, &HeldOrder::account)
                               .IntArray(orders, &HeldOrder::partner)
                               .UuidArray(orders, &HeldOrder::order)
                               .IntArray(orders, &HeldOrder::number)
                               .IntArray(orders, &HeldOrder::first_held));
}

void WriteDevices(postgres::Transaction& tx, const std::vector<UsedDevice>& devices) {
  if (devices.empty()) return;
  tx.Execute(kWriteDevices, Params()
                                .IntArray(devices, &UsedDevice::account)
                                .UuidArray(devices, &UsedDevice::device)
                                .IntArray(devices, &UsedDevice::at));
}

void WriteAttempts(postgres::Transaction& tx, const std::vector<Attempts>& attempts,
                   int max_failed_attempts) {
  if (attempts.empty()) return;
  tx.Execute(kWriteAttempts, Params()
                                 .IntArray(attempts, &Attempts::account)
                                 .IntArray(attempts, &Attempts::wrong)
                                 .BoolArray(attempts, &Attempts::right)
                                 .BoolArray(attempts, &Attempts::code_used)
                                 .IntArray(attempts, &Attempts::at)
                                 .Int(max_failed_attempts));
}

void WriteReviews(postgres::Transaction& tx, const std::vector<NewReview>& reviews) {
  if (reviews.empty()) return;
  tx.Execute(
      kWriteReviews,
      Params()
          .IntArray(reviews, &NewReview::account)
          .IntArray(reviews, [](const NewReview& review) { return review.redemption.number; })
          .IntArray(reviews, &NewReview::partner)
          .TextArray(reviews,
                     [](const NewReview& review) { return ReviewReasonName(review.reason); })
          .IntArray(reviews, &NewReview::created_at)
          .BoolArray(reviews, &NewReview::captures));
}

MemberSecrets ReadMemberSecrets(postgres::Transaction& tx, AccountId account) {
  const postgres::Rows rows =
      tx.Execute(kReadMember, Params().Int(ledger::BookOf(account)).Int(account));
  return rows.empty() ? MemberSecrets() : SecretsFromRow(rows[0], 0);
}

}  // namespace guilder::redemption
