#include "services/partner/store/point_blocks.h"

#include <algorithm>
#include <string>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/limits.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr Statement kFind{"partner.find_point_block", R"sql(
  select b.number, b.points, b.bought_at_us, b.sold_by, coalesce(c.number, 0), b.ends_at_us,
         b.when_ended, b.reserve, false, 0, b.partner_id
    from partner.point_blocks b
    left join partner.contracts c using (contract_id)
   where b.request_id = $1
)sql"};

// Who computes settlements takes the same lock for itself alone, so that no block is sold in a
// window that is being settled.
constexpr Statement kHoldSettlements{"partner.hold_settlements", R"sql(
  select pg_advisory_xact_lock_shared(hashtext('settlement.settlements'))
)sql"};

constexpr Statement kReadSealedUntil{"partner.read_sealed_until", R"sql(
  select coalesce(max(window_end_us), 0) from settlement.windows
)sql"};

// The version that is in force, or else the next to be.
constexpr Statement kFindContract{"partner.find_block_contract", R"sql(
  select contract_id, number
    from partner.contracts
   where partner_id = $1
     and kind = 'ISSUANCE'
     and state = 'APPROVED'
     and funding = 'PREPAID_BLOCK'
     and coalesce(effective_until_us, $2::bigint + 1) > $2
   order by effective_from_us
   limit 1
)sql"};

constexpr Statement kInsert{"partner.insert_point_block", R"sql(
  insert into partner.point_blocks (partner_id, number, points, bought_at_us, sold_by, request_id,
                                    contract_id, ends_at_us, when_ended, reserve)
  select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9
    from partner.point_blocks
   where partner_id = $1
      on conflict (request_id) do nothing
  returning number
)sql"};

constexpr Statement kLastUsed{"partner.last_used_point_blocks", R"sql(
  select b.number, b.points, b.bought_at_us, b.sold_by, coalesce(c.number, 0), b.ends_at_us,
         b.when_ended, b.reserve, e.points is not null, coalesce(e.points, 0)
    from partner.point_blocks b
    left join partner.contracts c using (contract_id)
    left join (select partner_id, number, sum(points)::bigint as points
                 from partner.point_block_endings
                where partner_id = $1
                group by partner_id, number) e on e.number = b.number
   where b.partner_id = $1
   order by b.reserve desc, b.number desc
   limit $2
)sql"};

constexpr Statement kInsertEnding{"partner.insert_point_block_ending", R"sql(
  insert into partner.point_block_endings as e (partner_id, number, ended_at_us, points, credited)
  values ($1, $2, $3, $4, $5)
      on conflict (partner_id, number, ended_at_us) do update
     set points = e.points + excluded.points
)sql"};

PointBlock FromRow(const Row& row) {
  PointBlock block;
  block.number = row.Int(0);
  block.points = row.Id<Points>(1);
  block.bought_at = row.Id<Timestamp>(2);
  block.sold_by = row.Text(3);
  block.contract = row.Int(4);
  block.ends_at = row.OptionalId<Timestamp>(5);
  block.when_ended = EndingFromName(row.Text(6));
  block.reserve = row.Bool(7);
  block.over = row.Bool(8);
  block.ended = row.Id<Points>(9);
  return block;
}

// Holds off who computes settlements, and says when what is sold or ends now does so: in a window
// that is not sealed.
Timestamp HoldSettlements(postgres::Transaction& transaction, ProgrammeId programme) {
  transaction.Execute(kHoldSettlements);
  return std::max(ledger::ReadProgrammeClock(transaction, programme),
                  transaction.Execute(kReadSealedUntil)[0].Id<Timestamp>(0));
}

struct BlockContract {
  ContractId id;
  int64_t number = 0;
};

std::optional<BlockContract> FindContract(postgres::Transaction& transaction, PartnerId partner,
                                          Timestamp at) {
  const Rows rows = transaction.Execute(kFindContract, Params().Int(partner).Int(at));
  if (rows.empty()) return std::nullopt;
  return BlockContract{rows[0].Id<ContractId>(0), rows[0].Int(1)};
}

}  // namespace

bool HasBlockContract(postgres::Transaction& transaction, ProgrammeId programme,
                      PartnerId partner) {
  return FindContract(transaction, partner, ledger::ReadProgrammeClock(transaction, programme))
      .has_value();
}

std::optional<StoredPointBlock> FindPointBlock(postgres::Transaction& transaction,
                                               const Uuid& request_id) {
  const Rows rows = transaction.Execute(kFind, Params().Uuid(request_id));
  if (rows.empty()) return std::nullopt;
  return StoredPointBlock{rows[0].Id<PartnerId>(10), FromRow(rows[0])};
}

absl::StatusOr<PointBlock> SellPointBlock(postgres::Transaction& transaction, ProgrammeId programme,
                                          PartnerId partner, const Uuid& request_id,
                                          PointBlock block) {
  block.bought_at = HoldSettlements(transaction, programme);
  GUILDER_RETURN_IF_ERROR(CheckBlockEnd(block, block.bought_at));
  const std::optional<BlockContract> contract = FindContract(transaction, partner, block.bought_at);
  if (!contract) {
    return Refuse(Reason::kContractNotFound, "no issuance contract is funded by blocks of points");
  }
  block.contract = contract->number;
  const Rows rows = transaction.Execute(kInsert, Params()
                                                     .Int(partner)
                                                     .Int(block.points)
                                                     .Int(block.bought_at)
                                                     .Text(block.sold_by)
                                                     .Uuid(request_id)
                                                     .Int(contract->id)
                                                     .Int(block.ends_at)
                                                     .Text(EndingName(block.when_ended))
                                                     .Bool(block.reserve));
  if (rows.empty()) return Refuse(Reason::kRequestIdReused);
  block.number = rows[0].Int(0);
  ledger::GrantLimit(transaction, ledger::PointBlocksOf(partner), block.points);
  return block;
}

std::vector<PointBlock> LastUsedPointBlocks(postgres::Transaction& transaction, PartnerId partner,
                                            int limit) {
  std::vector<PointBlock> blocks;
  for (const Row& row : transaction.Execute(kLastUsed, Params().Int(partner).Int(limit))) {
    blocks.push_back(FromRow(row));
  }
  return blocks;
}

std::vector<BlockEnd> EndPointBlocks(postgres::Transaction& transaction, ProgrammeId programme,
                                     const Partner& partner) {
  const Timestamp now = HoldSettlements(transaction, programme);
  const ledger::LimitId limit = ledger::PointBlocksOf(partner.id);
  const std::vector<PointBlock> blocks =
      LastUsedPointBlocks(transaction, partner.id, kAllPointBlocks);
  const Points remaining = ledger::LockLimit(transaction, limit).remaining;
  std::vector<BlockEnd> ends = EndBlocks(blocks, remaining, now, HasLeft(partner, now));
  Points taken;
  for (const BlockEnd& end : ends) {
    transaction.Execute(kInsertEnding, Params()
                                           .Int(partner.id)
                                           .Int(end.number)
                                           .Int(now)
                                           .Int(end.points)
                                           .Bool(end.what == BlockEnding::kCredit));
    taken += end.points;
  }
  if (taken > Points()) ledger::WithdrawLimit(transaction, limit, taken);
  return ends;
}

}  // namespace guilder::partner
