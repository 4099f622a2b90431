#include "libs/ledger/store/verify_model.h"

namespace guilder::ledger {

void BookModel::Add(const Record& record, Timestamp window_start) {
  for (const Entry& entry : record.entries) {
    AddSide(entry.debit, -entry.points);
    AddSide(entry.credit, entry.points);
    AddToLots(entry);

    const Bucket debit = entry.debit.bucket;
    const Bucket credit = entry.credit.bucket;
    AccountSums& account = accounts[record.account];
    if (credit == Bucket::kExpired) account.expired += entry.points;
    if (debit == Bucket::kExpired) account.expired -= entry.points;
    if (credit == Bucket::kRedeemed) account.captured += entry.points;
    if (debit == Bucket::kRedeemed) account.refunded += entry.points;
    if (debit == Bucket::kAvailable && credit == Bucket::kHeld) {
      HoldSums& hold = holds[record.number];
      hold.account = record.account;
      hold.authorized += entry.points;
    }

    const Movement movement = MovementOf(debit, credit);
    if (movement != Movement::kNone && entry.contract) {
      positions[{window_start, entry.contract, movement}] += entry.points;
    }
  }
}

void BookModel::AddSide(const Side& side, Points credit) {
  if (IsControl(side.bucket)) {
    control_accounts[side.account] += credit;
    return;
  }
  AccountSums& account = accounts[side.account];
  LotSums& lot = lots[side.lot];
  lot.account = side.account;
  switch (side.bucket) {
    case Bucket::kPending:
      account.pending += credit;
      lot.pending += credit;
      break;
    case Bucket::kAvailable:
      account.available += credit;
      lot.available += credit;
      break;
    case Bucket::kHeld:
      account.held += credit;
      lot.held += credit;
      break;
    default:  // A debt is what the member owes: a credit lowers it.
      account.debt -= credit;
      lot.debt -= credit;
      break;
  }
}

void BookModel::AddToLots(const Entry& entry) {
  const Bucket debit = entry.debit.bucket;
  const Bucket credit = entry.credit.bucket;
  if (debit == Bucket::kIssued) lots[entry.credit.lot].issued += entry.points;
  if (debit == Bucket::kRedeemed) lots[entry.credit.lot].redeemed -= entry.points;
  if (IsControl(debit)) return;

  LotSums& from = lots[entry.debit.lot];
  if (credit == Bucket::kIssued) from.reversed += entry.points;
  if (credit == Bucket::kExpired) from.expired += entry.points;
  if (credit == Bucket::kRedeemed) {
    from.redeemed += entry.points;
    from.captured += entry.points;
  }
  // The lot that repays another's debt takes over the redemption that made it.
  if (credit == Bucket::kDebt && entry.debit.lot != entry.credit.lot) {
    from.redeemed += entry.points;
    lots[entry.credit.lot].redeemed -= entry.points;
  }
}

}  // namespace guilder::ledger
