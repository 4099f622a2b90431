#include "libs/ledger/store/card_directory.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/time/clock.h"

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

constexpr postgres::Statement kWaiting{"card_directory.waiting", R"sql(
  select card_number, state = 2
    from member.stock_cards
   where card_number = any($1::bigint[]) and state <> 1
)sql"};

// What a card that is shown for the first time may keep others waiting that were asked for with it.
constexpr absl::Duration kLongestOpening = absl::Seconds(5);

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
  std::vector<CardNumber> unknown;
  for (const CardNumber card : cards) {
    if (!found.contains(card)) unknown.push_back(card);
  }
  absl::flat_hash_map<CardNumber, absl::StatusOr<AccountId>> opened;
  if (open_ && !unknown.empty()) {
    GUILDER_ASSIGN_OR_RETURN(
        const postgres::Rows waiting,
        pool_.ReadAlone(kWaiting, postgres::Params().IntArray(unknown), deadline));
    for (const postgres::Row& row : waiting) {
      const auto card = row.Id<CardNumber>(0);
      const bool blocked = row.Bool(1);
      opened.emplace(card, blocked ? absl::StatusOr<AccountId>(Refuse(Reason::kCardBlocked))
                                   : Open(card, std::min(deadline, absl::Now() + kLongestOpening)));
    }
  }
  std::vector<absl::StatusOr<AccountId>> answers;
  for (const CardNumber card : cards) {
    const auto account = found.find(card);
    const auto fresh = opened.find(card);
    if (account != found.end()) {
      answers.emplace_back(account->second);
    } else if (fresh != opened.end()) {
      answers.push_back(fresh->second);
    } else {
      answers.emplace_back(Refuse(Reason::kCardNotFound));
    }
  }
  return answers;
}

absl::StatusOr<AccountId> CardDirectory::Open(CardNumber card, absl::Time deadline) {
  absl::StatusOr<AccountId> account = open_(card, deadline);
  // Somebody enrolled with it meanwhile.
  if (absl::IsAlreadyExists(account.status())) {
    GUILDER_ASSIGN_OR_RETURN(
        const postgres::Rows rows,
        pool_.ReadAlone(kFindCards, postgres::Params().IntArray({card}), deadline));
    if (!rows.empty()) account = rows[0].Id<AccountId>(1);
  }
  if (account.ok()) cache_.Add(card, *account);
  return account;
}

}  // namespace guilder::ledger
