// What members agreed to. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

// What consent is about. The numbers are the wire's, and stored.
struct ConsentKey {
  PartnerId partner;
  int purpose = 0;
  int channel = 0;
  friend bool operator==(const ConsentKey&, const ConsentKey&) = default;
};

struct ConsentRow {
  ConsentKey key;
  bool granted = false;
  Timestamp changed_at;
  std::string changed_by;
  std::string source;
};

// Notes what was said, unless it is what was said last; gives what is so. Those who say something
// of one member come one after the other. Errors: kMemberNotFound, kMemberErased.
absl::StatusOr<ConsentRow> SetConsent(postgres::Transaction& transaction, AccountId account,
                                      const ConsentRow& said);

// In the order in which it was said: of each key the last, or with `history` all. `partner` may be
// none for those of all partners.
std::vector<ConsentRow> ReadConsents(postgres::Transaction& transaction, AccountId account,
                                     PartnerId partner, bool history);

// Parallel to the accounts: whether the member agrees now, and is neither closed nor erased.
std::vector<bool> CheckConsents(postgres::Transaction& transaction,
                                const std::vector<AccountId>& accounts, const ConsentKey& key);

}  // namespace guilder::member
