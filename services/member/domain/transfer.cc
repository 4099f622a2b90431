#include "services/member/domain/transfer.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/moves.h"

namespace guilder::member {
namespace {

constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;

absl::Status Exceeds(const char* limit, int64_t value) {
  return Refuse(Reason::kLimitExceeded, limit, {{"limit", limit}, {limit, std::to_string(value)}});
}

absl::Status CheckYear(const char* limit, const std::optional<Points>& most, Points so_far,
                       Points points) {
  if (!most || so_far + points <= *most) return absl::OkStatus();
  return Refuse(Reason::kLimitExceeded, limit,
                {{"limit", limit},
                 {limit, std::to_string(most->value())},
                 {"used_points", std::to_string(so_far.value())}});
}

}  // namespace

absl::Status CheckPolicy(const TransferPolicy& policy) {
  const auto check = [](bool fits, const char* field) {
    return fits ? absl::OkStatus()
                : Refuse(Reason::kRequestMalformed, field,
                         {{"field", absl::StrCat("policy.transfer.", field)}});
  };
  const auto is_amount = [](Points points) {
    return points >= Points(0) && points <= kMaxPointsPerCommand;
  };
  GUILDER_RETURN_IF_ERROR(
      check(is_amount(policy.minimum) && policy.minimum > Points(0), "minimum_points"));
  GUILDER_RETURN_IF_ERROR(check(is_amount(policy.step) && policy.step > Points(0), "step_points"));
  GUILDER_RETURN_IF_ERROR(check(is_amount(policy.fee), "fee_points"));
  GUILDER_RETURN_IF_ERROR(check(policy.fee_ppm >= 0 && policy.fee_ppm <= kMostFeePpm, "fee_ppm"));
  GUILDER_RETURN_IF_ERROR(
      check(is_amount(policy.yearly_out.value_or(Points(0))), "yearly_out_points"));
  GUILDER_RETURN_IF_ERROR(
      check(is_amount(policy.yearly_in.value_or(Points(0))), "yearly_in_points"));
  GUILDER_RETURN_IF_ERROR(
      check(policy.account_age_days >= 0 && policy.account_age_days <= kMostAccountAgeDays,
            "account_age_days"));
  return check(policy.reversal_minutes >= 0 && policy.reversal_minutes <= kMostReversalMinutes,
               "reversal_minutes");
}

Points FeeOf(const TransferPolicy& policy, Points points) {
  const auto share = static_cast<__int128>(points.value()) * policy.fee_ppm / 1'000'000;
  return policy.fee + Points(static_cast<int64_t>(share));
}

absl::StatusOr<Points> DecideTransfer(const TransferPolicy& policy, const TransferFacts& facts,
                                      ledger::Posting& from, ledger::Posting& to, Points points) {
  if (!policy.allowed) return Exceeds("transfers_allowed", 0);
  if (points < policy.minimum) return Exceeds("minimum_points", policy.minimum.value());
  if (points.value() % policy.step.value() != 0) {
    return Exceeds("step_points", policy.step.value());
  }
  const Timestamp old_enough =
      facts.enrolled_at + Timestamp(policy.account_age_days * kMicrosPerDay);
  if (from.now() < old_enough) return Exceeds("account_age_days", policy.account_age_days);
  GUILDER_RETURN_IF_ERROR(CheckYear("yearly_out_points", policy.yearly_out, facts.sent, points));
  GUILDER_RETURN_IF_ERROR(CheckYear("yearly_in_points", policy.yearly_in, facts.received, points));
  if (!facts.has_working_card) return Refuse(Reason::kCardBlocked);
  if (facts.spending_locked) return Refuse(Reason::kSpendingLocked);
  if (points > kMaxPointsPerCommand) return Refuse(Reason::kAmountOutOfRange, "points");

  const Points fee = FeeOf(policy, points);
  const ledger::AccountState& account = from.account();
  const bool can_move = account.status == ledger::AccountStatus::kOpen &&
                        to.account().status == ledger::AccountStatus::kOpen &&
                        account.debt == Points(0);
  if (can_move && account.available < points + fee) {
    return Refuse(Reason::kInsufficientPoints, {},
                  {{"available_points", std::to_string(account.available.value())},
                   {"fee_points", std::to_string(fee.value())}});
  }
  GUILDER_RETURN_IF_ERROR(ledger::DecideMove(from, to, points));
  from.Forfeit(fee);
  return fee;
}

absl::StatusOr<Points> DecideTransferReversal(const TransferPolicy& policy, Timestamp posted_at,
                                              RecordNumber received_by, Points points,
                                              ledger::Posting& giver, ledger::Posting& receiver) {
  for (const ledger::Posting* posting : {&giver, &receiver}) {
    if (posting->account().status != ledger::AccountStatus::kOpen) {
      return Refuse(Reason::kAccountClosed);
    }
  }
  if (giver.now() > posted_at + Timestamp(policy.reversal_minutes * kMicrosPerMinute)) {
    return Exceeds("reversal_minutes", policy.reversal_minutes);
  }
  std::vector<LotId> lots;
  Points there;
  for (const ledger::Lot& lot : receiver.account().lots) {
    if (ledger::RecordOf(lot.id) != received_by) continue;
    lots.push_back(lot.id);
    there += lot.free();
  }
  if (there != points) {
    return Refuse(Reason::kWrongState, "some of the points were used",
                  {{"left_points", std::to_string(there.value())}});
  }
  giver.Receive(receiver.SendLots(lots));
  giver.BringUpToNow();
  return points;
}

}  // namespace guilder::member
