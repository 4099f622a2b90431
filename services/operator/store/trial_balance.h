// The trial balance of points and of money.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/postgres/connection.h"

namespace guilder::operator_ {

struct BalanceLine {
  // "AVAILABLE", "ISSUED partners/fresh", "PARTNER_PAYABLE partners/fresh".
  std::string account;
  int64_t debit = 0;
  int64_t credit = 0;
};

// Of all books in one snapshot. An account of points stands on the side of its balance.
std::vector<BalanceLine> ReadPointsBalance(postgres::Transaction& transaction);
// Sums of debits and credits, in minor units of the programme's currency.
std::vector<BalanceLine> ReadMoneyBalance(postgres::Transaction& transaction);

}  // namespace guilder::operator_
