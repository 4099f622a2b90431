// Notes what a command does to the life of points that live by activity.
#pragma once

#include <vector>

#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/record.h"
#include "libs/ledger/store/command.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

// After the command was decided, and when nothing else changes the posting: moves the account's
// date where the command is an activity that counts, or undoes one. `batch` are the records of the
// batch so far, which no table has yet.
void CountActivity(postgres::Transaction& tx, const Configuration& configuration,
                   const Command& command, const std::vector<Record>& batch, Posting& posting);

// The same for an account that got what is left of a merged one, whose earlier record the command
// acts on: it is an activity of the account that has the points now. Nothing is undone: what came
// by the merge has kept the date that it had then.
void CountActivityOfSurvivor(const Configuration& configuration, const Command& command,
                             const Posting& merged, Posting& survivor);

}  // namespace guilder::ledger
