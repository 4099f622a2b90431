#include "libs/ledger/store/card_directory.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kFindCard{"card_directory.find", R"sql(
  select account_id from member.cards where card_number = $1
)sql"};

}  // namespace

absl::StatusOr<AccountId> CardDirectory::Find(CardNumber card, absl::Time deadline) {
  if (const auto cached = cache_.Find(card)) return *cached;
  GUILDER_ASSIGN_OR_RETURN(const postgres::Rows rows,
                           pool_.ReadAlone(kFindCard, postgres::Params().Int(card), deadline));
  if (rows.empty()) return Refuse(Reason::kCardNotFound);
  const auto account = rows[0].Id<AccountId>(0);
  cache_.Add(card, account);
  return account;
}

}  // namespace guilder::ledger
