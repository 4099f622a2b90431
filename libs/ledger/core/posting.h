// What one command does to an account: the entries that it writes, and the account that it changes.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/state.h"

namespace guilder::ledger {

// A record names so many lots at most; kLotsPerRecord have an id.
inline constexpr size_t kMostLotsSent = 500;

// For so many days points live at least that moved away from where they were spared.
inline constexpr int kMovedLifeDays = 90;

// What a lot sends to another account: the terms of the lot that receives it, with `issued` points,
// or, of a debt, none.
struct Sent {
  Lot terms;
  Points points;
};

// Changes an account by entries and remembers them. A balance changes nowhere else, so that it is
// always the sum of the account's entries.
//
// A posting works on its own copy of the account: a refused command leaves no trace.
class Posting {
 public:
  Posting(const AccountState& account, RecordNumber number, Timestamp now)
      : account_(account), number_(number), now_(now) {}

  const AccountState& account() const { return account_; }
  // The record that is being written.
  RecordNumber number() const { return number_; }
  // The record's posted time, by the programme's clock.
  Timestamp now() const { return now_; }
  const std::vector<Entry>& entries() const { return entries_; }
  // The lots that this posting created, with the terms that they were created with.
  const std::vector<Lot>& new_lots() const { return new_lots_; }
  // The hold that this posting opened, as it was opened.
  const std::optional<Hold>& new_hold() const { return new_hold_; }
  // Until when points live that this posting gave back to lots which had expired; none when there
  // were none.
  const std::optional<Timestamp>& restored_until() const { return restored_until_; }
  // What NoteActivity or RecallActivity said last; none when nothing did.
  const std::optional<Timestamp>& active_until() const { return active_until_; }

  // Brings the account up to `now`: what fell due is activated, cancelled, released or expired, in
  // the order of its dates. Every command begins with it, and it runs again where a step makes
  // something due.
  void BringUpToNow();

  // Adds a pending lot with the terms of `lot` and gives it an id. Points must be positive.
  LotId Issue(Lot lot);
  void Activate(LotId lot);
  // Takes points back from a lot: what it still has free, then what expired, then as debt.
  void Reverse(LotId lot, Points points);
  // Opens a hold named by this record over the lots that may pay for `spending`, in the order of
  // consumption: those that may be spent nowhere else first. They must have the points.
  void OpenHold(Hold hold, const Spending& spending, ConsumptionOrder order);
  // What lots have that may pay for it.
  Points SpendableOn(const Spending& spending) const;
  // A hold in review may be captured from now on.
  void ReleaseFromReview(RecordNumber hold);
  // Takes held points, in the order of the hold's parts; for another partner than the hold's under
  // a contract of its own, where the hold is of something that several partners take.
  void Capture(RecordNumber hold, Points points);
  void CaptureFor(RecordNumber hold, Points points, PartnerId partner, ContractId contract);
  // Gives the rest of a hold back to its lots and closes it.
  void Release(RecordNumber hold, HoldState state);
  // Gives captured points back, the part captured last first. Those of lots that have expired live
  // until `grace_until`; if that is not ahead, they expire when the account is brought up to now.
  void Refund(RecordNumber hold, Points points, Timestamp grace_until);
  void RefundFrom(RecordNumber hold, Points points, PartnerId partner, ContractId contract,
                  Timestamp grace_until);
  // Lets everything expire that is free, pending or not, and closes the account.
  void Close();

  // Sends what is free away, with the terms of its lots: available points in the order of
  // consumption, or all that is pending or available, or that of some lots. No more than
  // kMostLotsSent lots; the rest stays.
  std::vector<Sent> Send(Points points);
  std::vector<Sent> SendAll();
  std::vector<Sent> SendLots(const std::vector<LotId>& lots);
  // Gives each a new lot that keeps issuer, contract and dates.
  void Receive(const std::vector<Sent>& lots);
  // Hands debts over: who receives them owes what this account owed.
  std::vector<Sent> SendDebts();
  void ReceiveDebts(const std::vector<Sent>& debts);
  // Takes back into `home`, which sent them, the points of its lot that are here: free ones, and
  // those that expired here, which are free again until `home` is brought up to its time.
  void GiveBack(LotId lot, Posting& home);
  // Takes available points away, in the order of consumption: they are breakage, as expired ones,
  // and their entries name the lot on both sides.
  void Forfeit(Points points);
  // The same of what is free of one lot, which is available.
  void ForfeitLot(LotId lot);
  // Gives points back that had expired, as a new lot of the same terms with another date.
  LotId Reinstate(LotId expired, Points points, Timestamp expires_at);
  // The member was active: what lives by activity lives until then at least. The last that happens
  // in a posting, so that entries are made by the dates from before.
  void NoteActivity(Timestamp until);
  // An activity does not count any more: what lives by activity lives until then, or as its own
  // dates say. The last that happens, too: what is due thereby is for the next command.
  void RecallActivity(Timestamp until);
  // What would end in [from, until) ends at `until` instead. The last that happens, likewise.
  void Spare(Timestamp from, Timestamp until);
  // Until it is taken, what it has ends as at another account, to which it goes back.
  void SpareAsAt(const AccountState& other);
  // What lives only because it is spared lives until then at least where it moves to.
  void LetMovedLive(Timestamp until) { moved_live_until_ = until; }
  // Ends what the account may do.
  void Close(AccountStatus status) { account_.status = status; }

  // The changed account, to be kept when the command is accepted.
  AccountState TakeAccount() &&;

 private:
  // Something that happens by time alone.
  struct Due;
  static Due FirstDue(const AccountState& account);
  void Take(const Due& due);

  void Move(Side debit, Side credit, Points points, ContractId contract);
  void Expire(Lot& lot);
  // Keeps in a lot that expires when it did, because the account's date may move on.
  void KeepEnd(Lot& lot) const;
  void CancelPending(Lot& lot, Points points);
  // Takes back what has expired of a lot, and then what was forfeited. Gives how much it was.
  Points ReverseExpired(Lot& lot, Points most);
  void ForfeitFrom(Lot& lot, Points points);
  Sent SendFrom(Lot& lot, Points points);
  // When a lot ends that receives points of this one.
  Timestamp EndElsewhere(const Lot& lot) const;
  static Bucket FreeBucket(const Lot& lot) {
    return lot.state == LotState::kPending ? Bucket::kPending : Bucket::kAvailable;
  }
  // Repays debts from available points, oldest debt first, with the lots in the order of
  // consumption.
  void RepayDebt();
  // Of lots that anything may be paid from.
  std::vector<Lot*> InOrderOfConsumption();
  Side Member(Bucket bucket, LotId lot) const { return {account_.id, bucket, lot}; }
  Side Control(Bucket kind, PartnerId partner) const;

  AccountState account_;
  RecordNumber number_;
  Timestamp now_;
  std::vector<Entry> entries_;
  std::vector<Lot> new_lots_;
  std::optional<Hold> new_hold_;
  std::optional<Timestamp> restored_until_;
  std::optional<Timestamp> active_until_;
  Timestamp moved_live_until_;
  // As the account is spared, while it is as another one.
  std::optional<std::pair<Timestamp, Timestamp>> own_sparing_;
};

}  // namespace guilder::ledger
