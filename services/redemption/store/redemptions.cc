#include "services/redemption/store/redemptions.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/store/claims.h"
#include "libs/postgres/pool.h"
#include "services/redemption/store/spending.h"

namespace guilder::redemption {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// The holds of orders and vouchers are no redemptions.
constexpr Statement kReadOwner{"redemption.read_owner", R"sql(
  select account_id, partner_id
    from ledger.holds h
   where book = $1 and number = $2
     and not exists (select from catalogue.orders o where o.book = h.book and o.number = h.number)
     and not exists (select from catalogue.vouchers v where v.book = h.book and v.number = h.number)
)sql"};

constexpr Statement kReadRedemption{"redemption.read", R"sql(
  select h.partner_id, p.slug, s.code, h.state, h.authorized, h.captured, h.refunded, h.expires_at_us,
         c.rate_micros, c.currency,
         h.expires_at_us <= greatest(b.last_posted_at_us, b.clock_offset_us
                                     + (extract(epoch from clock_timestamp()) * 1000000)::bigint)
    from ledger.holds h
    join ledger.books b on b.book = h.book
    join partner.partners p on p.partner_id = h.partner_id
    join partner.stores s on s.store_id = h.store_id
    join partner.contracts c on c.contract_id = h.contract_id
   where h.book = $1 and h.number = $2
     and not exists (select from catalogue.orders o where o.book = h.book and o.number = h.number)
)sql"};

constexpr Statement kReadParts{"redemption.read_parts", R"sql(
  select p.slug, w.held, w.captured, w.refunded, l.expires_at_us, l.restored_until_us
    from ledger.holds h
   cross join unnest(h.lot_ids, h.lot_held, h.lot_captured, h.lot_refunded)
           with ordinality as w (lot_id, held, captured, refunded, place)
    join ledger.lots l on l.book = h.book and l.account_id = h.account_id and l.lot_id = w.lot_id
    join partner.partners p on p.partner_id = l.issuer_id
   where h.book = $1 and h.number = $2
   order by w.place
)sql"};

constexpr Statement kFindByRequest{"redemption.find_by_request", R"sql(
  select h.book, h.number
    from ledger.claims c
    join ledger.journal j
      on j.book = c.book and j.number = c.number and j.posted_at_us = c.posted_at_us
    join ledger.holds h
      on h.book = j.book and h.number in (j.number, j.refers_to)
   where c.claim_key = $1
)sql"};

constexpr Statement kFindByOrder{"redemption.find_by_order", R"sql(
  select o.book, o.number
    from redemption.orders o
    join ledger.journal j on j.book = o.book and j.number = o.number
   where o.partner_id = $1 and o.order_key = $2
   order by j.posted_at_us desc, o.book, o.number
   limit 1
)sql"};

std::optional<RedemptionId> IdOf(const postgres::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return RedemptionId{rows[0].Id<BookId>(0), rows[0].Id<RecordNumber>(1)};
}

int64_t CacheKey(const RedemptionId& redemption) {
  return redemption.number.value() * ledger::kBooksPerSerial + redemption.book.value();
}

Params KeyOf(const RedemptionId& redemption) {
  return Params().Int(redemption.book).Int(redemption.number);
}

}  // namespace

std::optional<RedemptionOwner> RedemptionDirectory::FindCached(
    const RedemptionId& redemption) const {
  return cache_.Find(CacheKey(redemption));
}

absl::StatusOr<RedemptionOwner> RedemptionDirectory::Find(const RedemptionId& redemption,
                                                          absl::Time deadline) {
  if (const auto cached = FindCached(redemption)) return *cached;
  const auto owner = pool_.Read(
      [&](postgres::Transaction& transaction) -> absl::StatusOr<RedemptionOwner> {
        const postgres::Rows rows = transaction.Execute(kReadOwner, KeyOf(redemption));
        if (rows.empty()) return Refuse(Reason::kRedemptionNotFound);
        return RedemptionOwner{rows[0].Id<AccountId>(0), rows[0].Id<PartnerId>(1)};
      },
      deadline);
  if (owner.ok()) Add(redemption, *owner);
  return owner;
}

void RedemptionDirectory::Add(const RedemptionId& redemption, const RedemptionOwner& owner) {
  cache_.Add(CacheKey(redemption), owner);
}

std::optional<RedemptionRow> ReadRedemption(postgres::Transaction& transaction,
                                            const RedemptionId& redemption) {
  const postgres::Rows rows = transaction.Execute(kReadRedemption, KeyOf(redemption));
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  RedemptionRow read;
  read.partner = row.Id<PartnerId>(0);
  read.partner_slug = row.Text(1);
  read.store_code = row.Text(2);
  read.state = row.Enum<ledger::HoldState>(3);
  read.authorized = row.Id<Points>(4);
  read.captured = row.Id<Points>(5);
  read.refunded = row.Id<Points>(6);
  read.expires_at = row.Id<Timestamp>(7);
  read.rate_micros = row.Int(8);
  read.currency = ParseCurrency(row.Text(9)).value_or(Currency{});
  const bool open =
      read.state == ledger::HoldState::kOpen || read.state == ledger::HoldState::kInReview;
  if (open && row.Bool(10)) {
    read.state =
        read.captured > Points(0) ? ledger::HoldState::kCaptured : ledger::HoldState::kExpired;
  }
  for (const Row& part : transaction.Execute(kReadParts, KeyOf(redemption))) {
    read.parts.push_back({std::string(part.Text(0)), part.Id<Points>(1), part.Id<Points>(2),
                          part.Id<Points>(3), part.Id<Timestamp>(4), part.Id<Timestamp>(5)});
  }
  return read;
}

std::optional<RedemptionId> FindByRequest(postgres::Transaction& transaction, PartnerId partner,
                                          const Uuid& request_id) {
  return IdOf(transaction.Execute(kFindByRequest,
                                  Params().Uuid(ledger::RequestClaimKey(partner, request_id))));
}

std::optional<RedemptionId> FindByOrder(postgres::Transaction& transaction, PartnerId partner,
                                        const std::string& reference) {
  return IdOf(
      transaction.Execute(kFindByOrder, Params().Int(partner).Uuid(KeyOfText("order", reference))));
}

}  // namespace guilder::redemption
