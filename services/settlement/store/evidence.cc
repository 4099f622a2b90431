#include "services/settlement/store/evidence.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/bank_matching.h"
#include "services/settlement/domain/obligation.h"
#include "services/settlement/store/money.h"
#include "services/settlement/store/obligations.h"

namespace guilder::settlement {
namespace {

using netting::AccountKind;
using netting::EntryCause;
using netting::MoneyAccount;
using netting::MoneyEntry;
using postgres::Transaction;

constexpr MoneyAccount kBank{AccountKind::kBank, {}, {}};
constexpr MoneyAccount kSuspense{AccountKind::kSuspense, {}, {}};
constexpr MoneyAccount kLosses{AccountKind::kLosses, {}, {}};

MoneyEntry Move(const MoneyAccount& debit, const MoneyAccount& credit, MinorUnits amount,
                PartnerId partner, EntryCause cause) {
  MoneyEntry entry;
  entry.debit = debit;
  entry.credit = credit;
  entry.amount = amount;
  entry.partner = partner;
  entry.cause = cause;
  return entry;
}

// Of money that came in the first account is debited, of money that went out it is credited.
MoneyEntry Directed(bool in, const MoneyAccount& first, const MoneyAccount& second,
                    MinorUnits amount, PartnerId partner) {
  return in ? Move(first, second, amount, partner, EntryCause::kPayment)
            : Move(second, first, amount, partner, EntryCause::kPayment);
}

Owed OwedOf(const StoredObligation& obligation) {
  return {obligation.debt.direction == netting::Direction::kPartnerIsPaid, obligation.debt.amount,
          obligation.status.paid, obligation.status.written_off};
}

struct Named {
  bool any = false;
  std::optional<StoredObligation> obligation;
};

// The obligation that a payment names: by its end-to-end id, else by what was written for the
// receiver. Two that differ are none.
Named FindNamed(Transaction& transaction, const BankPayment& payment) {
  std::vector<ObligationKey> keys = ObligationsNamedIn(payment.end_to_end_id);
  Named named;
  if (keys.empty()) keys = ObligationsNamedIn(payment.remittance);
  if (keys.empty()) {
    const std::vector<std::string> invoices =
        InvoicesNamedIn(absl::StrCat(payment.end_to_end_id, " ", payment.remittance));
    named.any = !invoices.empty();
    if (named.any) keys = FindInvoiced(transaction, invoices);
  }
  named.any = named.any || !keys.empty();
  if (keys.size() == 1) {
    named.obligation = FindObligation(transaction, keys[0].settlement, keys[0].partner);
    // Money of one currency pays nothing in another. A status report tells of no money.
    if (named.obligation && payment.amount != MinorUnits() &&
        named.obligation->currency != payment.currency) {
      named.obligation.reset();
    }
  }
  return named;
}

// The status after the payment, or after what it takes back.
absl::StatusOr<ObligationStatus> Apply(const StoredObligation& obligation, MinorUnits applied,
                                       Timestamp now) {
  if (applied > MinorUnits()) return Pay(obligation.debt, obligation.status, applied);
  return ReturnPayment(obligation.debt, obligation.status, -applied, now);
}

MoneyKind KindOf(BankOutcome outcome) {
  switch (outcome) {
    case BankOutcome::kExact:
    case BankOutcome::kPartial:
    case BankOutcome::kOver:
      return MoneyKind::kPayment;
    case BankOutcome::kReturned:
      return MoneyKind::kReturn;
    default:
      return MoneyKind::kSuspense;
  }
}

// What a status report says of one payment.
absl::Status SettleReported(Transaction& transaction, const Programme& programme, BankEntry entry) {
  const Named named = FindNamed(transaction, entry.payment);
  entry.payment.outcome = BankOutcome::kWrongReference;
  if (named.obligation) {
    StoredObligation obligation = *named.obligation;
    entry.obligation = ObligationKey{obligation.settlement, obligation.debt.partner};
    const absl::StatusOr<ObligationStatus> rejected =
        RejectInstruction(obligation.debt, obligation.status, programme.now);
    // One that is not instructed any more has been rejected, or settled, before.
    if (rejected.ok()) {
      obligation.status = *rejected;
      UpdateObligation(transaction, obligation);
    }
    entry.payment.outcome = BankOutcome::kRejected;
  }
  UpdateBankEntry(transaction, entry);
  return absl::OkStatus();
}

}  // namespace

std::string BankEntryName(BankEntryId id) {
  return absl::StrCat("bankEntries/", id.value());
}

absl::Status SettleBankEntry(Transaction& transaction, const Programme& programme, BankEntry entry,
                             const std::string& by) {
  BankPayment& payment = entry.payment;
  // Only a status report tells of payments without an amount.
  if (payment.amount == MinorUnits()) {
    return SettleReported(transaction, programme, std::move(entry));
  }
  const Named named = FindNamed(transaction, payment);
  std::optional<Owed> owed;
  if (named.obligation) owed = OwedOf(*named.obligation);
  const BankMatch match = MatchPayment(
      {payment.credit, payment.amount, !payment.return_reason.empty()}, named.any, owed);

  MoneyTransaction money;
  money.kind = KindOf(match.outcome);
  money.currency = payment.currency;
  money.reference = BankEntryName(entry.id);
  money.idempotency_key = money.reference;
  money.posted_by = by;
  if (named.obligation) {
    StoredObligation obligation = *named.obligation;
    entry.obligation = ObligationKey{obligation.settlement, obligation.debt.partner};
    if (match.applied != MinorUnits()) {
      money.settlement = obligation.settlement;
      const MinorUnits moved = match.applied > MinorUnits() ? match.applied : -match.applied;
      money.entries.push_back(Directed(payment.credit, kBank,
                                       ClaimAccount(obligation.debt, obligation.status.state),
                                       moved, obligation.debt.partner));
      GUILDER_ASSIGN_OR_RETURN(obligation.status, Apply(obligation, match.applied, programme.now));
      UpdateObligation(transaction, obligation);
    }
  }
  if (match.suspense > MinorUnits()) {
    money.entries.push_back(
        Directed(payment.credit, kBank, kSuspense, match.suspense, PartnerId()));
  }
  payment.outcome = match.outcome;
  entry.applied = match.applied;
  entry.suspense = match.suspense;
  UpdateBankEntry(transaction, entry);
  return PostMoney(transaction, money).status();
}

absl::StatusOr<int> RejectPaymentFile(Transaction& transaction, const Programme& programme,
                                      const std::string& message_id) {
  const std::optional<std::string> file = FindPaymentFileOf(transaction, message_id);
  int rejected = 0;
  if (!file) return rejected;
  const std::optional<SettlementId> settlement = SettlementOfMessage(message_id);
  for (StoredObligation& obligation : ReadObligations(transaction, *settlement)) {
    if (obligation.end_to_end_id.empty() ||
        !absl::StrContains(*file, absl::StrCat(">", obligation.end_to_end_id, "<"))) {
      continue;
    }
    const absl::StatusOr<ObligationStatus> status =
        RejectInstruction(obligation.debt, obligation.status, programme.now);
    if (!status.ok()) continue;
    obligation.status = *status;
    UpdateObligation(transaction, obligation);
    ++rejected;
  }
  return rejected;
}

absl::Status Allocate(Transaction& transaction, const Programme& programme, BankEntry entry,
                      const Allocation& allocation) {
  std::optional<StoredObligation> obligation =
      FindObligation(transaction, allocation.obligation.settlement, allocation.obligation.partner);
  if (!obligation) return Refuse(Reason::kNameNotFound, "no such obligation");
  if (allocation.amount > entry.suspense) {
    return Refuse(Reason::kAmountOutOfRange, "more than is in suspense");
  }
  // What came in pays what a partner owes; what went out, what the programme does.
  const bool partner_is_paid = obligation->debt.direction == netting::Direction::kPartnerIsPaid;
  if (entry.payment.credit == partner_is_paid) {
    return Refuse(Reason::kWrongState, "the money went the other way");
  }
  if (obligation->currency != entry.payment.currency) {
    return Refuse(Reason::kWrongState, "the money is of another currency");
  }
  MoneyTransaction money;
  money.kind = MoneyKind::kSuspense;
  money.currency = obligation->currency;
  money.reference = BankEntryName(entry.id);
  money.idempotency_key =
      absl::StrCat(money.reference, "/allocations/", FormatUuid(allocation.request_id));
  money.posted_by = allocation.allocated_by;
  money.settlement = obligation->settlement;
  money.entries = {Directed(entry.payment.credit, kSuspense,
                            ClaimAccount(obligation->debt, obligation->status.state),
                            allocation.amount, obligation->debt.partner)};
  GUILDER_ASSIGN_OR_RETURN(obligation->status,
                           Pay(obligation->debt, obligation->status, allocation.amount));
  UpdateObligation(transaction, *obligation);
  entry.suspense -= allocation.amount;
  UpdateBankEntry(transaction, entry);
  InsertAllocation(transaction, allocation);
  return PostMoney(transaction, money).status();
}

absl::Status WriteOffObligation(Transaction& transaction, const Programme& programme,
                                const StoredWriteOff& write_off) {
  const ObligationKey& key = write_off.obligation;
  std::optional<StoredObligation> obligation =
      FindObligation(transaction, key.settlement, key.partner);
  if (!obligation) return Refuse(Reason::kNameNotFound, "no such obligation");
  if (OpenAmount(obligation->debt, obligation->status) != write_off.amount) {
    return Refuse(Reason::kWrongState, "another amount is open by now; propose it again");
  }
  const MoneyAccount claim = ClaimAccount(obligation->debt, obligation->status.state);
  GUILDER_ASSIGN_OR_RETURN(obligation->status, WriteOff(obligation->debt, obligation->status));
  UpdateObligation(transaction, *obligation);
  StoreWriteOff(transaction, write_off);
  // After a default the loss is posted already.
  if (claim == kLosses) return absl::OkStatus();
  MoneyTransaction money;
  money.kind = MoneyKind::kWriteOff;
  money.currency = obligation->currency;
  money.reference =
      absl::StrCat("settlements/", key.settlement.value(), "/writeOffs/", key.partner.value());
  money.idempotency_key = money.reference;
  money.posted_by = write_off.approved_by;
  money.settlement = key.settlement;
  const bool partner_is_paid = obligation->debt.direction == netting::Direction::kPartnerIsPaid;
  money.entries = {partner_is_paid ? Move(claim, kLosses, write_off.amount,
                                          obligation->debt.partner, EntryCause::kWriteOff)
                                   : Move(kLosses, claim, write_off.amount,
                                          obligation->debt.partner, EntryCause::kWriteOff)};
  return PostMoney(transaction, money).status();
}

}  // namespace guilder::settlement
