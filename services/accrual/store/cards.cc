#include "services/accrual/store/cards.h"

#include "libs/postgres/connection.h"

namespace guilder::accrual {
namespace {

constexpr postgres::Statement kReadCard{"accrual.read_card", R"sql(
  select account_id, state <> 0 from member.cards where card_number = $1
)sql"};

}  // namespace

ledger::CardView ReadCard(postgres::Transaction& tx, CardNumber card) {
  const postgres::Rows rows = tx.Execute(kReadCard, postgres::Params().Int(card));
  if (rows.empty()) return {};
  return {true, rows[0].Bool(1), rows[0].Id<AccountId>(0)};
}

}  // namespace guilder::accrual
