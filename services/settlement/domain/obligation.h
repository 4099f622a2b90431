// The life of an obligation, from its approval until nothing of it is open.
//
//            Instruct                Pay                  Pay
//   OPEN ──────────────▶ INSTRUCTED ─────▶ PARTLY_PAID ─────────▶ PAID
//     │                                      ▲    │ PassDue
//     │ PassDue                              │Pay ▼
//     └─────────────────────────────────────▶ OVERDUE ──Default──▶ DEFAULTED
//
// Whatever is not PAID may be given up by WriteOff: WRITTEN_OFF. A payment that the bank takes back
// (ReturnPayment) opens what it had paid. All functions are pure and give the status afterwards.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/netting/netting.h"

namespace guilder::settlement {

// Names are those of settlement.obligations.state.
enum class ObligationState {
  kOpen,
  kInstructed,  // Its payment is in a file for the bank; the bank has not said that it was made.
  kPartlyPaid,
  kPaid,
  kOverdue,
  kDefaulted,  // Its owner will not pay: the loss is posted, and has an owner.
  kWrittenOff,
};
std::string_view ObligationStateName(ObligationState state);
std::optional<ObligationState> ObligationStateFromName(std::string_view name);

struct ObligationStatus {
  ObligationState state = ObligationState::kOpen;
  MinorUnits paid;
  MinorUnits written_off;
  Timestamp due_at;
  friend bool operator==(const ObligationStatus&, const ObligationStatus&) = default;
};

// What is neither paid nor written off.
MinorUnits OpenAmount(const netting::Obligation& debt, const ObligationStatus& status);
// Nothing of it is open.
bool IsClosed(ObligationState state);

// The payment of what is open was written into a file. Errors: WRONG_STATE, the partner is not
// paid, or it is instructed, defaulted or closed.
absl::StatusOr<ObligationStatus> Instruct(const netting::Obligation& debt, ObligationStatus status);

// The bank will not make the payment that was instructed: it may be instructed again. Errors:
// WRONG_STATE, it is not instructed.
absl::StatusOr<ObligationStatus> RejectInstruction(const netting::Obligation& debt,
                                                   ObligationStatus status, Timestamp now);

// The bank says that so much was paid. Errors, first match wins: WRONG_STATE, it is closed;
// AMOUNT_OUT_OF_RANGE, the amount is not above zero, or more than is open.
absl::StatusOr<ObligationStatus> Pay(const netting::Obligation& debt, ObligationStatus status,
                                     MinorUnits amount);

// The bank took so much of what was paid back. What the programme pays may be instructed again; of
// what was written off, more is. Errors: AMOUNT_OUT_OF_RANGE, the amount is not above zero, or more
// than was paid.
absl::StatusOr<ObligationStatus> ReturnPayment(const netting::Obligation& debt,
                                               ObligationStatus status, MinorUnits amount,
                                               Timestamp now);

// So much of what had been written off was paid after all. Errors, first match wins: WRONG_STATE,
// it was not written off; AMOUNT_OUT_OF_RANGE, the amount is not above zero, or more than that.
absl::StatusOr<ObligationStatus> Recover(ObligationStatus status, MinorUnits amount);

// What is open and due by now is overdue; anything else stays as it is.
ObligationStatus PassDue(ObligationStatus status, Timestamp now);

// The partner will not pay what is open. Errors: WRONG_STATE, it is not overdue, or not the
// partner's to pay.
absl::StatusOr<ObligationStatus> Default(const netting::Obligation& debt, ObligationStatus status);

// What is open is given up. After a default the loss has been posted already. Errors: WRONG_STATE,
// it is closed, or its payment is with the bank.
absl::StatusOr<ObligationStatus> WriteOff(const netting::Obligation& debt, ObligationStatus status);

// The account of the money ledger that what is open stands in: the partner's receivable or payable;
// losses from the default or the write-off on, so that what is paid after it lowers the loss.
netting::MoneyAccount ClaimAccount(const netting::Obligation& debt, ObligationState state);

}  // namespace guilder::settlement
