// Which accounts have expired points to be given back.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "services/member/domain/reinstatement.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

// Open accounts of a book, after one of them, by id; `limit` at most.
std::vector<AccountId> FindWithExpired(postgres::Transaction& transaction, BookId book,
                                       AccountId after, const ReinstatementTerms& terms, int limit);

// The first book of the programme after that one; none after the last.
BookId NextBook(postgres::Transaction& transaction, ProgrammeId programme, BookId after);

}  // namespace guilder::member
