// What an account of the ledger is meant to do, written to be read rather than to be fast: maps of
// lots and holds, and a loop for each rule. Shares the vocabulary of the ledger (buckets,
// movements, names of lots), and none of its code.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "tests/model/request.h"

namespace guilder::model {

// Points of one earning. Every point of it is in exactly one of the first seven places. `owed` are
// points that were taken back although they had been spent or are held; they are counted twice, as
// reversed and where they went.
struct Lot {
  PartnerId issuer;
  ContractId contract;
  Points issued;
  Timestamp activates_at;
  Timestamp expires_at;
  bool cancel_on_due = false;
  // Whether its points were ever available.
  bool active = false;
  // A partner, or -1 for gifts: the points may be spent nowhere else.
  PartnerId restricted_to;
  // What came back after the lot's end lives until then.
  Timestamp restored_until;
  // The lot that its points were issued into, when it is not this one.
  AccountId first_account;
  LotId first_lot;

  Timestamp end() const { return restored_until > expires_at ? restored_until : expires_at; }

  Points waiting;
  Points free;
  Points held;
  Points redeemed;
  Points reversed;
  Points expired;
  // Of these, what was taken as a fee or by staff.
  Points forfeited;
  // What left for other lots, less what came back. Below zero where others paid what it owed.
  Points moved;
  Points owed;
};

enum class HoldEnd { kOpen, kCaptured, kVoided, kExpired, kInReview };

struct HoldPart {
  LotId lot;
  Points held;
  Points captured;
  Points refunded;
};

struct Hold {
  PartnerId partner;
  ContractId contract;
  Points authorized;
  Timestamp expires_at;
  HoldEnd end = HoldEnd::kOpen;
  bool reviewed = false;
  std::vector<HoldPart> parts;

  Points held() const;
  Points captured() const;
  Points refunded() const;
};

// Where points can be: a bucket of a lot, or what stands for a partner or for the programme.
struct Place {
  ledger::Bucket bucket{};
  LotId lot;
  PartnerId partner;
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Move {
  Place from;
  Place to;
  Points points;
  ContractId contract;
  ledger::Movement movement = ledger::Movement::kNone;
};

// What is on its way to another account: points, or a debt, and the terms of their lot.
struct Parcel {
  Lot lot;
  Points points;
};

// A member's account. A lot is named by the record that made it, a hold by the one that opened it.
class Account {
 public:
  explicit Account(AccountId id) : id_(id) {}

  // Begins a record at an instant, before anything else; instants must not fall.
  void Begin(RecordNumber number, Timestamp now);
  // Does what is asked of this account alone, when it lives until now, and gives the response; or
  // refuses, and is to be thrown away then.
  absl::StatusOr<std::string> Decide(const Request& request);

  // What was moved since Begin, by way and contract.
  const std::vector<Move>& moves() const { return moves_; }

  AccountId id() const { return id_; }
  Timestamp now() const { return now_; }
  RecordNumber number() const { return number_; }
  const std::map<LotId, Lot>& lots() const { return lots_; }
  const std::map<RecordNumber, Hold>& holds() const { return holds_; }
  Points waiting() const { return Sum(&Lot::waiting); }
  Points available() const { return Sum(&Lot::free); }
  Points held() const { return Sum(&Lot::held); }
  Points owed() const { return Sum(&Lot::owed); }
  // Who goes on for it; none when it is open.
  AccountId merged_into() const { return merged_into_; }
  // Each with whether it is blocked.
  const std::map<CardNumber, bool>& cards() const { return cards_; }
  // The first instant at which something happens by time alone; kNever if nothing does.
  Timestamp NextDue() const;
  // What happens by time alone, up to the instant of the record.
  void LiveUntilNow();

  // ---- Parts of what is asked of several accounts.

  // Available points leave in the order of consumption; all that is free leaves, then what is owed;
  // what is left of the lots that a record made leaves.
  std::vector<Parcel> Send(Points points);
  std::vector<Parcel> SendAll();
  std::vector<Parcel> SendDebts();
  std::vector<Parcel> SendLotsOf(RecordNumber record);
  Points LeftOf(RecordNumber record) const;
  void Receive(const std::vector<Parcel>& parcels);
  void ReceiveDebts(const std::vector<Parcel>& debts);
  // What lots of a record of `home` have left here, or have lost here by expiring, goes back.
  void BringHome(Account& home, RecordNumber record);
  // Available points are taken away in the order of consumption.
  void Forfeit(Points points);
  // Everything goes to the other account for good, the cards, too.
  void MergeInto(Account& other);

 private:
  using LotEntry = std::pair<const LotId, Lot>;

  void ActivateDue(Timestamp at);
  void ReleaseDue(Timestamp at);
  void ExpireDue(Timestamp at);
  void RepayDebts();

  absl::StatusOr<std::string> Earn(const Request& request);
  absl::StatusOr<std::string> Confirm(const Request& request);
  absl::StatusOr<std::string> Cancel(const Request& request);
  absl::StatusOr<std::string> Reverse(const Request& request);
  absl::StatusOr<std::string> MakeHold(const Request& request);
  absl::StatusOr<std::string> Capture(const Request& request);
  absl::StatusOr<std::string> Use(const Request& request);
  absl::StatusOr<std::string> Unuse(const Request& request);
  // Of a hold that still holds so much, or has captured so much, at whose till it may be.
  void Take(Hold& hold, Points points, PartnerId partner, ContractId contract);
  absl::StatusOr<std::string> GiveBackTo(Hold& hold, const Request& request, PartnerId partner,
                                         ContractId contract);
  absl::StatusOr<std::string> Release(const Request& request);
  absl::StatusOr<std::string> Refund(const Request& request);
  absl::StatusOr<std::string> ReleaseReview(const Request& request);
  absl::StatusOr<std::string> Pay(const Request& request);

  // The next lot that the record makes.
  LotEntry& NewLot(Lot lot);
  Parcel SendFrom(LotEntry& lot, Points points);
  Parcel ParcelOf(const LotEntry& lot, Points points) const;
  void Activate(LotEntry& lot);
  void CancelWaiting(LotEntry& lot, Points points);
  void GiveBack(Hold& hold, HoldEnd end);
  std::vector<LotEntry*> InOrderOfConsumption();
  // Of those that may pay for a hold: the restricted ones first.
  std::vector<LotEntry*> PayersOf(const Request& request);
  Hold* FindHold(const Request& request);
  void Note(Place from, Place to, Points points, ContractId contract,
            ledger::Movement movement = ledger::Movement::kNone);
  Points Sum(Points Lot::*part) const;

  AccountId id_;
  AccountId merged_into_;
  RecordNumber number_;
  Timestamp now_;
  int64_t lots_made_ = 0;
  std::map<CardNumber, bool> cards_;
  std::map<LotId, Lot> lots_;
  std::map<RecordNumber, Hold> holds_;
  std::vector<Move> moves_;
};

// Does what is asked of accounts that have begun their records, and gives the response; or
// refuses, and both are to be thrown away. `second` is the other account that is named, or, where
// the first was merged, the one that goes on; nullptr for neither.
absl::StatusOr<std::string> DecideOver(const Request& request, Account& first, Account* second);

// What the parts of the model share: places, texts, and the form of amounts.
inline constexpr Points kNothing;

Place Pending(LotId lot);
Place Available(LotId lot);
Place Held(LotId lot);
Place Debt(LotId lot);
Place IssuedBy(PartnerId partner);
Place RedeemedAt(PartnerId partner);
Place Expired();
Place InTransit();
Timestamp After(Timestamp now, Timestamp delay);
// "earned 12".
std::string Text(const char* what, Points points);
absl::Status CheckPoints(Points points);
// Whether it holds something, released from its review or not.
bool IsOpen(const Hold& hold);

}  // namespace guilder::model
