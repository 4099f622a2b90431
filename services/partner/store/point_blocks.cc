#include "services/partner/store/point_blocks.h"

#include <string>

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr Statement kFind{"partner.find_point_block", R"sql(
  select number, points, bought_at_us, sold_by, partner_id
    from partner.point_blocks
   where request_id = $1
)sql"};

constexpr Statement kInsert{"partner.insert_point_block", R"sql(
  insert into partner.point_blocks (partner_id, number, points, bought_at_us, sold_by, request_id)
  select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5
    from partner.point_blocks
   where partner_id = $1
      on conflict (request_id) do nothing
  returning number, points, bought_at_us, sold_by
)sql"};

constexpr Statement kLatest{"partner.latest_point_blocks", R"sql(
  select number, points, bought_at_us, sold_by
    from partner.point_blocks
   where partner_id = $1
   order by number desc
   limit $2
)sql"};

PointBlock FromRow(const Row& row) {
  return {row.Int(0), row.Id<Points>(1), row.Id<Timestamp>(2), std::string(row.Text(3))};
}

}  // namespace

std::optional<StoredPointBlock> FindPointBlock(postgres::Transaction& transaction,
                                               const Uuid& request_id) {
  const Rows rows = transaction.Execute(kFind, Params().Uuid(request_id));
  if (rows.empty()) return std::nullopt;
  return StoredPointBlock{rows[0].Id<PartnerId>(4), FromRow(rows[0])};
}

absl::StatusOr<PointBlock> InsertPointBlock(postgres::Transaction& transaction, PartnerId partner,
                                            const Uuid& request_id, const PointBlock& block) {
  const Rows rows = transaction.Execute(kInsert, Params()
                                                     .Int(partner)
                                                     .Int(block.points)
                                                     .Int(block.bought_at)
                                                     .Text(block.sold_by)
                                                     .Uuid(request_id));
  if (rows.empty()) return Refuse(Reason::kRequestIdReused);
  return FromRow(rows[0]);
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
