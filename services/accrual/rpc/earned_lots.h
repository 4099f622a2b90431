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

// Who is told of a purchase. A partner learns nothing of another one's contracts and standing.
struct Reader {
  PartnerId partner{};
  bool is_operator = false;

  bool MayKnowOf(PartnerId other) const { return is_operator || partner == other; }
};

// How a purchase is told.
struct View {
  const ledger::Configuration& configuration;
  Reader reader;
  // A quote has none, and so its lots have no names.
  std::optional<PurchasePlace> place{};
};

// "partners/{partner_id}"; empty for none.
std::string PartnerName(const ledger::Partner* partner);

// "lots/{id}" of a part of a purchase.
std::string LotName(const PurchasePlace& place, size_t part);

// Adds the lots that a purchase gave, unless they are one of the seller that may be spent anywhere;
// with their contracts, as far as the reader may know of them. For the responses that have `lots`.
template <typename Response>
void AddLots(const PurchaseOutcome& outcome, PartnerId seller, const View& view, Response& out);

}  // namespace guilder::accrual
