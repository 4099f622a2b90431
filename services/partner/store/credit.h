// Keeps what a partner may owe as a limit of the ledger, so that no number of tills passes it.
//
// Each function runs in the caller's transaction.
#pragma once

#include <optional>

#include "libs/base/types.h"
#include "services/partner/domain/credit.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// In one statement, and so of one instant.
CreditFacts ReadCreditFacts(postgres::Transaction& transaction, PartnerId partner,
                            ProgrammeId programme);

// What is left of the partner's credit over all books; nothing where none is kept.
std::optional<Points> ReadCreditLeft(postgres::Transaction& transaction, PartnerId partner);

// Whether KeepCredit would change anything. Without locks.
bool CreditChanges(postgres::Transaction& transaction, PartnerId partner, ProgrammeId programme);

// Begins the limit, ends it, or makes it what the policy and the figures say. Under the partner's
// lock. To begin or end it takes the locks of all books and raises the configuration's version, so
// that every command is decided with the limit or without; otherwise it locks the limit and its
// allowances only.
void KeepCredit(postgres::Transaction& transaction, PartnerId partner, ProgrammeId programme);

}  // namespace guilder::partner
