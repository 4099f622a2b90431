// Claims: what must be unique over all books, as 128-bit keys.
#pragma once

#include <string_view>

#include "libs/base/types.h"

namespace guilder::ledger {

// The first 128 bits of SHA-256 over the partner, a label and the bytes. Keys of different partners
// never meet, so that nobody can take another's.
Uuid ClaimKey(PartnerId partner, std::string_view label, std::string_view bytes);

// The claim of a request id.
Uuid RequestClaimKey(PartnerId partner, const Uuid& request_id);

}  // namespace guilder::ledger
