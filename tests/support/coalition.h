// A small coalition with lanes, for tests of services that post.
//
// Partners `fresh` and `books` issue and redeem; `house` is the operator-partner. Each has the
// store "s1" with the terminal "t1". A point costs its issuer 0.01 EUR, becomes available after 14
// days, and lives a year; it brings 0.008 EUR to who takes it. Fresh and books give 1 point per
// full euro, nothing for "not-goods".
#pragma once

#include <memory>
#include <string>

#include "libs/clients/client.h"
#include "libs/ledger/store/card_directory.h"
#include "libs/ledger/store/lanes.h"
#include "tests/support/service_network.h"

namespace guilder::testing {

class Coalition {
 public:
  // Gated, it has a gate between everything that is tested and the database, and one lane, so that
  // statements come one after the other.
  explicit Coalition(int books = 2, bool gated = false);
  ~Coalition();

  ServiceNetwork& network() { return network_; }
  const TestDatabase& database() const { return network_.database(); }
  ledger::Lanes& lanes() { return *lanes_; }
  ledger::CardDirectory& cards() { return *cards_; }

  // After the network's services were added and it was started.
  clients::Channel AsPartner(const std::string& slug) const;

  // A member without points, with a card, by a record of its own. Gives the card's number.
  std::string AMember();
  AccountId AccountOf(const std::string& card) const;

  // What the programme's clock shows.
  Timestamp Now() const;
  void AdvanceDays(int days) { network_.MoveClock(days * kMicrosPerDay); }

 private:
  ServiceNetwork network_;
  std::unique_ptr<ledger::Lanes> lanes_;
  std::unique_ptr<ledger::CardDirectory> cards_;
  int64_t last_card_ = 978'000'000'000'000;
};

}  // namespace guilder::testing
