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
// grants its points. What is given of `block` is its points, its end, whether it is a reserve, and
// who sold it; the rest is returned with it. It is sold in no sealed window, so that the next
// settlement bills it. The caller holds the partner's lock.
//
// Errors: REQUEST_MALFORMED, it would be over already; CONTRACT_NOT_FOUND, there is no such
// version; REQUEST_ID_REUSED, another partner's block was bought by that request meanwhile.
absl::StatusOr<PointBlock> SellPointBlock(postgres::Transaction& transaction, ProgrammeId programme,
                                          PartnerId partner, const Uuid& request_id,
                                          PointBlock block);

inline constexpr int kAllPointBlocks = 1'000'000'000;

// The blocks that are used last, those first: reserves, and what was bought last.
std::vector<PointBlock> LastUsedPointBlocks(postgres::Transaction& transaction, PartnerId partner,
                                            int limit);

// Ends the blocks whose ends have come, and takes back what came back to those that were over: the
// points are gone from the partner's limit, and what becomes of their money is the next
// settlement's. The caller holds the partner's lock.
std::vector<BlockEnd> EndPointBlocks(postgres::Transaction& transaction, ProgrammeId programme,
                                     const Partner& partner);

}  // namespace guilder::partner
