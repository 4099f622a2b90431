// Points from one member to another: what the programme's policy allows, and what it costs.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/posting.h"

namespace guilder::member {

// The defaults are those of a programme that has set nothing.
struct TransferPolicy {
  bool allowed = true;
  Points minimum{10};
  Points step{1};
  Points fee;
  int64_t fee_ppm = 0;
  // In a calendar year of the programme's zone; none for no limit.
  std::optional<Points> yearly_out = Points(50'000);
  std::optional<Points> yearly_in = Points(50'000);
  int account_age_days = 0;
  int reversal_minutes = 15;
};

inline constexpr int64_t kMostFeePpm = 1'000'000;
inline constexpr int kMostAccountAgeDays = 3'650;
inline constexpr int kMostReversalMinutes = 7 * 24 * 60;

// Refuses: kRequestMalformed, naming the field.
absl::Status CheckPolicy(const TransferPolicy& policy);

// What the policy looks at besides the accounts.
struct TransferFacts {
  // So far in this calendar year, reversed ones left out.
  Points sent;
  Points received;
  // When the giver was enrolled.
  Timestamp enrolled_at;
  // Whether any card of the giver works.
  bool has_working_card = true;
  // Whether wrong PINs have locked the giver's spending.
  bool spending_locked = false;
};

// What the giver pays besides the points.
Points FeeOf(const TransferPolicy& policy, Points points);

// Gives the fee, which the giver pays from what is left: it is breakage, the programme's income.
//
// Refuses, in this order: kLimitExceeded, with the limit's name in the details: transfers_allowed,
// minimum_points, step_points, account_age_days, yearly_out_points, yearly_in_points; kCardBlocked;
// kSpendingLocked; then as ledger::DecideMove, the fee included.
absl::StatusOr<Points> DecideTransfer(const TransferPolicy& policy, const TransferFacts& facts,
                                      ledger::Posting& from, ledger::Posting& to, Points points);

// Gives the points of a transfer back that was posted at `posted_at`; `received_by` is the record
// that gave the receiver its lots. Gives the points.
//
// Refuses, in this order: kAccountClosed, either is; kLimitExceeded (reversal_minutes), it is too
// long ago; kWrongState, not all of them are there any more.
absl::StatusOr<Points> DecideTransferReversal(const TransferPolicy& policy, Timestamp posted_at,
                                              RecordNumber received_by, Points points,
                                              ledger::Posting& giver, ledger::Posting& receiver);

}  // namespace guilder::member
