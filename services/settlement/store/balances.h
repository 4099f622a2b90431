// What the money ledger comes to. Runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/money.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

// One account in one currency: the sums of its two sides.
struct AccountSums {
  Currency currency{};
  std::string account;  // As AccountName gives it.
  PartnerId partner;    // None for an account of the programme.
  MinorUnits debit;
  MinorUnits credit;
};

// The head of the money ledger after some transactions.
struct MoneyHead {
  MoneyNumber number;  // None before the first transaction.
  Digest root{};
};

// Of all transactions that were posted before `until`, by currency, account and partner.
std::vector<AccountSums> ReadAccountSums(postgres::Transaction& transaction, Timestamp until);
MoneyHead ReadMoneyHead(postgres::Transaction& transaction, Timestamp until);

}  // namespace guilder::settlement
