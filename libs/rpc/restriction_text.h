// Where alone points may be spent, in words.
#pragma once

#include <string>

#include "guilder/type/v1/points_restriction.pb.h"

namespace guilder::rpc {

// "anywhere", "only on gifts", "only at partners/books, partners/fresh".
std::string WhereSpent(const type::v1::PointsRestriction& restriction);

}  // namespace guilder::rpc
