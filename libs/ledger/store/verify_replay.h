// Replays a book's journal into a model, and proves the journal on the way. For
// libs/ledger/store/verify*.cc.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/calendar.h"
#include "libs/ledger/core/merkle.h"
#include "libs/ledger/store/journal.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/ledger/store/verify_model.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

struct SealRow {
  Timestamp boundary;
  RecordNumber last_number;
  Digest root{};
  std::string frontier;
};

// The row of a book.
struct BookHead {
  RecordNumber number;
  Timestamp posted_at;
  std::string frontier;
};

class JournalReplay {
 public:
  // `seals` by boundary. The findings outlive the replay.
  JournalReplay(BookId book, std::string secret, std::vector<SealRow> seals, Findings& findings)
      : book_(book), secret_(std::move(secret)), seals_(std::move(seals)), findings_(findings) {}

  // Replays the records after the last one up to `until`, which were all committed before the
  // transaction's snapshot.
  absl::Status Advance(postgres::Transaction& transaction, RecordNumber until);

  // After Advance to the head's number.
  void CheckHead(const BookHead& head);
  // After Advance to the last record that was there when the seals were read: no seal is left that
  // a later record could prove.
  void CheckSealsAtEnd();

  BookId book() const { return book_; }
  RecordNumber number() const { return number_; }
  BookModel& model() { return model_; }

 private:
  void CheckRecord(const StoredRecord& stored);
  void CheckSeal(const SealRow& seal);
  void CheckClaims(postgres::Transaction& transaction, const std::vector<StoredRecord>& records);
  void AddToModel(const Calendar& calendar, const std::vector<StoredRecord>& records);
  std::string Named(RecordNumber number) const;

  const BookId book_;
  const std::string secret_;
  const std::vector<SealRow> seals_;
  Findings& findings_;

  RecordNumber number_;       // Replayed up to here, whether or not a record has that number.
  RecordNumber last_number_;  // Of the last record.
  Timestamp last_posted_at_;
  Frontier frontier_;
  size_t next_seal_ = 0;
  BookModel model_;
};

}  // namespace guilder::ledger
