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
  std::string address;
  std::string region;
  // Whether purchases may name terminals that are not registered.
  bool any_terminal = false;
  std::vector<std::string> terminals;  // Codes, sorted.
};

}  // namespace guilder::partner
