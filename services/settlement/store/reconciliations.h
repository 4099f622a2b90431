// Reads what partners compare their books with, and reads and writes reconciliations and breaks.
//
// Each function runs in the caller's transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/reconciliation.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

using ReconciliationId = StrongId<struct ReconciliationTag, int64_t>;
using BreakId = StrongId<struct BreakTag, int64_t>;

// Which records have those claims: a partner's receipts that were posted, in any window.
std::map<Uuid, RecordPlace> FindClaimed(postgres::Transaction& transaction,
                                        const std::vector<Uuid>& claims);

// Where reading a partner's records goes on.
struct RecordPosition {
  Timestamp posted_at;
  RecordPlace place;
};
struct OurPage {
  std::vector<OurItem> items;
  // Nothing after the last page.
  std::optional<RecordPosition> last;
};
// What a partner posted in [from, until), by posted time; at most `limit` records after `after`.
// They never change once the window is sealed.
OurPage ReadOurItems(postgres::Transaction& transaction, PartnerId partner, Timestamp from,
                     Timestamp until, const RecordPosition& after, int limit);
// The sums of a window by the partner's contracts.
std::map<ReconciledItem, Points> ReadOurTotals(postgres::Transaction& transaction,
                                               PartnerId partner, Timestamp window_start);

// Whether the partner posted that record at or after `from`.
bool WasPostedAfter(postgres::Transaction& transaction, PartnerId partner, RecordPlace place,
                    Timestamp from);

struct Reconciliation {
  ReconciliationId id;
  PartnerId partner;
  Timestamp window_start;
  Timestamp submitted_at;
  std::string submitted_by;
  Uuid request_id{};
  Digest fingerprint{};  // Of what was submitted.
  // Without findings and complete items when it was read.
  Comparison found;
  int64_t cleared = 0;
};

std::optional<Reconciliation> FindReconciliation(postgres::Transaction& transaction,
                                                 PartnerId partner, const Uuid& request_id);
std::optional<Reconciliation> FindReconciliation(postgres::Transaction& transaction,
                                                 ReconciliationId id);

// Stores a reconciliation and its breaks, and gives it with its id and what it cleared. A break
// that is open already stays the same one. Open breaks of the window that were not found again are
// cleared, where the lines were complete or are totals. One at a time for a partner.
//
// Error: REQUEST_ID_REUSED, when it was stored meanwhile.
absl::StatusOr<Reconciliation> StoreReconciliation(postgres::Transaction& transaction,
                                                   Reconciliation reconciliation);

// Names are those of settlement.breaks.state and resolution.
enum class BreakState { kOpen, kAssigned, kResolved };
enum class BreakResolution { kNone, kAccepted, kPosted, kAdjusted, kCleared };

struct Break {
  BreakId id;
  ReconciliationId reconciliation;
  PartnerId partner;
  std::string partner_slug;
  Timestamp window_start;
  Finding finding;
  BreakState state = BreakState::kOpen;
  std::string owner;
  Timestamp opened_at;
  BreakResolution resolution = BreakResolution::kNone;
  std::string fix;
  std::string note;
  std::string resolved_by;
  std::optional<Timestamp> resolved_at;
};

struct BreakFilter {
  std::optional<PartnerId> partner;
  std::optional<Timestamp> window_start;
  bool include_resolved = false;
};
// By id, those after it.
std::vector<Break> ListBreaks(postgres::Transaction& transaction, const BreakFilter& filter,
                              BreakId after, int limit);
// Locks it for the caller's change. NAME_NOT_FOUND.
absl::StatusOr<Break> LockBreak(postgres::Transaction& transaction, BreakId id);
// Stores owner, state, and how it was resolved.
void UpdateBreak(postgres::Transaction& transaction, const Break& changed);

// Whether there is such an operator.
bool OperatorExists(postgres::Transaction& transaction, const std::string& operator_id);

}  // namespace guilder::settlement
