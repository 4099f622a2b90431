// Reads and writes partner.point_blocks. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/partner/domain/point_block.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

struct StoredPointBlock {
  PartnerId partner;
  PointBlock block;
};

// The block that was bought by that request; nothing when none was.
std::optional<StoredPointBlock> FindPointBlock(postgres::Transaction& transaction,
                                               const Uuid& request_id);

// Stores a block, without its number, and returns it with one. The caller holds the partner's lock.
//
// Error: REQUEST_ID_REUSED, another partner's block was bought by that request meanwhile.
absl::StatusOr<PointBlock> InsertPointBlock(postgres::Transaction& transaction, PartnerId partner,
                                            const Uuid& request_id, const PointBlock& block);

// The blocks that were bought last, latest first.
std::vector<PointBlock> LatestPointBlocks(postgres::Transaction& transaction, PartnerId partner,
                                          int limit);

}  // namespace guilder::partner
