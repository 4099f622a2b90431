// SHA-256 of bytes that are in memory.
#pragma once

#include <string_view>

#include "libs/base/types.h"

namespace guilder::security {

Digest Sha256(std::string_view bytes);

}  // namespace guilder::security
