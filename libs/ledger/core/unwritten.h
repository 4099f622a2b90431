// Records that are decided and never written, as those of quotes and previews.
#pragma once

#include <cstdint>
#include <limits>

#include "libs/base/types.h"
#include "libs/ledger/core/account.h"

namespace guilder::ledger {

// Their number. No book has as many records, so what they make (lots, holds) is named as nothing
// that the account has already, and is younger than all of it.
inline constexpr RecordNumber kUnwrittenRecord{std::numeric_limits<int64_t>::max() /
                                               kLotsPerRecord};

}  // namespace guilder::ledger
