// VAT identification numbers of the European Union, and of Northern Ireland.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace guilder::partner {

// Checks a tax id that begins with the prefix of a member state (Council Directive 2006/112/EC,
// article 215; EL is Greece, XI Northern Ireland): its form as in the Commission's VIES, and its
// check digits by the algorithm of the country. Numbers that name a natural person in Bulgaria,
// Czechia and Latvia, and French keys with letters, are checked by their form alone. That a number
// is well formed does not say that it is registered.
//
// Any other tax id passes: its form is its country's business. A prefix in small letters, or GR for
// Greece, is refused. Error: TAX_ID_INVALID.
absl::Status CheckVatNumber(std::string_view tax_id);

}  // namespace guilder::partner
