// Reads and writes partner.documents, and reads what a partner still owes or is owed. Each function
// runs in the caller's transaction.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "services/partner/domain/partner.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// In the order in which they were attached.
std::vector<Document> ListDocuments(postgres::Transaction& transaction, PartnerId partner);
void InsertDocument(postgres::Transaction& transaction, PartnerId partner,
                    const Document& document);

// Obligations of settlements that are neither paid nor written off.
int64_t CountOpenObligations(postgres::Transaction& transaction, PartnerId partner);
// Whether something is carried forward for it to the next settlement of a currency.
bool IsCarriedForward(postgres::Transaction& transaction, PartnerId partner);

// Whether its final settlement, in one of the currencies of its contracts, is not approved yet.
bool IsFinalSettlementToCome(postgres::Transaction& transaction, PartnerId partner);

// Of the contracts that are in force at an instant.
NoticeDays ReadNoticeDays(postgres::Transaction& transaction, PartnerId partner, Timestamp at);

}  // namespace guilder::partner
