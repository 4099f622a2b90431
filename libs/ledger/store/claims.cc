#include "libs/ledger/store/claims.h"

#include <algorithm>

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/text.h"

namespace guilder::ledger {

Uuid ClaimKey(PartnerId partner, std::string_view label, std::string_view bytes) {
  Encoder encoder;
  encoder.Id(partner).Bytes(label).Bytes(bytes);
  const Digest digest = Sha256({encoder.str()});
  Uuid key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

Uuid RequestClaimKey(PartnerId partner, const Uuid& request_id) {
  return ClaimKey(partner, "request", AsView(request_id));
}

}  // namespace guilder::ledger
