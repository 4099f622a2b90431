#include "services/partner/store/point_blocks.h"

#include <algorithm>
#include <string>

#include "libs/base/reason.h"
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
  select b.number, b.points, b.bought_at_us, b.sold_by, coalesce(c.number, 0), b.partner_id
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
                                    contract_id)
  select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6
    from partner.point_blocks
   where partner_id = $1
      on conflict (request_id) do nothing
  returning number
)sql"};

constexpr Statement kLatest{"partner.latest_point_blocks", R"sql(
  select b.number, b.points, b.bought_at_us, b.sold_by, coalesce(c.number, 0)
    from partner.point_blocks b
    left join partner.contracts c using (contract_id)
   where b.partner_id = $1
   order by b.number desc
   limit $2
)sql"};

PointBlock FromRow(const Row& row) {
  return {row.Int(0), row.Id<Points>(1), row.Id<Timestamp>(2), std::string(row.Text(3)),
          row.Int(4)};
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
  return StoredPointBlock{rows[0].Id<PartnerId>(5), FromRow(rows[0])};
}

absl::StatusOr<PointBlock> SellPointBlock(postgres::Transaction& transaction, ProgrammeId programme,
                                          PartnerId partner, const Uuid& request_id,
                                          PointBlock block) {
  transaction.Execute(kHoldSettlements);
  block.bought_at = std::max(ledger::ReadProgrammeClock(transaction, programme),
                             transaction.Execute(kReadSealedUntil)[0].Id<Timestamp>(0));
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
                                                     .Int(contract->id));
  if (rows.empty()) return Refuse(Reason::kRequestIdReused);
  block.number = rows[0].Int(0);
  ledger::GrantLimit(transaction, ledger::PointBlocksOf(partner), block.points);
  return block;
}

std::vector<PointBlock> LatestPointBlocks(postgres::Transaction& transaction, PartnerId partner,
                                          int limit) {
  std::vector<PointBlock> blocks;
  for (const Row& row : transaction.Execute(kLatest, Params().Int(partner).Int(limit))) {
    blocks.push_back(FromRow(row));
  }
  return blocks;
}

}  // namespace guilder::partner
