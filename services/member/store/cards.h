// Ranges and batches of card numbers, and what happened to cards. Each function runs in the
// caller's transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/member/domain/card_number.h"
#include "services/member/store/members.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

struct CardRangeRow {
  int id = 0;
  std::optional<PartnerId> partner;
  CardForm form;
  int claim_days = 0;
  int64_t next_serial = 1;
};

struct CardBatchRow {
  int id = 0;
  int range = 0;
  StoreId store;
  int count = 0;
  Timestamp created_at;
  int activated = 0;
};

// Who does something when, by which request; requests are told apart by their callers.
struct Doing {
  std::string actor;
  Timestamp at;
  Uuid request{};
};

// Gives the range; that of a repeat. Errors: kAlreadyExists, its numbers overlap those of another
// range, or the programme's first cards; kRequestIdReused.
absl::StatusOr<CardRangeRow> CreateRange(postgres::Transaction& transaction,
                                         const CardRangeRow& range, const Doing& doing);
// After one of that id, the oldest first.
std::vector<CardRangeRow> ReadRanges(postgres::Transaction& transaction, int after, int limit);

// Makes the numbers of a batch for a store of that partner; gives that of a repeat. Errors:
// kNameNotFound, there is no such range; kRequestIdReused; kWrongState, the range has fewer numbers
// left, or is of another partner.
absl::StatusOr<CardBatchRow> CreateBatch(postgres::Transaction& transaction,
                                         const CardBatchRow& batch, PartnerId partner,
                                         const Doing& doing);
std::vector<CardBatchRow> ReadBatches(postgres::Transaction& transaction, int after, int limit);

struct StockCard {
  CardNumber number;
  bool activated = false;
};
// Those after a number, in their order. Error: kNameNotFound.
absl::StatusOr<std::vector<StockCard>> ReadStock(postgres::Transaction& transaction, int batch,
                                                 CardNumber after, int limit);

// The numbers are stored, but that of kIssued, which a card's own row says.
enum class CardEvent {
  kIssued = 0,
  kActivated = 1,  // first shown; it has an account that is nobody's yet
  kEnrolled = 2,   // its owner enrolled with it
  kGiven = 3,      // to a member, as a further card
  kBlocked = 4,
  kReplaced = 5,
  kReplaces = 6,
};
// "ACTIVATED".
std::string_view CardEventName(CardEvent event);

struct CardEventRow {
  Timestamp at;
  CardEvent event{};
  std::string actor;
  std::string reason;
  CardNumber other;
};

struct CardFacts {
  CardRow card;
  AccountId account;  // none for one that was not shown yet
  int batch = 0;
  bool waiting = false;  // to be shown
  bool unclaimed = false;
  std::optional<Timestamp> claim_by;
  std::vector<CardEventRow> events;
};
// Nothing for a number that there is not.
std::optional<CardFacts> ReadCard(postgres::Transaction& transaction, CardNumber card);

// Gives a card that waits in a batch to a member. Done before changes nothing. Errors:
// kMemberNotFound, kCardNotFound, kCardBlocked; kAlreadyExists, it has another account.
absl::Status GiveCard(postgres::Transaction& transaction, CardNumber card, AccountId account,
                      const Doing& doing);

// Stops a card and puts another in its place: `replacement`, which waits in a batch, or a new one
// when it is none. Gives the card of a repeat. Errors: kCardNotFound; kWrongState, its account was
// merged meanwhile, it was replaced before, or nobody has enrolled with it and there is no
// `replacement`; kMemberErased; those of GiveCard; kRequestIdReused.
absl::StatusOr<CardRow> ReplaceCard(postgres::Transaction& transaction, CardNumber card,
                                    CardNumber replacement, const std::string& reason,
                                    const Doing& doing);

// Blocks a card, shown or waiting. Of several reasons the first stays, and a card that is blocked
// gets no further event. Nothing when there is none.
std::optional<CardRow> BlockCard(postgres::Transaction& transaction, CardNumber card,
                                 const std::string& reason, const Doing& doing);

// What there is about a card that was handed out, when somebody enrols with it.
struct HandedOutCard {
  bool of_batch = false;
  bool blocked = false;
  AccountId account;  // none while it waits to be shown
  bool unclaimed = false;
  std::optional<Timestamp> claim_by;
};
// By number, and only those of batches. Locks them until the transaction ends, in their order.
std::map<CardNumber, HandedOutCard> LockHandedOut(postgres::Transaction& transaction,
                                                  const std::vector<CardNumber>& cards);
// The account that a card has while nobody has enrolled with it; none for other cards.
AccountId UnclaimedAccountOf(postgres::Transaction& transaction, CardNumber card);
// The card's account is somebody's from now on.
void ClaimCard(postgres::Transaction& transaction, CardNumber card, AccountId account,
               const Doing& doing);

// Accounts with points whose owner did not enrol in time, after one of them.
std::vector<AccountId> ReadLapsed(postgres::Transaction& transaction, AccountId after,
                                  Timestamp now, int limit);
// Whether the account is still nobody's, and its time is over. Locks it.
bool LockLapsed(postgres::Transaction& transaction, AccountId account, Timestamp now);

}  // namespace guilder::member
