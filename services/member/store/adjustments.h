// Adjustments as they were asked for, approved and posted.
//
// Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/member/domain/adjustment.h"

namespace guilder::member {

// One operator's adjustments come one after the other from here to the commit, so that a day's sum
// holds.
void LockAdjustmentsOf(postgres::Transaction& transaction, const std::string& proposed_by);

// What that operator adjusted since then, given or taken: what was rejected or refused is left out.
Points AdjustedSince(postgres::Transaction& transaction, const std::string& proposed_by,
                     Timestamp since);

// Gives the adjustment its id.
void InsertAdjustment(postgres::Transaction& transaction, Adjustment& adjustment);

std::optional<Adjustment> FindAdjustment(postgres::Transaction& transaction,
                                         const Uuid& request_id);
// Locks the row until the commit.
std::optional<Adjustment> LockAdjustment(postgres::Transaction& transaction, int64_t id);

// `decided_by` is empty where nobody approved or rejected it.
void SetAdjustmentState(postgres::Transaction& transaction, int64_t id, AdjustmentState state,
                        const std::string& decided_by);

// Those with a lower id than `before`, latest first; of any state when unspecified.
std::vector<Adjustment> ListAdjustments(postgres::Transaction& transaction, AdjustmentState state,
                                        int64_t before, int limit);

struct AdjustmentSum {
  AdjustmentReason reason{};
  PartnerId payer;
  int64_t count = 0;
  Points given;
  Points taken;
};
// Of what was posted in [from, until).
std::vector<AdjustmentSum> SumAdjustments(postgres::Transaction& transaction, Timestamp from,
                                          Timestamp until);

// Posts an adjustment that was inserted before.
class AdjustmentCommand : public ledger::Command {
 public:
  Adjustment adjustment;
};

// Of AdjustmentCommands alone: what is posted is marked so in the same transaction. Thread safe.
class AdjustmentRows final : public ledger::RowStore {
 public:
  void Write(postgres::Transaction& transaction,
             const std::vector<ledger::Command*>& commands) override;
};

}  // namespace guilder::member
