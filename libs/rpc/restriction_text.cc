#include "libs/rpc/restriction_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace guilder::rpc {

std::string WhereSpent(const type::v1::PointsRestriction& restriction) {
  if (restriction.gifts()) return "only on gifts";
  if (restriction.partners().empty()) return "anywhere";
  return absl::StrCat("only at ", absl::StrJoin(restriction.partners(), ", "));
}

}  // namespace guilder::rpc
