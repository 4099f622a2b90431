// What becomes of obligations: payment files, defaults, and the rules of payment.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/names.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/domain/payments.h"
#include "services/settlement/rpc/settlement_handlers.h"
#include "services/settlement/rpc/settlement_proto.h"
#include "services/settlement/store/money.h"
#include "services/settlement/store/obligations.h"
#include "services/settlement/store/policy.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

MinorUnits OpenOf(const StoredObligation& obligation) {
  return OpenAmount(obligation.debt, obligation.status);
}

// What may be paid to partners now: what was collected and the reserve, less what has been paid or
// is with the bank.
MinorUnits Budget(const std::vector<StoredObligation>& obligations, MinorUnits reserve) {
  MinorUnits budget = reserve;
  for (const StoredObligation& obligation : obligations) {
    if (!IsPayout(obligation)) {
      budget += obligation.status.paid;
    } else {
      budget -= obligation.status.paid;
      if (obligation.status.state == ObligationState::kInstructed) budget -= OpenOf(obligation);
    }
  }
  return budget;
}

// The payouts that a file may have now. Who leaves and has not paid for what it is now given back
// waits until it has.
std::vector<StoredObligation> Payable(const std::vector<StoredObligation>& obligations,
                                      const std::set<PartnerId>& leavers_in_debt,
                                      const Policy& policy) {
  std::vector<StoredObligation> payable;
  for (const StoredObligation& obligation : obligations) {
    if (leavers_in_debt.contains(obligation.debt.partner)) continue;
    if (Instruct(obligation.debt, obligation.status).ok()) payable.push_back(obligation);
  }
  if (policy.payout == PayoutPolicy::kWhenDue) return payable;
  std::vector<MinorUnits> amounts;
  for (const StoredObligation& obligation : payable) amounts.push_back(OpenOf(obligation));
  std::vector<StoredObligation> chosen;
  for (const size_t i : ChoosePayouts(amounts, Budget(obligations, policy.reserve))) {
    chosen.push_back(payable[i]);
  }
  return chosen;
}

// What the programme advances is in its own currency, and for all settlements together: what
// others have had of it and not brought back yet is not there for this one.
Policy PolicyFor(Transaction& transaction, const Programme& programme,
                 const Settlement& settlement) {
  Policy policy = ReadPolicy(transaction, programme.id);
  if (settlement.currency != programme.currency) {
    policy.reserve = MinorUnits();
  } else {
    policy.reserve -= AdvancedToOthers(transaction, settlement);
  }
  policy.reserve = std::max(policy.reserve, MinorUnits());
  return policy;
}

// Payouts wait for their day where there is one, and for no day that has gone by.
absl::CivilDay ExecutionDay(const Policy& policy, const Programme& programme,
                            const std::vector<StoredObligation>& payouts) {
  const absl::CivilDay today = absl::ToCivilDay(ToAbslTime(programme.now), programme.time_zone);
  if (policy.payout != PayoutPolicy::kWhenDue) return today;
  // The end of the day that they are due on.
  const Timestamp due = payouts.front().status.due_at - Timestamp(1);
  return std::max(today, absl::ToCivilDay(ToAbslTime(due), programme.time_zone));
}

// Writes the next file, and remembers it.
absl::StatusOr<StoredPaymentFile> WriteFile(Transaction& transaction, const Programme& programme,
                                            const Settlement& settlement, int number,
                                            const Policy& policy,
                                            const std::vector<StoredObligation>& payouts) {
  GUILDER_ASSIGN_OR_RETURN(const PartnerFacts debtor, FindOperatorPartner(transaction));
  std::vector<PartnerId> partners;
  for (const StoredObligation& payout : payouts) partners.push_back(payout.debt.partner);
  const Directory directory = LoadDirectory(transaction, partners);

  StoredPaymentFile file;
  file.number = number;
  file.file_name = PaymentFileName(settlement.id, number);
  std::vector<Payment> payments;
  for (const StoredObligation& payout : payouts) {
    const PartnerFacts& creditor = directory.partners.at(payout.debt.partner);
    payments.push_back({payout.debt.partner,
                        payout.end_to_end_id,
                        OpenOf(payout),
                        {creditor.legal_name, creditor.iban}});
    file.total += OpenOf(payout);
  }
  file.payments = static_cast<int>(payments.size());
  GUILDER_ASSIGN_OR_RETURN(
      file.content,
      WritePaymentFile(settlement, number, number == 1 ? *settlement.approved_at : programme.now,
                       programme.ExponentOf(settlement.currency),
                       ExecutionDay(policy, programme, payouts), {debtor.legal_name, debtor.iban},
                       payments));
  StorePaymentFile(transaction, settlement.id, file, partners);
  return file;
}

absl::StatusOr<StoredPaymentFile> NextFile(Transaction& transaction, const Settlement& settlement) {
  const std::vector<StoredObligation> obligations = ReadObligations(transaction, settlement.id);
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  const Policy policy = PolicyFor(transaction, programme, settlement);
  const std::vector<StoredObligation> payouts =
      Payable(obligations, LeaversInDebt(transaction, settlement.currency), policy);
  std::optional<StoredPaymentFile> last = FindLastPaymentFile(transaction, settlement.id);
  if (!payouts.empty()) {
    return WriteFile(transaction, programme, settlement, last ? last->number + 1 : 1, policy,
                     payouts);
  }
  // Repeated, or nothing more was collected since.
  if (last) return *std::move(last);
  return Refuse(Reason::kWrongState,
                "no partner is to be paid now; one that leaves is paid when it owes nothing");
}

absl::StatusOr<v1::ExportPaymentsResponse> Export(Transaction& transaction, SettlementId id,
                                                  int number) {
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(const Settlement settlement, FindSettlement(transaction, id));
  if (settlement.state == State::kComputed) {
    return Refuse(Reason::kWrongState, "it is not approved");
  }
  StoredPaymentFile file;
  if (number != 0) {
    std::optional<StoredPaymentFile> found = FindPaymentFile(transaction, id, number);
    if (!found) return Refuse(Reason::kNameNotFound, "it has no payment file of that number");
    file = *std::move(found);
  } else {
    GUILDER_ASSIGN_OR_RETURN(file, NextFile(transaction, settlement));
  }
  v1::ExportPaymentsResponse response;
  response.set_file(std::move(file.content));
  response.set_file_name(std::move(file.file_name));
  response.set_payments(file.payments);
  response.set_file_number(file.number);
  response.mutable_total()->set_currency_code(FormatCurrency(settlement.currency));
  response.mutable_total()->set_minor_units(file.total.value());
  return response;
}

// The loss takes the place of the claim.
absl::Status PostDefault(Transaction& transaction, const StoredObligation& before,
                         const std::string& name, const std::string& by) {
  return PostMoney(transaction, {.kind = MoneyKind::kDefault,
                                 .currency = before.currency,
                                 .reference = name,
                                 .idempotency_key = absl::StrCat(name, "/default"),
                                 .posted_by = by,
                                 .settlement = before.settlement,
                                 .entries = {{{netting::AccountKind::kLosses, {}, {}},
                                              ClaimAccount(before.debt, before.status.state),
                                              OpenOf(before),
                                              before.loss_owner,
                                              {},
                                              netting::EntryCause::kDefault,
                                              false}}})
      .status();
}

absl::StatusOr<v1::DefaultObligationResponse> RunDefault(
    Transaction& transaction, const v1::DefaultObligationRequest& request, const std::string& by) {
  const std::optional<NamedObligation> key = ParseObligationName(request.name());
  if (!key) return Refuse(Reason::kSettlementNotFound);
  LockForWriting(transaction);
  GUILDER_RETURN_IF_ERROR(FindSettlement(transaction, key->settlement).status());
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, FindPartner(transaction, key->partner));
  std::optional<StoredObligation> obligation =
      FindObligation(transaction, key->settlement, partner);
  if (!obligation) return Refuse(Reason::kPartnerNotFound, "it has no obligation there");
  const auto owner = rpc::ParseName("partners/{}", request.loss_owner());
  GUILDER_ASSIGN_OR_RETURN(const PartnerId loss_owner,
                           FindPartner(transaction, owner ? owner->front() : std::string()));
  if (obligation->status.state != ObligationState::kDefaulted ||
      obligation->loss_owner != loss_owner) {
    GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
    obligation->loss_owner = loss_owner;
    obligation->status = PassDue(obligation->status, programme.now);
    GUILDER_ASSIGN_OR_RETURN(const ObligationStatus defaulted,
                             Default(obligation->debt, obligation->status));
    GUILDER_RETURN_IF_ERROR(PostDefault(transaction, *obligation, request.name(), by));
    obligation->status = defaulted;
    UpdateObligation(transaction, *obligation);
  }
  v1::DefaultObligationResponse response;
  *response.mutable_obligation() =
      ToProto(*obligation, LoadDirectory(transaction, {partner, loss_owner}));
  return response;
}

v1::SettlementPolicy ToProto(const Policy& policy, const Programme& programme) {
  v1::SettlementPolicy out;
  out.set_payment_days(policy.payment_days);
  out.set_payout(policy.payout == PayoutPolicy::kWhenDue ? v1::PAYOUT_POLICY_WHEN_DUE
                                                         : v1::PAYOUT_POLICY_WHEN_COLLECTED);
  out.mutable_reserve()->set_currency_code(FormatCurrency(programme.currency));
  out.mutable_reserve()->set_minor_units(policy.reserve.value());
  out.set_settle_each_window(policy.settle_each_window);
  out.set_revision(policy.revision);
  out.set_changed_by(policy.changed_by);
  return out;
}

absl::StatusOr<Policy> FromProto(const v1::SettlementPolicy& policy) {
  Policy out;
  out.payment_days = policy.payment_days();
  out.reserve = MinorUnits(policy.reserve().minor_units());
  out.settle_each_window = policy.settle_each_window();
  switch (policy.payout()) {
    case v1::PAYOUT_POLICY_WHEN_DUE:
      out.payout = PayoutPolicy::kWhenDue;
      break;
    case v1::PAYOUT_POLICY_WHEN_COLLECTED:
      out.payout = PayoutPolicy::kWhenCollected;
      break;
    default:
      return Refuse(Reason::kRequestMalformed, "payout is WHEN_DUE or WHEN_COLLECTED",
                    {{"field", "payout"}});
  }
  GUILDER_RETURN_IF_ERROR(CheckPolicy(out));
  return out;
}

}  // namespace

absl::StatusOr<v1::ExportPaymentsResponse> SettlementHandlers::ExportPayments(
    const rpc::Call& call, const v1::ExportPaymentsRequest& request) {
  const std::optional<SettlementId> id = ParseSettlementName(request.name());
  if (!id) return Refuse(Reason::kSettlementNotFound);
  return rpc::RunAudited(
      pool_, call, "SettlementService/ExportPayments", request.name(), &request,
      [&](Transaction& transaction) { return Export(transaction, *id, request.file_number()); });
}

absl::StatusOr<v1::DefaultObligationResponse> SettlementHandlers::DefaultObligation(
    const rpc::Call& call, const v1::DefaultObligationRequest& request) {
  return rpc::RunAudited(pool_, call, "SettlementService/DefaultObligation", request.name(),
                         &request, [&](Transaction& transaction) {
                           return RunDefault(transaction, request, call.principal().id);
                         });
}

absl::StatusOr<v1::GetSettlementPolicyResponse> SettlementHandlers::GetSettlementPolicy(
    const rpc::Call& call, const v1::GetSettlementPolicyRequest&) {
  return pool_.Read(
      [](Transaction& transaction) -> absl::StatusOr<v1::GetSettlementPolicyResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        v1::GetSettlementPolicyResponse response;
        *response.mutable_policy() = ToProto(ReadPolicy(transaction, programme.id), programme);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UpdateSettlementPolicyResponse> SettlementHandlers::UpdateSettlementPolicy(
    const rpc::Call& call, const v1::UpdateSettlementPolicyRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(Policy policy, FromProto(request.policy()));
  policy.changed_by = call.principal().id;
  return rpc::RunAudited(
      pool_, call, "SettlementService/UpdateSettlementPolicy", "settlementPolicy", &request,
      [&](Transaction& transaction) -> absl::StatusOr<v1::UpdateSettlementPolicyResponse> {
        LockForWriting(transaction);
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        const std::string& currency = request.policy().reserve().currency_code();
        if (!currency.empty() && currency != FormatCurrency(programme.currency)) {
          return Refuse(Reason::kCurrencyNotSupported);
        }
        v1::UpdateSettlementPolicyResponse response;
        *response.mutable_policy() =
            ToProto(WritePolicy(transaction, programme.id, policy), programme);
        return response;
      });
}

}  // namespace guilder::settlement
