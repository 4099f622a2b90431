// Members and cards, as the tables have them. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/member/domain/vault.h"

namespace guilder::postgres {
class Pool;
class Transaction;
}  // namespace guilder::postgres

namespace guilder::member {

struct CardRow {
  CardNumber number;
  bool blocked = false;
};

// Another person who uses the account, sealed under the member's key.
struct PersonRow {
  int number = 0;
  std::string sealed_profile;
};

struct MemberRow {
  AccountId account;
  Timestamp enrolled_at;
  // Nothing for a member who was erased.
  std::optional<SealedProfile> sealed;
  std::vector<CardRow> cards;     // the oldest first
  std::vector<PersonRow> people;  // the oldest first
};

std::optional<MemberRow> ReadMember(postgres::Transaction& transaction, AccountId account);

// Of several members with one phone number or address, the one enrolled first. `indexes` are of
// one text, in all epochs.
std::optional<AccountId> FindByCard(postgres::Transaction& transaction, CardNumber card);
std::optional<AccountId> FindByPhone(postgres::Transaction& transaction,
                                     const std::vector<Digest>& indexes);
std::optional<AccountId> FindByEmail(postgres::Transaction& transaction,
                                     const std::vector<Digest>& indexes);

// By what a till finds a member: one of them.
struct MemberKeyAsked {
  CardNumber card;
  std::vector<Digest> phone_indexes;
  std::vector<Digest> email_indexes;
};

struct FoundMember {
  AccountId account;
  Timestamp enrolled_at;
  std::optional<SealedProfile> sealed;
  bool card_blocked = false;
};

// Finds many in one round trip. Parallel to the keys: kCardNotFound; kMemberNotFound, also for a
// card whose owner nobody knows yet. Errors: kQueueFull, kStoreUnavailable.
absl::StatusOr<std::vector<absl::StatusOr<FoundMember>>> FindMembers(
    postgres::Pool& pool, const std::vector<MemberKeyAsked>& keys);

// Whether the partner enrolled the member, or posted anything to its account.
bool WasServedBy(postgres::Transaction& transaction, AccountId account, PartnerId partner);

// Issues so many cards, or gives those that the request got before. `request` is the request's key:
// it tells callers apart. Errors: kMemberNotFound, kRequestIdReused.
absl::StatusOr<std::vector<CardRow>> IssueCards(postgres::Transaction& transaction,
                                                AccountId account, int count, const Uuid& request,
                                                Timestamp now);

}  // namespace guilder::member
