// Changes what is known of people. Each function runs in the caller's transaction.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/member/domain/vault.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

// Lets `change` make another profile of a member's, and keeps that. Writers of one member come one
// after the other.
//
// Errors, in this order: kMemberNotFound, kMemberErased; what `change` refuses; kAlreadyExists,
// another member has the phone number; kStoreUnavailable, this process lacks the keys.
absl::StatusOr<Profile> ChangeProfile(
    postgres::Transaction& transaction, const Vault& vault, AccountId account,
    const std::function<absl::StatusOr<Profile>(const Profile& before)>& change);

struct AddedPerson {
  int number = 0;
  Profile profile;
};

// Adds a person, or gives the one whom the request added before. `request` is the request's key: it
// tells callers apart. Errors: as above, and kRequestIdReused.
absl::StatusOr<AddedPerson> AddPerson(postgres::Transaction& transaction, const Vault& vault,
                                      AccountId account, const Profile& profile,
                                      const Uuid& request, Timestamp now);

// Forgets a person. False when there is none of that number.
bool RemovePerson(postgres::Transaction& transaction, AccountId account, int number);

// Destroys everything that is known of a member, and of who shares the account: key, profiles,
// indexes, and the words that staff wrote. Notes which record erased it.
void Erase(postgres::Transaction& transaction, AccountId account, Timestamp at,
           RecordNumber number);

// Forgets the same of members whose keys nobody can open: the keys of their epoch were destroyed,
// and they came with a backup from before.
void ForgetUnreadable(postgres::Transaction& transaction, const std::vector<AccountId>& accounts);

// The record that erased a member.
struct Erasure {
  RecordNumber number;
  Timestamp posted_at;
  Digest leaf{};
  std::string response;
};

// Nothing for a member who is not erased. Error: kMemberNotFound.
absl::StatusOr<std::optional<Erasure>> ReadErasure(postgres::Transaction& transaction,
                                                   AccountId account);

}  // namespace guilder::member
