// An API key of a partner, without the key.
#pragma once

#include <optional>
#include <string>

#include "libs/base/types.h"

namespace guilder::partner {

// Its times are those of the database's own clock: a key ages in real time, also where the
// programme's clock was moved.
struct Credential {
  std::string id;
  std::string display_name;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> revoked_at;
};

}  // namespace guilder::partner
