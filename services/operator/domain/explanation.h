// An explanation: from any name to where it comes from.
#pragma once

#include <string>

namespace guilder::operator_ {

struct Step {
  // How far it is from what was asked.
  int depth = 0;
  std::string name;
  // "payment", "invoice line", "position", "entry", "purchase", "rule" …
  std::string kind;
  // A sentence for people, without its full stop.
  std::string text;
};

}  // namespace guilder::operator_
