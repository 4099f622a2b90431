// Reads and writes partner.partners. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/partner/domain/partner.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// Stores a new partner, without its id, and returns it with one.
//
// Error: ALREADY_EXISTS, its slug is taken, or the programme has an operator-partner already.
absl::StatusOr<Partner> InsertPartner(postgres::Transaction& transaction, ProgrammeId programme,
                                      const Partner& partner);

// Error: PARTNER_NOT_FOUND.
absl::StatusOr<Partner> FindPartner(postgres::Transaction& transaction, std::string_view slug);
// The same, and until the end of the transaction nobody else changes the partner or what belongs to
// it.
absl::StatusOr<Partner> LockPartner(postgres::Transaction& transaction, std::string_view slug);

// By slug, those after `after`.
// Without their documents.
std::vector<Partner> ListPartners(postgres::Transaction& transaction, std::string_view after,
                                  int limit);

// Stores what may change of a partner that LockPartner gave, and increments its revision.
Partner UpdatePartner(postgres::Transaction& transaction, const Partner& partner);

}  // namespace guilder::partner
