#include "libs/ledger/store/account_rows.h"

#include <utility>

namespace guilder::ledger {

Restriction RestrictionOf(PartnerId where, const std::vector<int64_t>& listed) {
  std::vector<PartnerId> partners;
  for (const int64_t partner : listed) partners.emplace_back(static_cast<int32_t>(partner));
  return {where, std::move(partners)};
}

Restriction RestrictionOf(postgres::PackedRow& row) {
  const auto where = row.Id<PartnerId>();
  return RestrictionOf(where, row.OptionalIntArray());
}

AccountState AccountFromRow(const postgres::Row& row, int first) {
  AccountState account;
  account.id = row.Id<AccountId>(first);
  account.status = row.Enum<AccountStatus>(first + 1);
  account.pending = row.Id<Points>(first + 2);
  account.available = row.Id<Points>(first + 3);
  account.held = row.Id<Points>(first + 4);
  account.debt = row.Id<Points>(first + 5);
  account.next_due_at = row.Id<Timestamp>(first + 6);
  account.first_open_lot = row.Id<LotId>(first + 7);
  account.active_until = row.Id<Timestamp>(first + 8);
  account.spared_from = row.Id<Timestamp>(first + 9);
  account.spared_until = row.Id<Timestamp>(first + 10);
  return account;
}

Lot LotFromRow(const postgres::Row& row) {
  Lot lot;
  lot.id = row.Id<LotId>(1);
  lot.issuer = row.Id<PartnerId>(2);
  lot.contract = row.Id<ContractId>(3);
  lot.issued = row.Id<Points>(4);
  lot.activates_at = row.Id<Timestamp>(5);
  lot.expires_at = row.Id<Timestamp>(6);
  lot.on_due = row.Enum<OnDue>(7);
  lot.state = row.Enum<LotState>(8);
  lot.remaining = row.Id<Points>(9);
  lot.held = row.Id<Points>(10);
  lot.redeemed = row.Id<Points>(11);
  lot.reversed = row.Id<Points>(12);
  lot.expired = row.Id<Points>(13);
  lot.debt = row.Id<Points>(14);
  lot.moved = row.Id<Points>(15);
  lot.origin = {row.OptionalId<AccountId>(16).value_or(AccountId()),
                row.OptionalId<LotId>(17).value_or(LotId())};
  lot.forfeited = row.Id<Points>(22);
  lot.restored_until = row.Id<Timestamp>(19);
  const auto where = row.Id<PartnerId>(18);
  lot.restricted_to = row.IsNull(21) ? Restriction(where) : RestrictionOf(where, row.IntArray(21));
  lot.lives_by_activity = row.Int(20) != 0;
  return lot;
}

Hold HoldFromRow(const postgres::Row& row, int first_array) {
  Hold hold;
  hold.number = row.Id<RecordNumber>(1);
  hold.partner = row.Id<PartnerId>(2);
  hold.store = row.Id<StoreId>(3);
  hold.contract = row.Id<ContractId>(4);
  hold.authorized = row.Id<Points>(5);
  hold.expires_at = row.Id<Timestamp>(6);
  hold.state = row.Enum<HoldState>(7);
  hold.reviewed = row.Int(8) != 0;
  const std::vector<int64_t> lots = row.IntArray(first_array);
  const std::vector<int64_t> held = row.IntArray(first_array + 1);
  const std::vector<int64_t> captured = row.IntArray(first_array + 2);
  const std::vector<int64_t> refunded = row.IntArray(first_array + 3);
  for (size_t i = 0; i < lots.size(); ++i) {
    hold.parts.push_back(
        {LotId(lots[i]), Points(held.at(i)), Points(captured.at(i)), Points(refunded.at(i))});
  }
  return hold;
}

}  // namespace guilder::ledger
