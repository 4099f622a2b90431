// What of accounts is spared from expiring: written where it changed.
#include <vector>

#include "libs/ledger/store/batch_sql.h"

namespace guilder::ledger {
namespace {

// Rare, so that other batches do not send it.
constexpr postgres::Statement kSpareAccounts{"ledger.spare_accounts", R"sql(
  update ledger.accounts a
     set spared_from_us = $1[i + 1], spared_until_us = $1[i + 2]
    from generate_series(1, cardinality($1::bigint[]), 3) as i
   where a.book = ($1[i] & 65535)::int and a.account_id = $1[i]
)sql"};

}  // namespace

void SpareAccounts(postgres::Transaction& tx, const BatchState& batch) {
  std::vector<const AccountState*> spared;
  for (const auto& [id, entry] : batch.accounts) {
    if (entry.newly_spared) spared.push_back(&entry.state);
  }
  if (spared.empty()) return;
  tx.Execute(kSpareAccounts,
             postgres::Params().IntRows(spared, &AccountState::id, &AccountState::spared_from,
                                        &AccountState::spared_until));
}

}  // namespace guilder::ledger
