#include "libs/ledger/store/verify_replay.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/store/sealing.h"

namespace guilder::ledger {

using postgres::Transaction;

absl::Status JournalReplay::Advance(
    Transaction& transaction, RecordNumber until, RecordVisitor visit,
    absl::FunctionRef<void(const std::vector<StoredRecord>&)> on_chunk) {
  if (until <= number_) return absl::OkStatus();
  const JournalRange range = ReadRecords(transaction, book_, number_, until);
  for (const RecordNumber number : range.stray_entries) {
    findings_.Fail(CheckId::kEntries, absl::StrCat("an entry of ", Named(number)));
  }
  for (const StoredRecord& stored : range.records) CheckRecord(stored);
  if (last_number_ != until) {
    findings_.Fail(CheckId::kNumbers,
                   absl::StrCat("no record after ", Named(last_number_), " up to ", until.value()));
  }
  number_ = until;

  // Read after the records: every boundary on demand is committed before a record that it cuts.
  GUILDER_ASSIGN_OR_RETURN(const Cutting cutting, LoadCutting(transaction));
  VisitAll(cutting.calendar, range.records, visit);
  on_chunk(range.records);
  return absl::OkStatus();
}

void JournalReplay::CheckRecord(const StoredRecord& stored) {
  const Record& record = stored.record;
  findings_.Examined(CheckId::kNumbers);
  if (record.number.value() != last_number_.value() + 1) {
    findings_.Fail(CheckId::kNumbers,
                   absl::StrCat(Named(record.number), " follows ", Named(last_number_)));
  }
  findings_.Examined(CheckId::kPostedTime);
  if (record.posted_at < last_posted_at_) {
    findings_.Fail(CheckId::kPostedTime,
                   absl::StrCat(Named(record.number), " is earlier than the record before it"));
  }
  findings_.Examined(CheckId::kLeaves);
  if (LeafOf(record, key_) != stored.leaf) {
    findings_.Fail(CheckId::kLeaves, Named(record.number));
  }
  findings_.Examined(CheckId::kEntries, static_cast<int64_t>(record.entries.size()));

  while (next_seal_ < seals_.size() && seals_[next_seal_].boundary <= record.posted_at) {
    CheckSeal(seals_[next_seal_++]);
  }
  frontier_.Append(stored.leaf);
  last_number_ = record.number;
  last_posted_at_ = record.posted_at;
}

void JournalReplay::CheckSeal(const SealRow& seal) {
  findings_.Examined(CheckId::kSeals);
  if (seal.last_number == last_number_ && seal.root == frontier_.Root() &&
      seal.frontier == frontier_.ToBytes()) {
    return;
  }
  findings_.Fail(
      CheckId::kSeals,
      absl::StrCat("book ", book_.value(), " at ", seal.boundary.value(), " has ",
                   last_number_.value(), " records, sealed are ", seal.last_number.value(),
                   seal.last_number == last_number_ ? " with another root" : ""));
}

void JournalReplay::CheckSealsAtEnd() {
  while (next_seal_ < seals_.size()) CheckSeal(seals_[next_seal_++]);
}

void JournalReplay::CheckHead(const BookHead& head) {
  findings_.Examined(CheckId::kHeads);
  if (frontier_.size() != head.number.value() || frontier_.ToBytes() != head.frontier) {
    findings_.Fail(CheckId::kHeads,
                   absl::StrCat("book ", book_.value(), " at record ", head.number.value()));
  }
  // Only a record and a boundary move it.
  const Timestamp expected = std::max(last_posted_at_, head.last_boundary);
  if (head.posted_at != expected) {
    findings_.Fail(CheckId::kPostedTime,
                   absl::StrCat("book ", book_.value(), " has come to ", head.posted_at.value(),
                                ", its records and boundaries to ", expected.value()));
  }
}

void JournalReplay::VisitAll(const Calendar& calendar, const std::vector<StoredRecord>& records,
                             RecordVisitor visit) {
  Timestamp start;
  Timestamp end;
  for (const StoredRecord& stored : records) {
    const Timestamp posted_at = stored.record.posted_at;
    if (posted_at < start || posted_at >= end) {
      start = calendar.WindowStart(posted_at);
      end = calendar.WindowEnd(posted_at);
    }
    visit(stored.record, start);
  }
}

std::string JournalReplay::Named(RecordNumber number) const {
  return absl::StrCat("record ", book_.value(), "-", number.value());
}

}  // namespace guilder::ledger
