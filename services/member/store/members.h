// Members and cards, as the tables have them. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/member/domain/vault.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

struct CardRow {
  CardNumber number;
  bool blocked = false;
};

struct MemberRow {
  AccountId account;
  Timestamp enrolled_at;
  // Nothing for a member who was erased.
  std::optional<SealedProfile> sealed;
  std::vector<CardRow> cards;  // the oldest first
};

std::optional<MemberRow> ReadMember(postgres::Transaction& transaction, AccountId account);

// Of several members with one phone number or address, the one enrolled first.
std::optional<AccountId> FindByCard(postgres::Transaction& transaction, CardNumber card);
std::optional<AccountId> FindByPhone(postgres::Transaction& transaction, const Digest& index);
std::optional<AccountId> FindByEmail(postgres::Transaction& transaction, const Digest& index);

// Whether the partner enrolled the member, or posted anything to its account.
bool WasServedBy(postgres::Transaction& transaction, AccountId account, PartnerId partner);

// Issues so many cards, or gives those that the request got before. `request` is the request's key:
// it tells callers apart. Errors: kMemberNotFound, kRequestIdReused.
absl::StatusOr<std::vector<CardRow>> IssueCards(postgres::Transaction& transaction,
                                                AccountId account, int count, const Uuid& request,
                                                Timestamp now);

// Blocks a card. Of several reasons the first stays. Nothing when there is no such card.
std::optional<CardRow> BlockCard(postgres::Transaction& transaction, CardNumber card,
                                 const std::string& reason);

}  // namespace guilder::member
