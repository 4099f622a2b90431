// A partner's statement of a settlement as a message.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/postgres/connection.h"
#include "libs/rpc/call.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// Errors: SETTLEMENT_NOT_FOUND, PARTNER_NOT_FOUND, NOT_YOURS.
absl::StatusOr<v1::GetPartnerStatementResponse> LoadStatement(postgres::Transaction& transaction,
                                                              const rpc::Call& call,
                                                              SettlementId id,
                                                              const std::string& slug);

}  // namespace guilder::settlement
