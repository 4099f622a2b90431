// Merchant category codes (ISO 18245).
#pragma once

namespace guilder::partner {

// Whether a kind of merchant has that code.
bool IsMerchantCategory(int code);

}  // namespace guilder::partner
