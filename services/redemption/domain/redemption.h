// Paying with points: what partners ask, and how it is decided. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"

namespace guilder::redemption {

// A redemption is named by the record that authorized it.
struct RedemptionId {
  BookId book;
  RecordNumber number;
  friend bool operator==(const RedemptionId&, const RedemptionId&) = default;
};

// What each request asks, but for its request id. Checked for its form, with defaults filled in.
struct Authorization {
  std::string partner_slug;
  std::string store_code;
  CardNumber card;
  Points points;
  int time_to_live_seconds = 0;
  std::string reference;
};

struct Capture {
  RedemptionId redemption;
  Points points;  // zero for all that is held
  bool final = false;
};

struct Void {
  RedemptionId redemption;
};

struct Refund {
  RedemptionId redemption;
  Points points;
};

// The contents that fingerprints digest and the journal keeps; README.md lists the fields.
std::string Encode(const Authorization& authorization);
std::string Encode(const Capture& capture);
std::string Encode(const Void& voiding);
std::string Encode(const Refund& refund);

// What points are worth by a redemption contract.
struct Worth {
  MinorUnits amount;
  Currency currency{};
};

struct Authorized {
  Worth value;
  Timestamp expires_at;
};

// Holds the points under the redemption contract in force now, which prices all that follows.
//
// Refuses: kNotYours, kStoreNotFound, kCardNotFound, kPartnerNotActive, kNoContract, kCardBlocked,
// and what ledger::DecideHold refuses.
absl::StatusOr<Authorized> Decide(const Authorization& authorization, PartnerId partner,
                                  const ledger::DecisionContext& context, ledger::Posting& posting);

struct Captured {
  Points points;
  Worth value;
  Points still_held;
};

// Refuses as ledger::DecideCapture does.
absl::StatusOr<Captured> Decide(const Capture& capture, PartnerId partner,
                                const ledger::DecisionContext& context, ledger::Posting& posting);

// The price of points under a partner's redemption contract; none under one that it does not have.
Worth PriceUnder(const ledger::Configuration& configuration, PartnerId partner, ContractId contract,
                 Points points);

}  // namespace guilder::redemption
