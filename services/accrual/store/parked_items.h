// What could not be posted and waits for an operator. Each function runs in the caller's
// transaction.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

// What a parked item asked for. The numbers are stored.
enum class ParkedKind { kUnknown = 0, kPurchase = 1, kReturn = 2 };

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
  // What was asked, so that it can be posted: a purchase by EncodePurchase, a return as a
  // serialized RecordReturnRequest.
  ParkedKind kind = ParkedKind::kUnknown;
  std::string request;
  // The claim of the sale that a return waits for.
  std::optional<Uuid> sale_claim;
  // Of a return that names no sale: "purchases/{id}" that somebody named for it, who did, and who
  // let it be posted.
  std::string proposed_purchase;
  std::string proposed_by;
  std::string approved_by;
};

// Stores items that are not there yet.
void ParkItems(postgres::Transaction& tx, const std::vector<ParkedItem>& items);

// What was parked and is posted after all, by a repeat of its request or by who approved it, waits
// no longer. The note of what was approved stays.
void ResolvePosted(postgres::Transaction& tx, PartnerId partner, const Uuid& request_id,
                   Timestamp now);

// The items of a partner's requests that were parked for a reason, resolved ones too.
struct ParkedFor {
  PartnerId partner;
  Uuid request_id{};
  auto operator<=>(const ParkedFor&) const = default;
};
std::set<ParkedFor> FindParkedFor(postgres::Transaction& tx, const std::vector<ParkedFor>& asked,
                                  std::string_view reason);

// Opens an item again that ResolvePosted has closed, so that an operator's note closes it.
void ReopenPosted(postgres::Transaction& tx, PartnerId partner, const Uuid& request_id);

struct ParkedPosition {
  Timestamp created_at;
  PartnerId partner;
  Uuid request_id{};
};

// Oldest first. All partners when `partner` is none.
std::vector<ParkedItem> ListParkedItems(postgres::Transaction& tx, PartnerId partner,
                                        bool include_resolved, const ParkedPosition& after,
                                        int limit);

// Returns whose sale has come since, and those that have waited since before `too_long_ago`, oldest
// first.
std::vector<ParkedItem> ReadDueReturns(postgres::Transaction& tx, Timestamp too_long_ago,
                                       int limit);
// Whether any return waits for its sale.
bool AnyReturnWaits(postgres::Transaction& tx);

// Error: kParkedItemNotFound.
absl::StatusOr<ParkedItem> FindParkedItem(postgres::Transaction& tx, PartnerId partner,
                                          const Uuid& request_id);

// The same; nobody else changes it until the transaction ends.
absl::StatusOr<ParkedItem> LockParkedItem(postgres::Transaction& tx, PartnerId partner,
                                          const Uuid& request_id);
// Writes an item's proposed sale, its proposer and the note, or takes them away where they are
// empty; it has to be approved anew.
void ProposeParkedReturn(postgres::Transaction& tx, const ParkedItem& item);
// Writes who approved it.
void ApproveParkedReturn(postgres::Transaction& tx, const ParkedItem& item);

// Errors: kParkedItemNotFound, kWrongState.
absl::StatusOr<ParkedItem> ResolveParkedItem(postgres::Transaction& tx, PartnerId partner,
                                             const Uuid& request_id, const std::string& resolution,
                                             Timestamp now);

}  // namespace guilder::accrual
