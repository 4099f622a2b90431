#include "libs/ledger/store/verify.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/verify_limits.h"
#include "libs/ledger/store/verify_replay.h"
#include "libs/ledger/store/verify_settlements.h"
#include "libs/ledger/store/verify_tables.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr char kBeginSnapshot[] = "set transaction isolation level repeatable read";

constexpr Statement kListBooks{"verify.list_books", R"sql(
  select book, last_number from ledger.books order by book
)sql"};

constexpr Statement kReadHead{"verify.read_head", R"sql(
  select last_number, last_posted_at_us, frontier, secret from ledger.books where book = $1
)sql"};

constexpr Statement kReadSeals{"verify.read_seals", R"sql(
  select boundary_us, last_number, root, frontier
    from ledger.seals
   where book = $1
   order by boundary_us
)sql"};

// `offset 0` keeps the planner at one look at the journal's key for each claim.
constexpr Statement kReadClaims{"verify.read_claims", R"sql(
  select c.claim_key, c.book, c.number,
         exists (select 1
                   from ledger.journal j
                  where j.book = c.book
                    and j.number = c.number
                    and j.posted_at_us = c.posted_at_us
                 offset 0)
    from (select claim_key, book, number, posted_at_us
            from ledger.claims
           where claim_key > $1
           order by claim_key
           limit $2) c
   order by c.claim_key
)sql"};

class Verification {
 public:
  Verification(postgres::Pool& pool, const VerifyOptions& options,
               absl::FunctionRef<bool(const VerifyProgress&)> progress)
      : pool_(pool), options_(options), report_progress_(progress) {}

  absl::StatusOr<VerifyReport> Run() {
    std::vector<std::pair<BookId, RecordNumber>> books;
    GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
      for (const Row& row : transaction.Execute(kListBooks)) {
        books.emplace_back(row.Id<BookId>(0), row.Id<RecordNumber>(1));
        progress_.records_total += row.Int(1);
      }
      return absl::OkStatus();
    }));
    for (const auto& [book, number] : books) {
      const int64_t done_before = progress_.records_done;
      GUILDER_RETURN_IF_ERROR(VerifyBook(book));
      // What was posted meanwhile.
      progress_.records_total += progress_.records_done - done_before - number.value();
    }
    GUILDER_RETURN_IF_ERROR(VerifyClaims());
    GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
      transaction.Script(kBeginSnapshot);
      VerifyLimits(transaction, findings_);
      VerifySettlements(transaction, findings_);
      return absl::OkStatus();
    }));
    return std::move(findings_).Take(progress_.records_done);
  }

 private:
  absl::Status VerifyBook(BookId book) {
    RecordNumber noted;
    std::optional<JournalReplay> replay;
    GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
      transaction.Script(kBeginSnapshot);
      const Rows rows = transaction.Execute(kReadHead, Params().Int(book));
      const Row row = rows[0];
      noted = row.Id<RecordNumber>(0);
      std::vector<SealRow> seals;
      for (const Row& seal : transaction.Execute(kReadSeals, Params().Int(book))) {
        seals.push_back(
            {seal.Id<Timestamp>(0), seal.Id<RecordNumber>(1), seal.Digest(2), seal.Bytes(3)});
      }
      replay.emplace(book, row.Bytes(3), std::move(seals), findings_);
      return absl::OkStatus();
    }));
    GUILDER_RETURN_IF_ERROR(AdvanceTo(*replay, noted));
    replay->CheckSealsAtEnd();
    return VerifyTables(*replay);
  }

  // Replays in chunks, each in a transaction of its own.
  absl::Status AdvanceTo(JournalReplay& replay, RecordNumber until) {
    while (replay.number() < until) {
      const RecordNumber next(
          std::min(until.value(), replay.number().value() + options_.records_per_read));
      GUILDER_RETURN_IF_ERROR(
          pool_.Read([&](Transaction& transaction) { return Advance(transaction, replay, next); }));
      GUILDER_RETURN_IF_ERROR(ReportProgress());
    }
    return absl::OkStatus();
  }

  absl::Status Advance(Transaction& transaction, JournalReplay& replay, RecordNumber until) {
    const int64_t before = replay.number().value();
    GUILDER_RETURN_IF_ERROR(replay.Advance(transaction, until));
    progress_.records_done += replay.number().value() - before;
    return absl::OkStatus();
  }

  absl::Status VerifyTables(JournalReplay& replay) {
    std::optional<AccountId> account(INT64_MIN);
    while (account) {
      GUILDER_RETURN_IF_ERROR(InSnapshot(replay, [&](Transaction& transaction) {
        account =
            CompareAccounts(transaction, replay, *account, options_.accounts_per_read, findings_);
        if (!account) FindMissing(replay, findings_);
      }));
      GUILDER_RETURN_IF_ERROR(ReportProgress());
    }
    std::optional<PositionKey> position = PositionKey{Timestamp(INT64_MIN), {}, {}};
    while (position) {
      GUILDER_RETURN_IF_ERROR(InSnapshot(replay, [&](Transaction& transaction) {
        position =
            ComparePositions(transaction, replay, *position, options_.records_per_read, findings_);
      }));
      GUILDER_RETURN_IF_ERROR(ReportProgress());
    }
    return InSnapshot(
        replay, [&](Transaction& transaction) { CompareTotals(transaction, replay, findings_); });
  }

  // Runs `compare` in a snapshot, after the model has caught up with it. A snapshot that is far
  // ahead is let go, so that it does not grow old.
  absl::Status InSnapshot(JournalReplay& replay, absl::FunctionRef<void(Transaction&)> compare) {
    while (true) {
      RecordNumber number;
      bool caught_up = false;
      GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) -> absl::Status {
        transaction.Script(kBeginSnapshot);
        const Rows rows = transaction.Execute(kReadHead, Params().Int(replay.book()));
        const Row row = rows[0];
        number = row.Id<RecordNumber>(0);
        if (number.value() - replay.number().value() > options_.records_per_read) {
          return absl::OkStatus();
        }
        GUILDER_RETURN_IF_ERROR(Advance(transaction, replay, number));
        replay.CheckHead({number, row.Id<Timestamp>(1), row.Bytes(2)});
        compare(transaction);
        caught_up = true;
        return absl::OkStatus();
      }));
      if (caught_up) return absl::OkStatus();
      GUILDER_RETURN_IF_ERROR(AdvanceTo(replay, number));
    }
  }

  absl::Status VerifyClaims() {
    Uuid last{};
    bool more = true;
    while (more) {
      GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
        const Rows rows =
            transaction.Execute(kReadClaims, Params().Uuid(last).Int(options_.records_per_read));
        findings_.Examined(CheckId::kClaimRecords, rows.size());
        for (const Row& row : rows) {
          if (row.Bool(3)) continue;
          findings_.Fail(CheckId::kClaimRecords,
                         absl::StrCat("claim ", FormatUuid(row.Uuid(0)), " names record ",
                                      row.Int(1), "-", row.Int(2)));
        }
        more = rows.size() == options_.records_per_read;
        if (more) last = rows[rows.size() - 1].Uuid(0);
        return absl::OkStatus();
      }));
      GUILDER_RETURN_IF_ERROR(ReportProgress());
    }
    return absl::OkStatus();
  }

  absl::Status ReportProgress() {
    if (report_progress_(progress_)) return absl::OkStatus();
    return absl::CancelledError("nobody waits for the verification any more");
  }

  postgres::Pool& pool_;
  const VerifyOptions options_;
  absl::FunctionRef<bool(const VerifyProgress&)> report_progress_;
  VerifyProgress progress_;
  Findings findings_;
};

}  // namespace

absl::StatusOr<VerifyReport> Verify(postgres::Pool& pool, const VerifyOptions& options,
                                    absl::FunctionRef<bool(const VerifyProgress&)> progress) {
  return Verification(pool, options, progress).Run();
}

}  // namespace guilder::ledger
