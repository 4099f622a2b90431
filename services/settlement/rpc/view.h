// Reads what a settlement's message needs, in the caller's transaction.
#pragma once

#include <optional>

#include "libs/postgres/connection.h"
#include "services/settlement/rpc/settlement_proto.h"

namespace guilder::settlement {

// The whole settlement, or the part of it that concerns one partner.
SettlementView LoadView(postgres::Transaction& transaction, Settlement settlement,
                        std::optional<PartnerId> partner = std::nullopt);

}  // namespace guilder::settlement
