#include "libs/ledger/store/card_directory.h"

#include "libs/base/reason.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kFindCard{"card_directory.find", R"sql(
  select account_id from member.cards where card_number = $1
)sql"};

}  // namespace

absl::StatusOr<AccountId> CardDirectory::Find(CardNumber card, absl::Time deadline) {
  if (const auto cached = cache_.Find(card)) return *cached;
  const absl::StatusOr<AccountId> account = pool_.Read(
      [&](postgres::Transaction& transaction) -> absl::StatusOr<AccountId> {
        const postgres::Rows rows = transaction.Execute(kFindCard, postgres::Params().Int(card));
        if (rows.empty()) return Refuse(Reason::kCardNotFound);
        return rows[0].Id<AccountId>(0);
      },
      deadline);
  if (account.ok()) cache_.Add(card, *account);
  return account;
}

}  // namespace guilder::ledger
