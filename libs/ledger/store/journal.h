// Reads journal records back: the inverse of what lanes write, and the same bytes that leaves
// digest.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

struct StoredRecord {
  Record record;
  // As it is stored, not recomputed.
  Digest leaf{};
};

struct JournalRange {
  // By number, each with its entries by line and its lots by id. Of a lot and a hold only what
  // `Record` says: the terms that it was created with.
  std::vector<StoredRecord> records;
  // The numbers of entries that belong to no record of the range, or whose lines are not 1, 2, 3 …
  std::vector<RecordNumber> stray_entries;
};

// Reads the records of a book whose number is above `after` and at most `until`. They never change,
// so any transaction reads the same; 20,000 at a time keep a transaction well below a second.
JournalRange ReadRecords(postgres::Transaction& transaction, BookId book, RecordNumber after,
                         RecordNumber until);
// The same into a range that was read before, whose memory it uses again.
void ReadRecords(postgres::Transaction& transaction, BookId book, RecordNumber after,
                 RecordNumber until, JournalRange& range);

}  // namespace guilder::ledger
