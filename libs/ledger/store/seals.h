// A book's head at a boundary of windows: how many records were before it, and their tree.
//
// Whoever takes a book past a boundary notes it: a lane with the first record after it, or sealing
// where no record came. So a window is sealed by reading a row for each book, however much was
// posted in it.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/calendar.h"
#include "libs/ledger/core/merkle.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

struct Seal {
  BookId book;
  Timestamp boundary;
  // Of the last record before the boundary.
  RecordNumber last_number;
  Digest root{};
  std::string frontier;
};

// The seals of the boundaries in (posted_before, posted_at] for a book whose head has not changed
// since `posted_before`. 32 at most: what a book that was idle for longer leaves out, sealing finds
// in the journal.
std::vector<Seal> SealsBetween(const Calendar& calendar, BookId book, const Frontier& head,
                               Timestamp posted_before, Timestamp posted_at);

// Keeps what is there: a boundary has one head, whoever computed it.
void InsertSeals(postgres::Transaction& transaction, const std::vector<Seal>& seals);

}  // namespace guilder::ledger
