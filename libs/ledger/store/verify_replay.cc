#include "libs/ledger/store/verify_replay.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/sealing.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

// `offset 0` keeps the planner at one look at the key for each record, however many claims there
// are.
constexpr Statement kFindUnclaimed{"verify.find_unclaimed", R"sql(
  select r.number
    from unnest($2::uuid[], $3::bigint[], $4::bigint[]) as r (claim_key, number, posted_at_us)
   where not exists (select 1
                       from ledger.claims c
                      where c.claim_key = r.claim_key
                        and c.book = $1
                        and c.number = r.number
                        and c.posted_at_us = r.posted_at_us
                     offset 0)
   order by r.number
   limit 1
)sql"};

}  // namespace

absl::Status JournalReplay::Advance(Transaction& transaction, RecordNumber until) {
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
  CheckClaims(transaction, range.records);

  // Read after the records: every boundary on demand is committed before a record that it cuts.
  GUILDER_ASSIGN_OR_RETURN(const Cutting cutting, LoadCutting(transaction));
  AddToModel(cutting.calendar, range.records);
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
  if (LeafOf(record, secret_) != stored.leaf) {
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
  if (head.posted_at < last_posted_at_) {
    findings_.Fail(CheckId::kPostedTime,
                   absl::StrCat("book ", book_.value(), " is earlier than its last record"));
  }
}

void JournalReplay::CheckClaims(Transaction& transaction,
                                const std::vector<StoredRecord>& records) {
  const auto key = [](const StoredRecord& stored) {
    return RequestClaimKey(stored.record.partner, stored.record.request_id);
  };
  const auto rows = transaction.Execute(
      kFindUnclaimed,
      Params()
          .Int(book_)
          .UuidArray(records, key)
          .IntArray(records, [](const StoredRecord& stored) { return stored.record.number; })
          .IntArray(records, [](const StoredRecord& stored) { return stored.record.posted_at; }));
  findings_.Examined(CheckId::kRecordClaims, static_cast<int64_t>(records.size()));
  if (!rows.empty()) findings_.Fail(CheckId::kRecordClaims, Named(rows[0].Id<RecordNumber>(0)));
}

void JournalReplay::AddToModel(const Calendar& calendar, const std::vector<StoredRecord>& records) {
  Timestamp start;
  Timestamp end;
  for (const StoredRecord& stored : records) {
    const Timestamp posted_at = stored.record.posted_at;
    if (posted_at < start || posted_at >= end) {
      start = calendar.WindowStart(posted_at);
      end = calendar.WindowEnd(posted_at);
    }
    model_.Add(stored.record, start);
  }
}

std::string JournalReplay::Named(RecordNumber number) const {
  return absl::StrCat("record ", book_.value(), "-", number.value());
}

}  // namespace guilder::ledger
