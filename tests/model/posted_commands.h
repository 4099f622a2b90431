// Which records of the journal were written together, and in which order over all books.
#pragma once

#include <vector>

#include "libs/ledger/store/journal.h"

namespace guilder::model {

// A command's record, and those of the other accounts that it decided over. They point into the
// records that were given.
struct PostedCommand {
  const ledger::StoredRecord* record = nullptr;
  std::vector<const ledger::StoredRecord*> parts;
};

// The commands of records that are given by book and number, as they can have followed each other:
// by time, each book's in its order, and what belongs together at once. Ends where there is no such
// order, so that some are missing.
std::vector<PostedCommand> InOrder(const std::vector<ledger::StoredRecord>& records);

}  // namespace guilder::model
