#include "services/settlement/store/evidence.h"

#include <algorithm>
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
  return {IsPayout(obligation), obligation.debt.amount, obligation.status.paid,
          obligation.status.written_off};
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
  const bool written_off = obligation.status.state == ObligationState::kWrittenOff;
  if (applied > MinorUnits() && written_off) return Recover(obligation.status, applied);
  if (applied > MinorUnits()) return Pay(obligation.debt, obligation.status, applied);
  return ReturnPayment(obligation.debt, obligation.status, -applied, now);
}

MoneyKind KindOf(BankOutcome outcome) {
  switch (outcome) {
    case BankOutcome::kExact:
    case BankOutcome::kPartial:
    case BankOutcome::kOver:
    case BankOutcome::kRecovered:
      return MoneyKind::kPayment;
    case BankOutcome::kReturned:
      return MoneyKind::kReturn;
    default:
      return MoneyKind::kSuspense;
  }
}

// What a status report says of one payment of a file. An end-to-end id stands in each file that
// instructed it, so a report is about the file that it names.
absl::Status SettleReported(Transaction& transaction, const Programme& programme, BankEntry entry,
                            const StoredBankFile& report) {
  const Named named = FindNamed(transaction, entry.payment);
  const std::optional<PaymentFileKey> file = FileOfMessage(report.original_message_id);
  entry.payment.outcome = BankOutcome::kWrongReference;
  if (named.obligation && file && file->settlement == named.obligation->settlement) {
    StoredObligation obligation = *named.obligation;
    entry.obligation = ObligationKey{obligation.settlement, obligation.debt.partner};
    const absl::StatusOr<ObligationStatus> rejected =
        RejectInstruction(obligation.debt, obligation.status, programme.now);
    // One that is not instructed any more has been rejected, or settled, before.
    const bool current = rejected.ok() && obligation.file_number == file->number;
    if (current) {
      obligation.status = *rejected;
      UpdateObligation(transaction, obligation);
    }
    entry.payment.outcome = current ? BankOutcome::kRejected : BankOutcome::kSuperseded;
  }
  UpdateBankEntry(transaction, entry);
  return absl::OkStatus();
}

// What of an obligation a payment in that direction can change: what is open, or what was paid.
MinorUnits FitsObligation(const StoredObligation& obligation, bool credit) {
  if (credit == IsPayout(obligation)) return obligation.status.paid;
  return obligation.status.state == ObligationState::kWrittenOff
             ? obligation.status.written_off
             : OpenAmount(obligation.debt, obligation.status);
}

// So much of what was asked for, or as much as fits.
absl::StatusOr<MinorUnits> AmountToAllocate(MinorUnits asked, MinorUnits suspense, MinorUnits fits,
                                            const char* nothing_fits) {
  if (suspense == MinorUnits()) {
    return Refuse(Reason::kWrongState, "nothing of it is in suspense");
  }
  if (fits == MinorUnits()) return Refuse(Reason::kWrongState, nothing_fits);
  const MinorUnits most = std::min(suspense, fits);
  const MinorUnits amount = asked == MinorUnits() ? most : asked;
  if (amount <= MinorUnits() || amount > most) {
    return Refuse(Reason::kAmountOutOfRange, absl::StrCat("at most ", most.value()));
  }
  return amount;
}

absl::Status AllocateAgainst(Transaction& transaction, BankEntry entry, Allocation allocation) {
  GUILDER_ASSIGN_OR_RETURN(BankEntry other, LockBankEntry(transaction, *allocation.against));
  if (other.payment.credit == entry.payment.credit) {
    return Refuse(Reason::kWrongState, "both went the same way");
  }
  if (other.payment.currency != entry.payment.currency) {
    return Refuse(Reason::kWrongState, "the money is of another currency");
  }
  GUILDER_ASSIGN_OR_RETURN(allocation.amount,
                           AmountToAllocate(allocation.amount, entry.suspense, other.suspense,
                                            "nothing of the other is in suspense"));
  // Suspense has both already: no money moves.
  entry.suspense -= allocation.amount;
  other.suspense -= allocation.amount;
  UpdateBankEntry(transaction, entry);
  UpdateBankEntry(transaction, other);
  InsertAllocation(transaction, allocation);
  return absl::OkStatus();
}

}  // namespace

std::string BankEntryName(BankEntryId id) {
  return absl::StrCat("bankEntries/", id.value());
}

absl::Status SettleBankEntry(Transaction& transaction, const Programme& programme, BankEntry entry,
                             const StoredBankFile& file) {
  BankPayment& payment = entry.payment;
  // Only a status report tells of payments without an amount.
  if (payment.amount == MinorUnits()) {
    return SettleReported(transaction, programme, std::move(entry), file);
  }
  const Named named = FindNamed(transaction, payment);
  std::optional<Owed> owed;
  MinorUnits countersuspense;
  if (named.obligation) {
    owed = OwedOf(*named.obligation);
    entry.obligation = ObligationKey{named.obligation->settlement, named.obligation->debt.partner};
    countersuspense = SuspenseOf(transaction, *entry.obligation, !payment.credit);
  }
  const BankMatch match =
      MatchPayment({payment.credit, payment.amount, !payment.return_reason.empty()}, named.any,
                   owed, countersuspense);

  MoneyTransaction money;
  money.kind = KindOf(match.outcome);
  money.currency = payment.currency;
  money.reference = BankEntryName(entry.id);
  money.idempotency_key = money.reference;
  money.posted_by = file.imported_by;
  if (match.applied != MinorUnits()) {
    StoredObligation obligation = *named.obligation;
    money.settlement = obligation.settlement;
    const MinorUnits moved = match.applied > MinorUnits() ? match.applied : -match.applied;
    money.entries.push_back(Directed(payment.credit, kBank,
                                     ClaimAccount(obligation.debt, obligation.status.state), moved,
                                     obligation.debt.partner));
    GUILDER_ASSIGN_OR_RETURN(obligation.status, Apply(obligation, match.applied, programme.now));
    UpdateObligation(transaction, obligation);
  }
  const MinorUnits through_suspense = match.suspense + match.from_suspense;
  if (through_suspense > MinorUnits()) {
    money.entries.push_back(
        Directed(payment.credit, kBank, kSuspense, through_suspense, PartnerId()));
  }
  payment.outcome = match.outcome;
  entry.applied = match.applied;
  entry.suspense = match.suspense;
  UpdateBankEntry(transaction, entry);
  if (match.from_suspense > MinorUnits()) {
    TakeOutOfSuspense(transaction, *entry.obligation, entry, match.from_suspense, file.imported_by,
                      programme.now);
  }
  return PostMoney(transaction, money).status();
}

std::vector<BankPayment> RejectedPaymentsOf(Transaction& transaction, const BankFile& report,
                                            const OwnAccount& own) {
  std::vector<BankPayment> rejected;
  const std::optional<std::string> content =
      FindPaymentFileOf(transaction, report.original_message_id);
  if (!content) return rejected;
  const std::optional<PaymentFileKey> file = FileOfMessage(report.original_message_id);
  for (const StoredObligation& obligation : ReadObligations(transaction, file->settlement)) {
    if (absl::StrContains(*content, absl::StrCat(">", obligation.end_to_end_id, "<"))) {
      rejected.push_back(RejectedPayment(report, obligation.end_to_end_id, own.currency));
    }
  }
  return rejected;
}

absl::Status Allocate(Transaction& transaction, const Programme& programme, BankEntry entry,
                      Allocation allocation) {
  if (allocation.against) {
    return AllocateAgainst(transaction, std::move(entry), std::move(allocation));
  }
  const ObligationKey& key = *allocation.obligation;
  std::optional<StoredObligation> obligation =
      FindObligation(transaction, key.settlement, key.partner);
  if (!obligation) return Refuse(Reason::kNameNotFound, "no such obligation");
  if (obligation->currency != entry.payment.currency) {
    return Refuse(Reason::kWrongState, "the money is of another currency");
  }
  const bool takes_back = entry.payment.credit == IsPayout(*obligation);
  GUILDER_ASSIGN_OR_RETURN(
      allocation.amount,
      AmountToAllocate(allocation.amount, entry.suspense,
                       FitsObligation(*obligation, entry.payment.credit),
                       takes_back ? "nothing of it was paid that this could take back"
                                  : "nothing of it is open"));
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
  GUILDER_ASSIGN_OR_RETURN(
      obligation->status,
      Apply(*obligation, takes_back ? -allocation.amount : allocation.amount, programme.now));
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
  money.entries = {IsPayout(*obligation) ? Move(claim, kLosses, write_off.amount,
                                                obligation->debt.partner, EntryCause::kWriteOff)
                                         : Move(kLosses, claim, write_off.amount,
                                                obligation->debt.partner, EntryCause::kWriteOff)};
  return PostMoney(transaction, money).status();
}

}  // namespace guilder::settlement
