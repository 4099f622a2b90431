#include "libs/ledger/store/verify_model.h"

#include <algorithm>

#include "libs/ledger/core/account.h"
#include "libs/ledger/core/activity.h"
#include "libs/ledger/core/moves.h"

namespace guilder::ledger {
namespace {

// Adds one record. Remembers the account and the lot that it met last: most entries of a record are
// about the same ones.
class Addition {
 public:
  Addition(BookModel& model, const Record& record) : model_(model), record_(record) {}

  void Run(Timestamp window_start) {
    AccountSums& account = model_.accounts[record_.account];
    if (!account.opened_by) account.opened_by = record_.number;
    account_id_ = record_.account;
    account_ = &account;
    AddTerms();
    for (const Entry& entry : record_.entries) {
      AddSide(entry.debit, -entry.points);
      AddSide(entry.credit, entry.points);
      AddToLots(entry);
      AddToHolds(entry);
      const Movement movement = MovementOf(entry.debit.bucket, entry.credit.bucket);
      if (movement != Movement::kNone && entry.contract) {
        model_.positions[{window_start, entry.contract, movement}] += entry.points;
      }
    }
    NoteActivity();
    NoteSparing();
  }

 private:
  // After the entries, which were made by the date from before.
  void NoteActivity() {
    if (!record_.active_until) return;
    Timestamp& until = Account(record_.account).active_until;
    until = UndoesActivity(record_.kind) ? *record_.active_until
                                         : std::max(until, *record_.active_until);
  }

  void NoteSparing() {
    AccountSums& account = Account(record_.account);
    const bool merged = record_.kind == RecordKind::kMerge && account.merged_into;
    if (record_.kind != RecordKind::kResidence && !merged) return;
    const Sparing sparing = merged ? Sparing() : DecodeSparing(record_.content).value_or(Sparing());
    account.spared_from = sparing.from;
    account.spared_until = sparing.until;
  }

  AccountSums& Account(AccountId id) {
    if (id != account_id_) {
      account_id_ = id;
      account_ = &model_.accounts[id];
    }
    return *account_;
  }

  LotSums& Lot(LotId id) {
    if (lot_ == nullptr || id != lot_id_) {
      lot_id_ = id;
      lot_ = &model_.lots[id];
    }
    return *lot_;
  }

  void AddTerms() {
    for (const ledger::Lot& terms : record_.new_lots) {
      LotSums& lot = Lot(terms.id);
      lot.account = record_.account;
      lot.issuer = terms.issuer;
      lot.contract = terms.contract;
      lot.activates_at = terms.activates_at;
      lot.expires_at = terms.expires_at;
      lot.on_due = terms.on_due;
      lot.origin = terms.origin;
      lot.restricted_to = terms.restricted_to;
      lot.lives_by_activity = terms.lives_by_activity;
    }
    if (record_.new_hold) {
      HoldSums& hold = model_.holds[record_.number];
      hold.account = record_.account;
      hold.partner = record_.new_hold->partner;
      hold.store = record_.new_hold->store;
      hold.contract = record_.new_hold->contract;
      hold.expires_at = record_.new_hold->expires_at;
      hold.reviewed = record_.new_hold->reviewed;
    }
    if (record_.kind == RecordKind::kReviewRelease) {
      const auto hold = model_.holds.find(record_.refers_to);
      if (hold != model_.holds.end()) hold->second.released = true;
    }
    if (record_.kind == RecordKind::kMerge) {
      account_->merged_into = DecodeMerge(record_.content).value_or(AccountId());
    }
    if (ClosesAccount(record_.kind, record_.content)) account_->closed = true;
    if (EndsHold(record_.kind)) {
      const auto hold = model_.holds.find(record_.refers_to);
      if (hold != model_.holds.end()) hold->second.voided = true;
    }
  }

  void AddSide(const Side& side, Points credit) {
    if (IsControl(side.bucket)) {
      model_.control_accounts[side.account] += credit;
      return;
    }
    AccountSums& account = Account(side.account);
    LotSums& lot = Lot(side.lot);
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

  void AddToLots(const Entry& entry) {
    const Bucket debit = entry.debit.bucket;
    const Bucket credit = entry.credit.bucket;
    if (debit == Bucket::kIssued) Lot(entry.credit.lot).issued += entry.points;
    if (debit == Bucket::kRedeemed) {
      LotSums& lot = Lot(entry.credit.lot);
      lot.redeemed -= entry.points;
      const Timestamp end = lot.EndIn(Account(entry.credit.account));
      const bool over = end <= record_.posted_at;
      if (over && record_.restored_until) lot.restored_until = *record_.restored_until;
    }
    if (debit == Bucket::kExpired && credit == Bucket::kIssued) {
      // Points that had expired are taken back from a lot of the sale that is reversed; which one
      // was not said while each sale had one.
      LotSums& lot = Lot(entry.debit.lot ? entry.debit.lot : MakeLotId(record_.refers_to));
      lot.expired -= entry.points;
      if (entry.credit.lot) lot.forfeited -= entry.points;
      lot.reversed += entry.points;
    }
    AddArrivals(entry);
    if (IsControl(debit)) return;

    LotSums& from = Lot(entry.debit.lot);
    if (credit == Bucket::kIssued) from.reversed += entry.points;
    if (credit == Bucket::kExpired) {
      from.expired += entry.points;
      // What is taken as a fee or by staff names its lot on both sides.
      if (entry.credit.lot) from.forfeited += entry.points;
      KeepEnd(Account(entry.debit.account), from);
    }
    if (credit == Bucket::kRedeemed) {
      from.redeemed += entry.points;
      from.captured += entry.points;
    }
    if (credit == Bucket::kInTransit) from.moved += entry.points;
    // The lot that repays another's debt takes over the redemption that made it, or, where the
    // entry names a contract, what the other one had sent away.
    if (credit == Bucket::kDebt && entry.debit.lot != entry.credit.lot) {
      const auto sum = entry.contract ? &LotSums::moved : &LotSums::redeemed;
      from.*sum += entry.points;
      Lot(entry.credit.lot).*sum -= entry.points;
    }
  }

  // As Posting::KeepEnd.
  void KeepEnd(const AccountSums& account, LotSums& lot) const {
    const Timestamp end = lot.EndIn(account);
    if (end <= record_.posted_at && end > lot.own_end()) lot.restored_until = end;
  }

  // Points that come from another account, or back from being expired.
  void AddArrivals(const Entry& entry) {
    const Bucket debit = entry.debit.bucket;
    const bool reinstated = debit == Bucket::kExpired && entry.credit.bucket != Bucket::kIssued;
    if (reinstated) {
      LotSums& from = Lot(entry.debit.lot);
      from.expired -= entry.points;
      if (entry.credit.lot != entry.debit.lot) from.moved += entry.points;
    }
    if (IsControl(entry.credit.bucket) || entry.credit.lot == entry.debit.lot) return;
    if (debit != Bucket::kInTransit && !reinstated) return;
    // A lot that is not new takes home what it had sent, or has its debt paid.
    LotSums& to = Lot(entry.credit.lot);
    if (RecordOf(entry.credit.lot) == record_.number) {
      to.issued += entry.points;
    } else {
      to.moved -= entry.points;
    }
  }

  void AddToHolds(const Entry& entry) {
    const Bucket debit = entry.debit.bucket;
    const Bucket credit = entry.credit.bucket;
    AccountSums& account = Account(record_.account);
    if (credit == Bucket::kRedeemed) account.captured += entry.points;
    if (debit == Bucket::kRedeemed) account.refunded += entry.points;
    if (debit != Bucket::kAvailable || credit != Bucket::kHeld) return;
    HoldSums& hold = model_.holds[record_.number];
    hold.account = record_.account;
    hold.authorized += entry.points;
    hold.parts.push_back({entry.credit.lot, entry.points});
  }

  BookModel& model_;
  const Record& record_;
  AccountId account_id_;
  AccountSums* account_ = nullptr;
  LotId lot_id_;
  LotSums* lot_ = nullptr;
};

}  // namespace

void BookModel::Add(const Record& record, Timestamp window_start) {
  Addition(*this, record).Run(window_start);
}

}  // namespace guilder::ledger
