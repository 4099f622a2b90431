// What an account of the ledger is meant to do, written to be read rather than to be fast: maps of
// lots and holds, and a loop for each rule. Shares the vocabulary of the ledger (buckets,
// movements), and none of its code.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "tests/model/request.h"

namespace guilder::model {

// Points of one earning. Every point of it is in exactly one of the first six places. `owed` are
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

  Timestamp end() const { return restored_until > expires_at ? restored_until : expires_at; }

  Points waiting;
  Points free;
  Points held;
  Points redeemed;
  Points reversed;
  Points expired;
  Points owed;
};

enum class HoldEnd { kOpen, kCaptured, kVoided, kExpired, kInReview };

struct HoldPart {
  RecordNumber lot;
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
  RecordNumber lot;
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

// A member's account. A lot is named by the record that earned it, a hold by the one that made it.
class Account {
 public:
  explicit Account(AccountId id) : id_(id) {}

  // Does what is asked at an instant, and gives the response; or refuses, and is to be thrown away
  // then. Instants must not fall.
  absl::StatusOr<std::string> Apply(const Request& request, RecordNumber number, Timestamp now);

  // What the last Apply moved, by way and contract.
  const std::vector<Move>& moves() const { return moves_; }

  const std::map<RecordNumber, Lot>& lots() const { return lots_; }
  const std::map<RecordNumber, Hold>& holds() const { return holds_; }
  Points waiting() const { return Sum(&Lot::waiting); }
  Points available() const { return Sum(&Lot::free); }
  Points held() const { return Sum(&Lot::held); }
  // The good one.
  CardNumber card() const { return card_; }
  Points owed() const { return Sum(&Lot::owed); }
  // The first instant at which something happens by time alone; kNever if nothing does.
  Timestamp NextDue() const;
  // What happens by time alone, up to an instant.
  void LiveUntil(Timestamp now);

 private:
  using LotEntry = std::pair<const RecordNumber, Lot>;

  void ActivateDue(Timestamp at);
  void ReleaseDue(Timestamp at);
  void ExpireDue(Timestamp at);
  void RepayDebts();

  absl::StatusOr<std::string> Earn(const Request& request, RecordNumber number, Timestamp now);
  absl::StatusOr<std::string> Confirm(const Request& request);
  absl::StatusOr<std::string> Cancel(const Request& request);
  absl::StatusOr<std::string> Reverse(const Request& request);
  absl::StatusOr<std::string> MakeHold(const Request& request, RecordNumber number, Timestamp now);
  absl::StatusOr<std::string> Capture(const Request& request);
  absl::StatusOr<std::string> Use(const Request& request);
  absl::StatusOr<std::string> Unuse(const Request& request, Timestamp now);
  // Of a hold that still holds so much, or has captured so much, at whose till it may be.
  void Take(Hold& hold, Points points, PartnerId partner, ContractId contract);
  absl::StatusOr<std::string> GiveBackTo(Hold& hold, const Request& request, PartnerId partner,
                                         ContractId contract, Timestamp now);
  absl::StatusOr<std::string> Release(const Request& request);
  absl::StatusOr<std::string> Refund(const Request& request, Timestamp now);
  absl::StatusOr<std::string> ReleaseReview(const Request& request);
  absl::StatusOr<std::string> Pay(const Request& request, RecordNumber number, Timestamp now);

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
  CardNumber card_;
  std::map<RecordNumber, Lot> lots_;
  std::map<RecordNumber, Hold> holds_;
  std::vector<Move> moves_;
};

}  // namespace guilder::model
