// How often a member comes to a till: what a thief does with one card. Pure.
#pragma once

#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/accrual/domain/purchase.h"

namespace guilder::accrual {

// A recorded purchase, as far as it says where it was made.
struct Visit {
  PartnerId partner;
  std::string store;
  std::string terminal;
  std::string cashier;
  Timestamp at;
};

Visit VisitOf(PartnerId partner, const Purchase& purchase);

// How many of `visits` were at the terminal or the cashier of `visit`, less than a day before or
// after it. A visit that names neither is nobody's.
int CountLike(const std::vector<Visit>& visits, const Visit& visit);

}  // namespace guilder::accrual
