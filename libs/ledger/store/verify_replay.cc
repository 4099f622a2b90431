#include "libs/ledger/store/verify_replay.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/store/sealing.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kReadVersion{"verify.read_version", R"sql(
  select coalesce(sum(version), 0)::bigint from ledger.configuration
)sql"};

}  // namespace

using postgres::Transaction;

absl::Status JournalReplay::Advance(
    Transaction& transaction, RecordNumber until, RecordVisitor visit,
    absl::FunctionRef<void(const std::vector<StoredRecord>&)> on_chunk) {
  if (until <= number_) return absl::OkStatus();
  ReadRecords(transaction, book_, number_, until, range_);
  for (const RecordNumber number : range_.stray_entries) {
    findings_.Fail(CheckId::kEntries, absl::StrCat("an entry of ", Named(number)));
  }
  for (const StoredRecord& stored : range_.records) CheckRecord(stored);
  if (last_number_ != until) {
    findings_.Fail(CheckId::kNumbers,
                   absl::StrCat("no record after ", Named(last_number_), " up to ", until.value()));
  }
  number_ = until;

  GUILDER_RETURN_IF_ERROR(LoadCalendar(transaction));
  VisitAll(visit);
  on_chunk(range_.records);
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

// Called after the records were read: every boundary on demand is committed before a record that it
// cuts, and raises the configuration's version.
absl::Status JournalReplay::LoadCalendar(Transaction& transaction) {
  const int64_t version = transaction.Execute(kReadVersion)[0].Int(0);
  if (calendar_ && version == calendar_version_) return absl::OkStatus();
  GUILDER_ASSIGN_OR_RETURN(Cutting cutting, LoadCutting(transaction));
  calendar_ = std::move(cutting.calendar);
  calendar_version_ = version;
  return absl::OkStatus();
}

void JournalReplay::VisitAll(RecordVisitor visit) {
  Timestamp start;
  Timestamp end;
  for (const StoredRecord& stored : range_.records) {
    const Timestamp posted_at = stored.record.posted_at;
    if (posted_at < start || posted_at >= end) {
      start = calendar_->WindowStart(posted_at);
      end = calendar_->WindowEnd(posted_at);
    }
    visit(stored.record, start);
  }
}

std::string JournalReplay::Named(RecordNumber number) const {
  return absl::StrCat("record ", book_.value(), "-", number.value());
}

}  // namespace guilder::ledger
