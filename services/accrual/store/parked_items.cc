#include "services/accrual/store/parked_items.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"

namespace guilder::accrual {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kPark{"accrual.park_items", R"sql(
  insert into accrual.parked_items (partner_id, request_id, account_id, reason, created_at_us,
                                    refers_to, content, kind, request, sale_claim)
  select * from unnest($1::int[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::text[],
                       $7::text[], $8::int[], $9::bytea[], $10::uuid[])
      on conflict (partner_id, request_id) do nothing
)sql"};

constexpr Statement kResolvePosted{"accrual.resolve_posted", R"sql(
  update accrual.parked_items
     set resolved_at_us = $3,
         resolution = case approved_by when '' then 'posted after all' else resolution end
   where partner_id = $1 and request_id = $2 and resolved_at_us is null
)sql"};

constexpr Statement kFindParkedFor{"accrual.find_parked_for", R"sql(
  select w.partner_id, w.request_id
    from unnest($1::int[], $2::uuid[]) as w (partner_id, request_id)
    join accrual.parked_items i
      on i.partner_id = w.partner_id and i.request_id = w.request_id
   where i.reason = $3
)sql"};

constexpr Statement kReopenPosted{"accrual.reopen_posted", R"sql(
  update accrual.parked_items set resolved_at_us = null, resolution = ''
   where partner_id = $1 and request_id = $2 and resolution = 'posted after all'
)sql"};

constexpr Statement kList{"accrual.list_parked_items", R"sql(
  select i.request_id, i.partner_id, p.slug, i.account_id, i.reason, i.created_at_us, i.refers_to,
         i.content, i.resolved_at_us is not null, i.resolution, i.kind, i.request, i.sale_claim,
         i.proposed_purchase, i.proposed_by, i.approved_by
    from accrual.parked_items i join partner.partners p using (partner_id)
   where ($1 = 0 or i.partner_id = $1) and ($2 or i.resolved_at_us is null)
     and i.created_at_us >= $3
     and (i.created_at_us, i.partner_id, i.request_id) > ($3, $4, $5::uuid)
   order by i.created_at_us, i.partner_id, i.request_id
   limit $6
)sql"};

constexpr Statement kReadDueReturns{"accrual.read_due_returns", R"sql(
  select i.request_id, i.partner_id, p.slug, i.account_id, i.reason, i.created_at_us, i.refers_to,
         i.content, false, i.resolution, i.kind, i.request, i.sale_claim,
         i.proposed_purchase, i.proposed_by, i.approved_by
    from accrual.parked_items i join partner.partners p using (partner_id)
   where i.sale_claim is not null and i.resolved_at_us is null
     and (i.created_at_us < $1
          or exists (select from ledger.claims c where c.claim_key = i.sale_claim))
   order by i.created_at_us, i.partner_id, i.request_id
   limit $2
)sql"};

constexpr Statement kAnyReturnWaits{"accrual.any_return_waits", R"sql(
  select exists (select from accrual.parked_items
                  where sale_claim is not null and resolved_at_us is null)
)sql"};

constexpr Statement kFind{"accrual.find_parked_item", R"sql(
  select i.request_id, i.partner_id, p.slug, i.account_id, i.reason, i.created_at_us, i.refers_to,
         i.content, i.resolved_at_us is not null, i.resolution, i.kind, i.request, i.sale_claim,
         i.proposed_purchase, i.proposed_by, i.approved_by
    from accrual.parked_items i join partner.partners p using (partner_id)
   where i.partner_id = $1 and i.request_id = $2
)sql"};

constexpr Statement kLock{"accrual.lock_parked_item", R"sql(
  select i.request_id, i.partner_id, p.slug, i.account_id, i.reason, i.created_at_us, i.refers_to,
         i.content, i.resolved_at_us is not null, i.resolution, i.kind, i.request, i.sale_claim,
         i.proposed_purchase, i.proposed_by, i.approved_by
    from accrual.parked_items i join partner.partners p using (partner_id)
   where i.partner_id = $1 and i.request_id = $2
     for update of i
)sql"};

constexpr Statement kResolve{"accrual.resolve_parked_item", R"sql(
  update accrual.parked_items set resolved_at_us = $3, resolution = $4
   where partner_id = $1 and request_id = $2
)sql"};

constexpr Statement kPropose{"accrual.propose_parked_return", R"sql(
  update accrual.parked_items
     set proposed_purchase = $3, proposed_by = $4, resolution = $5, approved_by = ''
   where partner_id = $1 and request_id = $2
)sql"};

constexpr Statement kApprove{"accrual.approve_parked_return", R"sql(
  update accrual.parked_items set approved_by = $3 where partner_id = $1 and request_id = $2
)sql"};

ParkedItem ReadItem(const Row& row) {
  ParkedItem item;
  item.request_id = row.Uuid(0);
  item.partner = row.Id<PartnerId>(1);
  item.partner_slug = row.Text(2);
  item.account = row.OptionalId<AccountId>(3).value_or(AccountId());
  item.reason = row.Text(4);
  item.created_at = row.Id<Timestamp>(5);
  item.refers_to = row.Text(6);
  item.content = row.Text(7);
  item.resolved = row.Bool(8);
  item.resolution = row.Text(9);
  item.kind = row.Enum<ParkedKind>(10);
  item.request = row.Bytes(11);
  item.sale_claim = row.OptionalUuid(12);
  item.proposed_purchase = row.Text(13);
  item.proposed_by = row.Text(14);
  item.approved_by = row.Text(15);
  return item;
}

}  // namespace

void ParkItems(postgres::Transaction& tx, const std::vector<ParkedItem>& items) {
  if (items.empty()) return;
  tx.Execute(kPark, Params()
                        .IntArray(items, &ParkedItem::partner)
                        .UuidArray(items, &ParkedItem::request_id)
                        .IntArray(items,
                                  [](const ParkedItem& item) -> std::optional<int64_t> {
                                    if (!item.account) return std::nullopt;
                                    return item.account.value();
                                  })
                        .TextArray(items, &ParkedItem::reason)
                        .IntArray(items, &ParkedItem::created_at)
                        .TextArray(items, &ParkedItem::refers_to)
                        .TextArray(items, &ParkedItem::content)
                        .IntArray(items, &ParkedItem::kind)
                        .BytesArray(items, &ParkedItem::request)
                        .UuidArray(items, &ParkedItem::sale_claim));
}

void ResolvePosted(postgres::Transaction& tx, PartnerId partner, const Uuid& request_id,
                   Timestamp now) {
  tx.Execute(kResolvePosted, Params().Int(partner).Uuid(request_id).Int(now));
}

std::set<ParkedFor> FindParkedFor(postgres::Transaction& tx, const std::vector<ParkedFor>& asked,
                                  std::string_view reason) {
  std::set<ParkedFor> found;
  if (asked.empty()) return found;
  const auto rows = tx.Execute(kFindParkedFor, Params()
                                                   .IntArray(asked, &ParkedFor::partner)
                                                   .UuidArray(asked, &ParkedFor::request_id)
                                                   .Text(std::string(reason)));
  for (const Row& row : rows) found.insert({row.Id<PartnerId>(0), row.Uuid(1)});
  return found;
}

void ReopenPosted(postgres::Transaction& tx, PartnerId partner, const Uuid& request_id) {
  tx.Execute(kReopenPosted, Params().Int(partner).Uuid(request_id));
}

std::vector<ParkedItem> ListParkedItems(postgres::Transaction& tx, PartnerId partner,
                                        bool include_resolved, const ParkedPosition& after,
                                        int limit) {
  std::vector<ParkedItem> items;
  const auto rows = tx.Execute(kList, Params()
                                          .Int(partner)
                                          .Bool(include_resolved)
                                          .Int(after.created_at)
                                          .Int(after.partner)
                                          .Uuid(after.request_id)
                                          .Int(limit));
  for (const Row& row : rows) items.push_back(ReadItem(row));
  return items;
}

std::vector<ParkedItem> ReadDueReturns(postgres::Transaction& tx, Timestamp too_long_ago,
                                       int limit) {
  std::vector<ParkedItem> items;
  for (const Row& row : tx.Execute(kReadDueReturns, Params().Int(too_long_ago).Int(limit))) {
    items.push_back(ReadItem(row));
  }
  return items;
}

bool AnyReturnWaits(postgres::Transaction& tx) {
  return tx.Execute(kAnyReturnWaits, Params())[0].Bool(0);
}

absl::StatusOr<ParkedItem> FindParkedItem(postgres::Transaction& tx, PartnerId partner,
                                          const Uuid& request_id) {
  const auto rows = tx.Execute(kFind, Params().Int(partner).Uuid(request_id));
  if (rows.empty()) return Refuse(Reason::kParkedItemNotFound);
  return ReadItem(rows[0]);
}

absl::StatusOr<ParkedItem> LockParkedItem(postgres::Transaction& tx, PartnerId partner,
                                          const Uuid& request_id) {
  const auto rows = tx.Execute(kLock, Params().Int(partner).Uuid(request_id));
  if (rows.empty()) return Refuse(Reason::kParkedItemNotFound);
  return ReadItem(rows[0]);
}

void ProposeParkedReturn(postgres::Transaction& tx, const ParkedItem& item) {
  tx.Execute(kPropose, Params()
                           .Int(item.partner)
                           .Uuid(item.request_id)
                           .Text(item.proposed_purchase)
                           .Text(item.proposed_by)
                           .Text(item.resolution));
}

void ApproveParkedReturn(postgres::Transaction& tx, const ParkedItem& item) {
  tx.Execute(kApprove, Params().Int(item.partner).Uuid(item.request_id).Text(item.approved_by));
}

absl::StatusOr<ParkedItem> ResolveParkedItem(postgres::Transaction& tx, PartnerId partner,
                                             const Uuid& request_id, const std::string& resolution,
                                             Timestamp now) {
  GUILDER_ASSIGN_OR_RETURN(ParkedItem item, LockParkedItem(tx, partner, request_id));
  if (item.resolved) return Refuse(Reason::kWrongState, "it is resolved already");
  tx.Execute(kResolve, Params().Int(partner).Uuid(request_id).Int(now).Text(resolution));
  item.resolved = true;
  item.resolution = resolution;
  return item;
}

}  // namespace guilder::accrual
