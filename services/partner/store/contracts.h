// Reads and writes partner.contracts. Each function runs in the caller's transaction, which holds
// the partner's lock where it writes.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/partner/domain/contract.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// Stores a proposed version, without id and number, and returns it with both.
Contract InsertContract(postgres::Transaction& transaction, PartnerId partner,
                        const Contract& contract);

// Error: CONTRACT_NOT_FOUND.
absl::StatusOr<Contract> FindContract(postgres::Transaction& transaction, PartnerId partner,
                                      int64_t number);

// By number, those after `after`.
std::vector<Contract> ListContracts(postgres::Transaction& transaction, PartnerId partner,
                                    int64_t after, int limit);

// The approved versions of a kind, oldest first.
std::vector<Contract> ApprovedContracts(postgres::Transaction& transaction, PartnerId partner,
                                        ContractKind kind);

void MarkApproved(postgres::Transaction& transaction, ContractId contract,
                  const std::string& approved_by);
void MarkRejected(postgres::Transaction& transaction, ContractId contract);
void EndContract(postgres::Transaction& transaction, ContractId contract, Timestamp until);

}  // namespace guilder::partner
