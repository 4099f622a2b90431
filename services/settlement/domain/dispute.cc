#include "services/settlement/domain/dispute.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "libs/base/reason.h"

namespace guilder::settlement {
namespace {

using netting::AccountKind;
using netting::EntryCause;
using netting::MoneyEntry;
using netting::MoneyLeg;

constexpr int kMaxDays = 400;
constexpr int64_t kMillion = 1'000'000;
constexpr char kDeadline[] = "deadline";

struct StateText {
  DisputeState state;
  std::string_view name;
};
constexpr StateText kStates[] = {{DisputeState::kOpen, "OPEN"},
                                 {DisputeState::kUpheld, "UPHELD"},
                                 {DisputeState::kRejected, "REJECTED"}};

// What a credit for a line is debited to, and why.
std::pair<AccountKind, EntryCause> AccountOf(MoneyLeg leg) {
  switch (leg) {
    case MoneyLeg::kFee:
      return {AccountKind::kFees, EntryCause::kFee};
    case MoneyLeg::kReimbursement:
      return {AccountKind::kRedemptionCost, EntryCause::kReimbursement};
    case MoneyLeg::kBreakage:
      return {AccountKind::kBreakage, EntryCause::kBreakage};
    case MoneyLeg::kIssuance:
    case MoneyLeg::kReserve:
    case MoneyLeg::kPointBlock:
      break;
  }
  return {AccountKind::kIssuanceRevenue, EntryCause::kIssuance};
}

Timestamp Days(int days) {
  return Timestamp(days * kMicrosPerDay);
}

}  // namespace

std::string_view DisputeStateName(DisputeState state) {
  for (const StateText& text : kStates) {
    if (text.state == state) return text.name;
  }
  return "";
}

std::optional<DisputeState> DisputeStateFromName(std::string_view name) {
  for (const StateText& text : kStates) {
    if (text.name == name) return text.state;
  }
  return std::nullopt;
}

absl::Status CheckDisputePolicy(const DisputePolicy& policy) {
  if (policy.open_days < 1 || policy.open_days > kMaxDays) {
    return Refuse(Reason::kRequestMalformed, "open_days", {{"field", "policy.open_days"}});
  }
  if (policy.resolve_days < 1 || policy.resolve_days > kMaxDays) {
    return Refuse(Reason::kRequestMalformed, "resolve_days", {{"field", "policy.resolve_days"}});
  }
  if (policy.default_outcome == DisputeState::kOpen) {
    return Refuse(Reason::kRequestMalformed, "default_outcome",
                  {{"field", "policy.default_outcome"}});
  }
  return absl::OkStatus();
}

absl::StatusOr<Dispute> Open(Dispute dispute, const Line& line, const Settlement& settlement,
                             const DisputePolicy& policy, Timestamp now) {
  if (!settlement.approved_at) return Refuse(Reason::kWrongState, "the settlement is not approved");
  if (line.bill.leg == MoneyLeg::kReserve) {
    return Refuse(Reason::kWrongState, "a reserve is the partner's own money");
  }
  if (line.bill.amount <= MinorUnits()) return Refuse(Reason::kWrongState, "it bills nothing");
  if (now >= *settlement.approved_at + Days(policy.open_days)) {
    return Refuse(Reason::kWrongState, "it may not be disputed any more");
  }
  if (dispute.amount == MinorUnits()) dispute.amount = line.bill.amount;
  if (dispute.amount < MinorUnits() || dispute.amount > line.bill.amount) {
    return Refuse(Reason::kAmountOutOfRange, "more than the line bills");
  }
  dispute.partner = line.bill.partner;
  dispute.settlement = settlement.id;
  dispute.line = line.number;
  dispute.state = DisputeState::kOpen;
  dispute.excluded = policy.excluded;
  dispute.opened_at = now;
  dispute.deadline = now + Days(policy.resolve_days);
  dispute.default_outcome = policy.default_outcome;
  return dispute;
}

absl::StatusOr<Dispute> Decide(Dispute dispute, DisputeState outcome, MinorUnits credited,
                               const std::string& by, Timestamp now) {
  if (dispute.state != DisputeState::kOpen || outcome == DisputeState::kOpen) {
    return Refuse(Reason::kWrongState);
  }
  if (outcome == DisputeState::kUpheld && credited == MinorUnits()) credited = dispute.amount;
  const bool right = outcome == DisputeState::kUpheld
                         ? credited > MinorUnits() && credited <= dispute.amount
                         : credited == MinorUnits();
  if (!right) return Refuse(Reason::kAmountOutOfRange, "more than was disputed");
  dispute.state = outcome;
  dispute.credited = credited;
  dispute.resolved_by = by;
  dispute.resolved_at = now;
  return dispute;
}

Dispute AtDeadline(Dispute dispute, Timestamp now) {
  if (dispute.state != DisputeState::kOpen || now < dispute.deadline) return dispute;
  const DisputeState outcome = dispute.default_outcome;
  dispute.note = "nobody decided in time";
  absl::StatusOr<Dispute> decided =
      Decide(dispute, outcome, MinorUnits(), kDeadline, dispute.deadline);
  return decided.ok() ? *decided : dispute;
}

MinorUnits TaxOn(const Line& line, MinorUnits net) {
  if (net == line.bill.amount) return line.bill.tax;
  const auto product = static_cast<__int128>(net.value()) * line.tax_ppm;
  const MinorUnits tax(static_cast<int64_t>((product + kMillion / 2) / kMillion));
  // The line's own was rounded over all lines before it, too.
  return std::min(tax, line.bill.tax);
}

std::vector<MoneyEntry> CreditEntries(const Line& line, const Adjustment& adjustment) {
  // What was billed is income less, what is paid is cost more. What points that are outstanding
  // were sold for stays as it is: it follows from all points so far.
  MoneyEntry net;
  std::tie(net.debit.kind, net.cause) = AccountOf(line.bill.leg);
  net.credit = {AccountKind::kPartnerPayable, adjustment.partner, {}};
  net.amount = adjustment.net;
  net.partner = adjustment.partner;
  net.contract = line.bill.contract;
  std::vector<MoneyEntry> entries = {net};
  if (adjustment.tax > MinorUnits()) {
    MoneyEntry tax = net;
    tax.debit = {AccountKind::kTax, {}, line.bill.tax_code};
    tax.amount = adjustment.tax;
    tax.is_tax = true;
    entries.push_back(tax);
  }
  return entries;
}

}  // namespace guilder::settlement
