// Compares what lanes left in a database with what the reference model says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/model/player.h"
#include "tests/model/world.h"

namespace guilder::model {

struct Failure {
  // The history whose account it is about; none when it is about sums over all.
  std::optional<size_t> history;
  std::string what;
};

// Replays the journal on the reference model, in the order of each book, and compares:
//
// - each record with the answer that its client got, and its response and entries with the model's;
// - each refusal with what the model answers at that time;
// - accounts, lots, holds, control accounts, positions, claims and seals;
// - and runs the ledger's own verification.
//
// No command may be under way. Gives the first difference.
std::optional<Failure> Check(World& world, const std::vector<Played>& played);

}  // namespace guilder::model
