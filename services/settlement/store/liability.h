// Reads what outstanding points are tied to. Each function runs in the caller's transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

// The start of the last sealed window.
std::optional<Timestamp> FindLastSealed(postgres::Transaction& transaction);

// Outstanding points by the positions of all windows before `end`: over all partners.
Points ReadOutstanding(postgres::Transaction& transaction, Timestamp end);
// Issued and not yet activated, by contract.
std::map<ContractId, Points> ReadPending(postgres::Transaction& transaction, Timestamp end);

// An entry of the money ledger with what its transaction says.
struct MoneyRow {
  int64_t number = 0;
  int line = 0;
  Timestamp posted_at;
  std::string kind;
  std::string reference;
  std::string cause;
  std::string debit_account;
  std::string debit_partner;  // Slug; empty for an account of the programme.
  std::string credit_account;
  std::string credit_partner;
  Currency currency{};
  MinorUnits amount;
};

// By number and line, those after that pair.
std::vector<MoneyRow> ListMoneyRows(postgres::Transaction& transaction, int64_t after_number,
                                    int after_line, int limit);

}  // namespace guilder::settlement
