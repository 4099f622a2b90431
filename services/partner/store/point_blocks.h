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

// Whether an issuance contract that blocks fund is in force, or is to be.
bool HasBlockContract(postgres::Transaction& transaction, ProgrammeId programme, PartnerId partner);

// Sells a block at the rate of the contract version that is in force, or is the next to be, and
// grants its points. What is given of `block` is its points and who sold it; the rest is returned
// with it. It is sold in no sealed window, so that the next settlement bills it. The caller holds
// the partner's lock.
//
// Errors: CONTRACT_NOT_FOUND, there is no such version; REQUEST_ID_REUSED, another partner's block
// was bought by that request meanwhile.
absl::StatusOr<PointBlock> SellPointBlock(postgres::Transaction& transaction, ProgrammeId programme,
                                          PartnerId partner, const Uuid& request_id,
                                          PointBlock block);

// The blocks that were bought last, latest first.
std::vector<PointBlock> LatestPointBlocks(postgres::Transaction& transaction, PartnerId partner,
                                          int limit);

}  // namespace guilder::partner
