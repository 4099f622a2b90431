#include "libs/ledger/store/card_directory.h"

#include "absl/container/flat_hash_map.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kFindCards{"card_directory.find", R"sql(
  select c.card_number, c.account_id
    from unnest($1::bigint[]) as w (card_number)
    join member.cards c on c.card_number = w.card_number
)sql"};

}  // namespace

absl::StatusOr<AccountId> CardDirectory::Find(CardNumber card, absl::Time deadline) {
  if (const auto cached = cache_.Find(card)) return *cached;
  GUILDER_ASSIGN_OR_RETURN(auto found, FindAll({card}, deadline));
  return found.front();
}

absl::StatusOr<std::vector<absl::StatusOr<AccountId>>> CardDirectory::FindAll(
    const std::vector<CardNumber>& cards, absl::Time deadline) {
  GUILDER_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      pool_.ReadAlone(kFindCards, postgres::Params().IntArray(cards), deadline));
  absl::flat_hash_map<CardNumber, AccountId> found;
  for (const postgres::Row& row : rows) {
    const auto card = row.Id<CardNumber>(0);
    found[card] = row.Id<AccountId>(1);
    cache_.Add(card, found[card]);
  }
  std::vector<absl::StatusOr<AccountId>> answers;
  for (const CardNumber card : cards) {
    const auto account = found.find(card);
    answers.push_back(account != found.end() ? absl::StatusOr<AccountId>(account->second)
                                             : Refuse(Reason::kCardNotFound));
  }
  return answers;
}

}  // namespace guilder::ledger
