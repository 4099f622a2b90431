#include "services/settlement/domain/obligation.h"

#include "libs/base/reason.h"

namespace guilder::settlement {
namespace {

struct StateText {
  ObligationState state;
  std::string_view name;
};
constexpr StateText kStates[] = {
    {ObligationState::kOpen, "OPEN"},
    {ObligationState::kInstructed, "INSTRUCTED"},
    {ObligationState::kPartlyPaid, "PARTLY_PAID"},
    {ObligationState::kPaid, "PAID"},
    {ObligationState::kOverdue, "OVERDUE"},
    {ObligationState::kDefaulted, "DEFAULTED"},
    {ObligationState::kWrittenOff, "WRITTEN_OFF"},
};

bool PartnerPays(const netting::Obligation& debt) {
  return debt.direction == netting::Direction::kPartnerPays;
}

}  // namespace

std::string_view ObligationStateName(ObligationState state) {
  for (const StateText& text : kStates) {
    if (text.state == state) return text.name;
  }
  return "";
}

std::optional<ObligationState> ObligationStateFromName(std::string_view name) {
  for (const StateText& text : kStates) {
    if (text.name == name) return text.state;
  }
  return std::nullopt;
}

MinorUnits OpenAmount(const netting::Obligation& debt, const ObligationStatus& status) {
  return debt.amount - status.paid - status.written_off;
}

bool IsClosed(ObligationState state) {
  return state == ObligationState::kPaid || state == ObligationState::kWrittenOff;
}

absl::StatusOr<ObligationStatus> Instruct(const netting::Obligation& debt,
                                          ObligationStatus status) {
  if (PartnerPays(debt) || status.state == ObligationState::kInstructed ||
      status.state == ObligationState::kDefaulted || IsClosed(status.state)) {
    return Refuse(Reason::kWrongState);
  }
  status.state = ObligationState::kInstructed;
  return status;
}

absl::StatusOr<ObligationStatus> RejectInstruction(const netting::Obligation& debt,
                                                   ObligationStatus status, Timestamp now) {
  if (status.state != ObligationState::kInstructed || PartnerPays(debt)) {
    return Refuse(Reason::kWrongState);
  }
  status.state =
      status.paid == MinorUnits() ? ObligationState::kOpen : ObligationState::kPartlyPaid;
  return PassDue(status, now);
}

absl::StatusOr<ObligationStatus> Pay(const netting::Obligation& debt, ObligationStatus status,
                                     MinorUnits amount) {
  if (IsClosed(status.state)) return Refuse(Reason::kWrongState);
  if (amount <= MinorUnits() || amount > OpenAmount(debt, status)) {
    return Refuse(Reason::kAmountOutOfRange);
  }
  status.paid += amount;
  if (OpenAmount(debt, status) == MinorUnits()) {
    status.state = ObligationState::kPaid;
  } else if (status.state != ObligationState::kOverdue &&
             status.state != ObligationState::kDefaulted) {
    status.state = ObligationState::kPartlyPaid;
  }
  return status;
}

absl::StatusOr<ObligationStatus> ReturnPayment(const netting::Obligation& debt,
                                               ObligationStatus status, MinorUnits amount,
                                               Timestamp now) {
  if (amount <= MinorUnits() || amount > status.paid || amount > debt.amount) {
    return Refuse(Reason::kAmountOutOfRange);
  }
  status.paid -= amount;
  // Two people have given the rest up: what does not come after all is a loss, too.
  if (status.state == ObligationState::kWrittenOff) {
    status.written_off += amount;
    return status;
  }
  if (status.state == ObligationState::kDefaulted) return status;
  status.state =
      status.paid == MinorUnits() ? ObligationState::kOpen : ObligationState::kPartlyPaid;
  return PassDue(status, now);
}

absl::StatusOr<ObligationStatus> Recover(ObligationStatus status, MinorUnits amount) {
  if (status.state != ObligationState::kWrittenOff) return Refuse(Reason::kWrongState);
  if (amount <= MinorUnits() || amount > status.written_off) {
    return Refuse(Reason::kAmountOutOfRange);
  }
  status.written_off -= amount;
  status.paid += amount;
  if (status.written_off == MinorUnits()) status.state = ObligationState::kPaid;
  return status;
}

ObligationStatus PassDue(ObligationStatus status, Timestamp now) {
  const bool waits =
      status.state == ObligationState::kOpen || status.state == ObligationState::kPartlyPaid;
  if (waits && status.due_at <= now) status.state = ObligationState::kOverdue;
  return status;
}

absl::StatusOr<ObligationStatus> Default(const netting::Obligation& debt, ObligationStatus status) {
  if (!PartnerPays(debt) || status.state != ObligationState::kOverdue) {
    return Refuse(Reason::kWrongState);
  }
  status.state = ObligationState::kDefaulted;
  return status;
}

absl::StatusOr<ObligationStatus> WriteOff(const netting::Obligation& debt,
                                          ObligationStatus status) {
  if (IsClosed(status.state) || status.state == ObligationState::kInstructed) {
    return Refuse(Reason::kWrongState);
  }
  status.written_off = debt.amount - status.paid;
  status.state = ObligationState::kWrittenOff;
  return status;
}

netting::MoneyAccount ClaimAccount(const netting::Obligation& debt, ObligationState state) {
  using netting::AccountKind;
  if (state == ObligationState::kWrittenOff) return {AccountKind::kLosses, {}, {}};
  if (!PartnerPays(debt)) return {AccountKind::kPartnerPayable, debt.partner, {}};
  if (state == ObligationState::kDefaulted) return {AccountKind::kLosses, {}, {}};
  return {AccountKind::kPartnerReceivable, debt.partner, {}};
}

}  // namespace guilder::settlement
