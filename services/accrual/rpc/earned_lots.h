// The lots of a purchase, as the API says them.
#pragma once

#include <optional>
#include <string>

#include "libs/ledger/core/configuration.h"
#include "services/accrual/domain/earning.h"

namespace guilder::accrual {

// The book and the record of a purchase.
struct PurchasePlace {
  BookId book;
  RecordNumber number;
};

// "partners/{partner_id}"; empty for none.
std::string PartnerName(const ledger::Partner* partner);

// "lots/{id}" of a part of a purchase.
std::string LotName(const PurchasePlace& place, size_t part);

// Adds the lots that a purchase gave, unless they are one of the seller that may be spent anywhere.
// Those of a quote have no place and no names. For the responses that have `lots`.
template <typename Response>
void AddLots(const PurchaseOutcome& outcome, PartnerId seller,
             const ledger::Configuration& configuration, std::optional<PurchasePlace> place,
             Response& out);

}  // namespace guilder::accrual
