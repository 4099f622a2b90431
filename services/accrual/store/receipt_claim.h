// The claim by which a receipt posts once.
#pragma once

#include "libs/base/types.h"
#include "services/accrual/domain/purchase.h"

namespace guilder::accrual {

Uuid ReceiptClaim(PartnerId partner, const ReceiptKey& receipt);

}  // namespace guilder::accrual
