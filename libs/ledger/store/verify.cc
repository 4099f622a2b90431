#include "libs/ledger/store/verify.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/time/clock.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/store/verify_book.h"
#include "libs/ledger/store/verify_books.h"
#include "libs/ledger/store/verify_catalogue.h"
#include "libs/ledger/store/verify_claims.h"
#include "libs/ledger/store/verify_limits.h"
#include "libs/ledger/store/verify_money.h"
#include "libs/ledger/store/verify_settlements.h"
#include "libs/ledger/store/verify_since.h"

namespace guilder::ledger {
namespace {

using postgres::Transaction;

constexpr char kBeginSnapshot[] = "set transaction isolation level repeatable read";

absl::Duration ThreadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

class Verification {
 public:
  Verification(postgres::Pool& pool, const VerifyOptions& options,
               absl::FunctionRef<bool(const VerifyProgress&)> progress)
      : pool_(pool), options_(options), report_progress_(progress) {}

  absl::StatusOr<VerifyReport> Run() {
    const absl::Time began = absl::Now();
    const absl::Duration processor_before = ThreadTime();
    if (!options_.since.empty()) {
      GUILDER_ASSIGN_OR_RETURN(since_, VerifyState::Decode(options_.since));
    }
    hash_ = since_ ? since_->hash : KeyedHash::Random();
    std::vector<BookId> books;
    GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
      for (const BookFacts& book : CheckBooks(transaction, findings_)) {
        books.push_back(book.book);
        // A book that is new since then goes on from nothing.
        if (since_) since_->books.try_emplace(book.book).first->second.book = book.book;
        progress_.records_total += book.last_number.value() - After(book.book);
      }
      return absl::OkStatus();
    }));
    if (since_ && since_->books.size() > books.size()) {
      findings_.Fail(CheckId::kBooks, "there were more books when they were last verified");
    }
    GUILDER_RETURN_IF_ERROR(VerifyBooks(books));
    GUILDER_RETURN_IF_ERROR(VerifyAllClaims());
    GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
      transaction.Script(kBeginSnapshot);
      CheckTransit(transaction, findings_);
      VerifyLimits(transaction, findings_);
      VerifySettlements(transaction, findings_);
      return absl::OkStatus();
    }));
    GUILDER_RETURN_IF_ERROR(VerifyCatalogue(pool_, findings_));
    GUILDER_RETURN_IF_ERROR(VerifyMoney(pool_, findings_, [&] { return Done(0); }));
    VerifyReport report = MakeReport();
    report.processor = processor_ + (ThreadTime() - processor_before);
    report.elapsed = absl::Now() - began;
    return report;
  }

 private:
  const BookProof* Proved(BookId book) const {
    if (!since_) return nullptr;
    const auto found = since_->books.find(book);
    return found == since_->books.end() ? nullptr : &found->second;
  }

  int64_t After(BookId book) const {
    const BookProof* const proved = Proved(book);
    return proved == nullptr ? 0 : proved->point.number.value();
  }

  // Each job takes the next book until there are no more, or one could not be read.
  absl::Status VerifyBooks(const std::vector<BookId>& books) {
    for (const BookId book : books) {
      results_.emplace(book, std::make_unique<BookResult>(hash_));
    }
    const int jobs = std::clamp(options_.jobs, 1, std::max(1, static_cast<int>(books.size())));
    if (jobs == 1) {
      Work(books);
    } else {
      std::vector<std::thread> threads;
      for (int i = 0; i < jobs; ++i) {
        threads.emplace_back([&] {
          const absl::Duration before = ThreadTime();
          Work(books);
          const std::lock_guard lock(mutex_);
          processor_ += ThreadTime() - before;
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
    return status_;
  }

  void Work(const std::vector<BookId>& books) {
    while (true) {
      const size_t next = next_book_++;
      if (next >= books.size()) return;
      const BookId book = books[next];
      const BookTask task{book, hash_, Proved(book), options_.records_per_read,
                          options_.accounts_per_read};
      const absl::Status status = VerifyBook(pool_, task, *results_.at(book),
                                             [&](int64_t records) { return Done(records); });
      if (status.ok()) continue;
      const std::lock_guard lock(mutex_);
      status_.Update(status);
      next_book_ = books.size();
    }
  }

  // Since an earlier verification, each record's claims were looked up with the record.
  absl::Status VerifyAllClaims() {
    if (since_) return absl::OkStatus();
    std::map<BookId, ClaimSums> sums;
    for (auto& [book, result] : results_) sums.emplace(book, std::move(result->claims));
    return VerifyClaims(pool_, hash_, sums, options_.records_per_read, findings_,
                        [&](int64_t) { return Done(0); });
  }

  absl::Status Done(int64_t records) {
    const std::lock_guard lock(mutex_);
    progress_.records_done += records;
    // What was posted meanwhile.
    progress_.records_total = std::max(progress_.records_total, progress_.records_done);
    if (report_progress_(progress_)) return absl::OkStatus();
    return absl::CancelledError("nobody waits for the verification any more");
  }

  VerifyReport MakeReport() {
    VerifyState state{hash_, {}};
    std::vector<VerifiedRange> ranges;
    for (auto& [book, result] : results_) {
      findings_.Append(std::move(result->findings));
      ranges.push_back({book.value(), After(book), result->proof.point.number.value()});
      state.books.emplace(book, std::move(result->proof));
    }
    VerifyReport report = std::move(findings_).Take();
    report.records = progress_.records_done;
    report.ranges = std::move(ranges);
    if (report.ok) report.state = state.Encode();
    return report;
  }

  postgres::Pool& pool_;
  const VerifyOptions& options_;
  absl::FunctionRef<bool(const VerifyProgress&)> report_progress_;
  std::optional<VerifyState> since_;
  KeyedHash hash_;
  Findings findings_;
  std::map<BookId, std::unique_ptr<BookResult>> results_;
  std::atomic<size_t> next_book_{0};

  std::mutex mutex_;
  // Guarded by mutex_.
  VerifyProgress progress_;
  absl::Status status_;
  absl::Duration processor_;
};

}  // namespace

absl::StatusOr<VerifyReport> Verify(postgres::Pool& pool, const VerifyOptions& options,
                                    absl::FunctionRef<bool(const VerifyProgress&)> progress) {
  return Verification(pool, options, progress).Run();
}

}  // namespace guilder::ledger
