// What could not be posted and waits for an operator. Each function runs in the caller's
// transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

struct ParkedItem {
  // The two name the item: a repeat of the request finds it again.
  PartnerId partner;
  Uuid request_id{};
  std::string partner_slug;  // filled in by reads
  AccountId account;         // none when it is not known
  std::string reason;
  Timestamp created_at;
  std::string refers_to;
  std::string content;
  bool resolved = false;
  std::string resolution;
};

// Stores items that are not there yet.
void ParkItems(postgres::Transaction& tx, const std::vector<ParkedItem>& items);

// What was parked and is posted after all, by a repeat of its request, waits no longer.
void ResolvePosted(postgres::Transaction& tx, PartnerId partner, const Uuid& request_id,
                   Timestamp now);

struct ParkedPosition {
  Timestamp created_at;
  PartnerId partner;
  Uuid request_id{};
};

// Oldest first. All partners when `partner` is none.
std::vector<ParkedItem> ListParkedItems(postgres::Transaction& tx, PartnerId partner,
                                        bool include_resolved, const ParkedPosition& after,
                                        int limit);

// Errors: kParkedItemNotFound, kWrongState.
absl::StatusOr<ParkedItem> ResolveParkedItem(postgres::Transaction& tx, PartnerId partner,
                                             const Uuid& request_id, const std::string& resolution,
                                             Timestamp now);

}  // namespace guilder::accrual
