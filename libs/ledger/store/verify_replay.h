// Replays a book's journal into a model, and proves the journal on the way. For
// libs/ledger/store/verify*.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "libs/base/digest.h"
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

// The row of a book, and its last boundary.
struct BookHead {
  RecordNumber number;
  Timestamp posted_at;
  std::string frontier;
  int64_t last_serial = 0;
  Timestamp last_boundary;
};

// How far a replay has come; a default one has not begun.
struct ReplayPoint {
  RecordNumber number;
  // Of that record.
  Timestamp posted_at;
  // Over the leaves up to there.
  Frontier frontier;
};

// Sees each record once it has been checked, with the start of its window.
using RecordVisitor = absl::FunctionRef<void(const Record&, Timestamp window_start)>;

class JournalReplay {
 public:
  // `seals` by boundary: those after the point to go on from. The findings outlive the replay.
  JournalReplay(BookId book, std::string_view secret, ReplayPoint from, std::vector<SealRow> seals,
                Findings& findings)
      : book_(book),
        key_(secret),
        seals_(std::move(seals)),
        findings_(findings),
        number_(from.number),
        last_number_(from.number),
        last_posted_at_(from.posted_at),
        frontier_(std::move(from.frontier)) {}

  // Replays the records after the last one up to `until`, which were all committed before the
  // transaction's snapshot, and gives each to `visit`. `on_chunk` gets them all.
  absl::Status Advance(postgres::Transaction& transaction, RecordNumber until, RecordVisitor visit,
                       absl::FunctionRef<void(const std::vector<StoredRecord>&)> on_chunk);

  // After Advance to the head's number.
  void CheckHead(const BookHead& head);
  // After Advance to the last record that was there when the seals were read: no seal is left that
  // a later record could prove.
  void CheckSealsAtEnd();

  BookId book() const { return book_; }
  RecordNumber number() const { return number_; }
  ReplayPoint point() const { return {number_, last_posted_at_, frontier_}; }

 private:
  void CheckRecord(const StoredRecord& stored);
  void CheckSeal(const SealRow& seal);
  absl::Status LoadCalendar(postgres::Transaction& transaction);
  void VisitAll(RecordVisitor visit);
  std::string Named(RecordNumber number) const;

  const BookId book_;
  const HmacKey key_;
  const std::vector<SealRow> seals_;
  Findings& findings_;

  RecordNumber number_;       // Replayed up to here, whether or not a record has that number.
  RecordNumber last_number_;  // Of the last record.
  Timestamp last_posted_at_;
  Frontier frontier_;
  size_t next_seal_ = 0;
  // As of a version of the configuration.
  std::optional<Calendar> calendar_;
  int64_t calendar_version_ = 0;
  // The last chunk, for its memory.
  JournalRange range_;
};

}  // namespace guilder::ledger
