// Random histories: what several members of the programme do, and what clients do wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "tests/model/request.h"

namespace guilder::model {

// The coalition of every history: the first partners issue points, the last ones take them.
inline constexpr int kPartners = 6;
inline constexpr int kFirstTaker = 3;
// Each has two versions of an issuance contract and one redemption contract.
constexpr ContractId IssuanceContract(PartnerId partner, int version) {
  return ContractId(partner.value() * 10 + version);
}
constexpr ContractId RedemptionContract(PartnerId partner) {
  return ContractId(partner.value() * 10 + 5);
}

inline constexpr int kNoStep = -1;

// What a step shows.
enum class Card {
  kNone,
  kOwn,
  kBlocked,
  // That of another account, or one that nobody was given.
  kOthers,
  kUnknown,
};

// One thing that a client sends, or waits for.
struct Step {
  // With `account`, `other` and `target` left out, which are known when the steps before are
  // answered.
  Request request;
  // The step that opens its account; kNoStep when it opens one.
  int account = kNoStep;
  // The step whose record it acts on; kNoStep for a record that does not exist.
  int target = kNoStep;
  // The step that opens the other account; kNoStep when it names none.
  int other = kNoStep;
  // With the number left out, too. None but for earnings.
  Card card = Card::kNone;
  // The step whose request id it uses; itself when it has one of its own.
  int id_of = kNoStep;
  // Sends nothing, and waits until the programme's clock has moved on by so much.
  Timestamp wait;
  // Left out, in the search for a shorter history.
  bool removed = false;

  bool sends() const { return wait == Timestamp(0); }
};

struct History {
  std::vector<Step> steps;

  // How many commands it sends.
  int commands() const;
  // One line for each step that was not removed.
  std::string ToString() const;
};

// The same for the same seed.
History GenerateHistory(uint64_t seed, int commands);

}  // namespace guilder::model
