#include "libs/ledger/store/verify_book.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/sealing.h"
#include "libs/ledger/store/verify_catalogue.h"
#include "libs/ledger/store/verify_tables.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr char kBeginSnapshot[] = "set transaction isolation level repeatable read";
constexpr absl::Duration kLongChunk = absl::Milliseconds(200);
constexpr absl::Duration kShortChunk = absl::Milliseconds(50);

constexpr Statement kReadHead{"verify.read_head", R"sql(
  select b.last_number, b.last_posted_at_us, b.frontier, b.last_serial, b.secret,
         (select coalesce(max(s.boundary_us), 0) from ledger.seals s where s.book = b.book)
    from ledger.books b
   where b.book = $1
)sql"};

constexpr Statement kReadSeals{"verify.read_seals", R"sql(
  select boundary_us, last_number, root, frontier
    from ledger.seals
   where book = $1
     and boundary_us > $2
   order by boundary_us
)sql"};

// Sealed windows whose end this book did not note.
constexpr Statement kFindUnsealed{"verify.find_unsealed", R"sql(
  select w.window_end_us
    from settlement.windows w
   where w.window_end_us > $2
     and not exists (select 1 from ledger.seals s
                      where s.book = $1 and s.boundary_us = w.window_end_us)
   order by w.window_end_us
   limit 1
)sql"};

BookHead ToHead(const Row& row) {
  return {row.Id<RecordNumber>(0), row.Id<Timestamp>(1), row.Bytes(2), row.Int(3),
          row.Id<Timestamp>(5)};
}

class Verification {
 public:
  Verification(postgres::Pool& pool, const BookTask& task, BookResult& result,
               absl::FunctionRef<absl::Status(int64_t)> progress)
      : pool_(pool),
        task_(task),
        result_(result),
        findings_(result.findings),
        progress_(progress),
        records_per_read_(task.records_per_read),
        accounts_per_read_(task.accounts_per_read) {}

  absl::Status Run() {
    GUILDER_RETURN_IF_ERROR(Begin());
    if (!replay_) return absl::OkStatus();
    GUILDER_RETURN_IF_ERROR(AdvanceTo(noted_));
    replay_->CheckSealsAtEnd();
    result_.claims.Reach(noted_);
    NoteProof();
    if (task_.from == nullptr) {
      GUILDER_RETURN_IF_ERROR(CompareAllAccounts());
    } else {
      // What is wrong with the journal is known, and the model is not worth much then.
      if (!findings_.ok()) return absl::OkStatus();
      GUILDER_RETURN_IF_ERROR(CompareTouchedAccounts());
    }
    GUILDER_RETURN_IF_ERROR(CompareAllPositions());
    return InSnapshot([&](Transaction& transaction) {
      CompareControlAccounts(transaction, Model(), totals_, findings_);
      if (task_.from == nullptr) CheckTotals(Model(), totals_, findings_);
      FindOutside(transaction, Model(), findings_);
    });
  }

 private:
  absl::Status Begin() {
    return pool_.Read([&](Transaction& transaction) -> absl::Status {
      transaction.Script(kBeginSnapshot);
      const Rows rows = transaction.Execute(kReadHead, Params().Int(task_.book));
      noted_ = rows[0].Id<RecordNumber>(0);
      if (task_.from != nullptr) {
        model_.control_accounts.insert(task_.from->control_accounts.begin(),
                                       task_.from->control_accounts.end());
        model_.positions.insert(task_.from->positions.begin(), task_.from->positions.end());
        window_start_ = task_.from->window_start;
        last_serial_ = task_.from->last_serial;
        if (noted_ < task_.from->point.number) {
          findings_.Fail(CheckId::kHeads,
                         absl::StrCat("book ", task_.book.value(), " has ", noted_.value(),
                                      " records, proved were ", task_.from->point.number.value()));
          return absl::OkStatus();
        }
      }
      const ReplayPoint from = task_.from == nullptr ? ReplayPoint() : task_.from->point;
      GUILDER_ASSIGN_OR_RETURN(std::vector<SealRow> seals, ReadSeals(transaction, from.posted_at));
      replay_.emplace(task_.book, rows[0].Bytes(4), from, std::move(seals), findings_);
      return absl::OkStatus();
    });
  }

  // Boundaries are the ends of windows, and each sealed window has its boundary.
  absl::StatusOr<std::vector<SealRow>> ReadSeals(Transaction& transaction, Timestamp after) {
    std::vector<SealRow> seals;
    GUILDER_ASSIGN_OR_RETURN(const Cutting cutting, LoadCutting(transaction));
    for (const Row& row : transaction.Execute(kReadSeals, Params().Int(task_.book).Int(after))) {
      SealRow seal{row.Id<Timestamp>(0), row.Id<RecordNumber>(1), {}, row.Bytes(3)};
      const std::string root = row.Bytes(2);
      if (root.size() == seal.root.size()) std::copy(root.begin(), root.end(), seal.root.begin());
      const bool again = !seals.empty() && seals.back().boundary == seal.boundary;
      if (again || cutting.calendar.WindowStart(seal.boundary) != seal.boundary) {
        findings_.Fail(CheckId::kSeals,
                       absl::StrCat("book ", task_.book.value(), ": not one window ends at ",
                                    seal.boundary.value()));
      }
      seals.push_back(std::move(seal));
    }
    for (const Row& row : transaction.Execute(kFindUnsealed, Params().Int(task_.book).Int(after))) {
      findings_.Fail(CheckId::kSeals,
                     absl::StrCat("book ", task_.book.value(), " was not sealed at ", row.Int(0)));
    }
    return seals;
  }

  // Replays in chunks, each in a transaction of its own.
  absl::Status AdvanceTo(RecordNumber until) {
    while (replay_->number() < until) {
      const RecordNumber next(
          std::min(until.value(), replay_->number().value() + records_per_read_.now()));
      const int64_t before = replay_->number().value();
      const absl::Time began = absl::Now();
      GUILDER_RETURN_IF_ERROR(
          pool_.Read([&](Transaction& transaction) { return Advance(transaction, next); }));
      records_per_read_.Took(absl::Now() - began);
      GUILDER_RETURN_IF_ERROR(progress_(replay_->number().value() - before));
    }
    return absl::OkStatus();
  }

  absl::Status Advance(Transaction& transaction, RecordNumber until) {
    const bool whole = task_.from == nullptr;
    return replay_->Advance(
        transaction, until,
        [&](const Record& record, Timestamp window_start) {
          model_.Add(record, window_start);
          window_start_ = window_start;
          last_serial_ = std::max(last_serial_, SerialOf(record.account));
          if (record.number > noted_) {
            if (!whole) after_.Add(record, window_start);
          } else if (whole) {
            result_.claims.Add(record);
          }
        },
        [&](const std::vector<StoredRecord>& records) {
          findings_.Examined(CheckId::kRecordClaims, static_cast<int64_t>(records.size()));
          if (!whole) CheckClaimsOf(transaction, task_.book, records, findings_);
          CheckCatalogueOf(transaction, task_.book, records, findings_);
        });
  }

  // After the replay up to the noted record, and not beyond.
  void NoteProof() {
    BookProof& proof = result_.proof;
    proof.book = task_.book;
    proof.point = replay_->point();
    proof.last_serial = last_serial_;
    proof.control_accounts.insert(model_.control_accounts.begin(), model_.control_accounts.end());
    proof.window_start = window_start_;
    for (const auto& [key, points] : model_.positions) {
      if (key.window_start == window_start_) proof.positions[key] = points;
    }
    // A model of a journal that is wrong may speak of accounts that there cannot be.
    if (!findings_.ok()) return;
    proof.digests = task_.from == nullptr ? DigestsOf(task_.hash, model_) : task_.from->digests;
  }

  absl::Status CompareAllAccounts() {
    std::optional<AccountId> account(INT64_MIN);
    while (account) {
      GUILDER_RETURN_IF_ERROR(InSnapshot([&](Transaction& transaction) {
        account = CompareAccounts(transaction, Model(), *account, accounts_per_read_.now(), totals_,
                                  findings_);
        if (!account) FindMissing(Model(), findings_);
      }));
    }
    return absl::OkStatus();
  }

  absl::Status CompareTouchedAccounts() {
    const std::set<size_t> touched = TouchedDigests(model_);
    const BookInterval interval{task_.book, task_.hash, *task_.from, noted_, model_, after_};
    for (auto digest = touched.begin(); digest != touched.end();) {
      GUILDER_RETURN_IF_ERROR(InSnapshot([&](Transaction& transaction) {
        // Neighbours together.
        const size_t first = *digest;
        size_t last = first;
        const auto most = static_cast<size_t>(accounts_per_read_.now() / kAccountsPerDigest + 1);
        while (digest != touched.end() && *digest == last && last - first < most) {
          ++last;
          ++digest;
        }
        CompareTouched(transaction, interval, first, last, result_.proof.digests, findings_);
      }));
    }
    FindMissingSince(interval, findings_);
    return absl::OkStatus();
  }

  absl::Status CompareAllPositions() {
    const Timestamp from(task_.from == nullptr ? INT64_MIN : task_.from->window_start.value());
    std::optional<PositionKey> position = PositionKey{from, {}, {}};
    while (position) {
      GUILDER_RETURN_IF_ERROR(InSnapshot([&](Transaction& transaction) {
        position =
            ComparePositions(transaction, Model(), *position, records_per_read_.now(), findings_);
      }));
    }
    return absl::OkStatus();
  }

  // Runs `compare` in a snapshot, after the model has caught up with it. A snapshot that is far
  // ahead is let go, so that it does not grow old.
  absl::Status InSnapshot(absl::FunctionRef<void(Transaction&)> compare) {
    while (true) {
      RecordNumber number;
      bool caught_up = false;
      const int64_t before = replay_->number().value();
      const absl::Time began = absl::Now();
      GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) -> absl::Status {
        transaction.Script(kBeginSnapshot);
        const Rows rows = transaction.Execute(kReadHead, Params().Int(task_.book));
        const BookHead head = ToHead(rows[0]);
        number = head.number;
        if (number.value() - before > records_per_read_.now() / 2 + 1) return absl::OkStatus();
        GUILDER_RETURN_IF_ERROR(Advance(transaction, number));
        CheckHead(head);
        compare(transaction);
        caught_up = true;
        return absl::OkStatus();
      }));
      if (caught_up) {
        accounts_per_read_.Took(absl::Now() - began);
        return progress_(replay_->number().value() - before);
      }
      GUILDER_RETURN_IF_ERROR(AdvanceTo(number));
    }
  }

  void CheckHead(const BookHead& head) {
    replay_->CheckHead(head);
    findings_.Examined(CheckId::kDates);
    if (head.last_serial != last_serial_) {
      findings_.Fail(CheckId::kDates,
                     absl::StrCat("book ", task_.book.value(), " has opened ", last_serial_,
                                  " accounts, it says ", head.last_serial));
    }
  }

  Replayed Model() { return {task_.book, replay_->number(), model_}; }

  postgres::Pool& pool_;
  const BookTask& task_;
  BookResult& result_;
  Findings& findings_;
  absl::FunctionRef<absl::Status(int64_t)> progress_;
  ChunkSize records_per_read_;
  ChunkSize accounts_per_read_;

  // The last record when the verification began.
  RecordNumber noted_;
  std::optional<JournalReplay> replay_;
  // Of all records since the earlier proof, and of those after the noted one.
  BookModel model_;
  BookModel after_;
  Timestamp window_start_;
  // Of the account opened last.
  int64_t last_serial_ = 0;
  StoredTotals totals_;
};

}  // namespace

void ChunkSize::Took(absl::Duration duration) {
  if (duration > kLongChunk) now_ = std::max(1, now_ / 2);
  if (duration < kShortChunk) now_ = std::min(most_, now_ * 2);
}

absl::Status VerifyBook(postgres::Pool& pool, const BookTask& task, BookResult& result,
                        absl::FunctionRef<absl::Status(int64_t)> progress) {
  return Verification(pool, task, result, progress).Run();
}

}  // namespace guilder::ledger
