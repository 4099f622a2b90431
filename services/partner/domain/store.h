// A place of a partner where purchases happen, and its tills.
#pragma once

#include <string>
#include <vector>

#include "libs/base/types.h"

namespace guilder::partner {

struct Store {
  StoreId id;
  std::string code;
  std::string display_name;
  std::string time_zone;
  bool open = true;
  std::vector<std::string> terminals;  // Codes, sorted.
};

}  // namespace guilder::partner
