// What everybody keeps to who writes personal data: the epoch of keys, and one member for a phone
// number.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/member/domain/vault.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

struct WritingGround {
  // In which keys are to be sealed, until the transaction ends.
  int64_t epoch = 0;
  // Whose phone numbers are taken: by number, in normal form.
  std::map<std::string, AccountId> taken;
  // Of the cards, those that exist.
  std::set<CardNumber> taken_cards;
};

// Locks the phone numbers, cards and `others`, and the epoch for as long as others only read it,
// until the transaction ends; then reads what is so. Two writers of one number so come one after
// the other, and the second sees the first. The locks are taken in one order, after those of books.
WritingGround LockForWriting(postgres::Transaction& transaction, const Vault& vault,
                             const std::vector<std::string>& phones,
                             const std::vector<CardNumber>& cards = {},
                             const std::vector<std::string>& others = {});

// Takes the epoch's lock alone: waits for all writers, and holds up new ones until the transaction
// ends.
void LockEpochs(postgres::Transaction& transaction);

}  // namespace guilder::member
