#include "libs/ledger/store/forwards.h"

#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kReadForward{"ledger.read_forward", R"sql(
  select into_account from ledger.forwards where book = $1 and account_id = $2
)sql"};

}  // namespace

// No chain has a cycle: an account is merged once, and into an open one.
AccountId SurvivorOf(postgres::Transaction& transaction, AccountId account) {
  for (;;) {
    const postgres::Rows rows =
        transaction.Execute(kReadForward, postgres::Params().Int(BookOf(account)).Int(account));
    if (rows.empty()) return account;
    account = rows[0].Id<AccountId>(0);
  }
}

}  // namespace guilder::ledger
