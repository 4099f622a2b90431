// Disputes of billed lines: by which rules they are opened and decided, and what they credit. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

using DisputeId = StrongId<struct DisputeTag, int64_t>;
using AdjustmentId = StrongId<struct AdjustmentTag, int64_t>;

// Names are those of settlement.disputes.
enum class DisputeState { kOpen, kUpheld, kRejected };
std::string_view DisputeStateName(DisputeState state);
std::optional<DisputeState> DisputeStateFromName(std::string_view name);

struct DisputePolicy {
  int open_days = 60;
  int resolve_days = 30;
  // Whether what is disputed is not overdue before it is decided.
  bool excluded = false;
  DisputeState default_outcome = DisputeState::kRejected;
};
// REQUEST_MALFORMED, naming the field.
absl::Status CheckDisputePolicy(const DisputePolicy& policy);

struct Dispute {
  DisputeId id;
  PartnerId partner;
  SettlementId settlement;
  int line = 0;
  MinorUnits amount;  // Without tax.
  std::string reason;
  Digest evidence{};
  std::string evidence_name;
  DisputeState state = DisputeState::kOpen;
  bool excluded = false;
  std::string opened_by;
  Timestamp opened_at;
  Timestamp deadline;
  DisputeState default_outcome = DisputeState::kRejected;
  std::string resolved_by;
  std::optional<Timestamp> resolved_at;
  std::string note;
  MinorUnits credited;
  AdjustmentId adjustment;  // None where nothing was credited.
  Uuid request_id{};
};

// Opens a dispute of that line, all of it where `amount` is zero; the other fields of `dispute` are
// the caller's. Errors, first match wins: WRONG_STATE, the settlement is not approved, the line
// bills nothing, or it is too late; AMOUNT_OUT_OF_RANGE, the amount is negative or more than the
// line's.
absl::StatusOr<Dispute> Open(Dispute dispute, const Line& line, const Settlement& settlement,
                             const DisputePolicy& policy, Timestamp now);

// Decides it: credits `credited`, all of it where that is zero, when it is upheld. Errors, first
// match wins: WRONG_STATE, it is decided; AMOUNT_OUT_OF_RANGE, more than was disputed.
absl::StatusOr<Dispute> Decide(Dispute dispute, DisputeState outcome, MinorUnits credited,
                               const std::string& by, Timestamp now);

// What nobody decided by its deadline has its default outcome; anything else stays.
Dispute AtDeadline(Dispute dispute, Timestamp now);

// An amount that is credited to a partner for a line, in the window that is open then.
struct Adjustment {
  AdjustmentId id;
  PartnerId partner;
  SettlementId settlement;
  int line = 0;
  // "disputes/3" or "breaks/7".
  std::string source;
  MinorUnits net;
  MinorUnits tax;
  std::string posted_by;
  Timestamp posted_at;
};

// The tax on `net` at the line's rate, half away from zero; never more than the line's own where
// the net is all of it.
MinorUnits TaxOn(const Line& line, MinorUnits net);

// The money that moves: what the line was billed by, back to what is owed to the partner.
std::vector<netting::MoneyEntry> CreditEntries(const Line& line, const Adjustment& adjustment);

}  // namespace guilder::settlement
