#include "libs/ledger/store/due.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/unwritten.h"
#include "libs/ledger/store/programme.h"
#include "libs/ledger/store/reader.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

// Accounts that one statement looks at: it holds no lock, and no snapshot for long.
constexpr int kChunk = 5'000;

constexpr Statement kNextBook{"ledger.next_book", R"sql(
  select min(book) from ledger.books where programme_id = $1 and book > $2
)sql"};

// Of a merged account, the hold that ends first: what is left there is what holds hold, and a
// command that acts on nothing of it is one of who goes on.
//
// No index has the date, so that the rows' updates stay heap-only: the scan is by key, in chunks.
constexpr Statement kReadDue{"ledger.read_due", R"sql(
  select max(account_id), count(*),
         coalesce(array_agg(account_id) filter (where next_due_at_us <= $3), '{}'),
         coalesce(array_agg(next_due_at_us) filter (where next_due_at_us <= $3), '{}'),
         coalesce(array_agg(hold) filter (where next_due_at_us <= $3), '{}')
    from (select account_id, next_due_at_us,
                 case when status = 2 and next_due_at_us <= $3
                      then coalesce((select h.number
                                       from ledger.holds h
                                      where h.book = a.book
                                        and h.account_id = a.account_id
                                        and h.state in (0, 4)
                                      order by h.expires_at_us
                                      limit 1), 0)
                      else 0 end as hold
            from ledger.accounts a
           where book = $1
             and account_id > $2
           order by account_id
           limit $4) as a
)sql"};

struct Due {
  AccountId account;
  Timestamp at;
  RecordNumber hold;
};

// The next accounts of a scan, and those of them on which something is due until then.
struct Chunk {
  int64_t looked_at = 0;
  std::vector<Due> due;
  std::optional<AccountCursor> next;
};

Chunk ReadChunk(Transaction& tx, ProgrammeId programme, AccountCursor from, Timestamp until,
                int limit) {
  Chunk chunk;
  const auto first_book_after = [&](BookId book) -> std::optional<AccountCursor> {
    const postgres::Rows next = tx.Execute(kNextBook, Params().Int(programme).Int(book));
    if (next[0].IsNull(0)) return std::nullopt;
    return AccountCursor{next[0].Id<BookId>(0), AccountId()};
  };
  if (!from.book) {
    chunk.next = first_book_after(BookId());
    return chunk;
  }
  const auto rows =
      tx.Execute(kReadDue, Params().Int(from.book).Int(from.after).Int(until).Int(limit));
  const Row row = rows[0];
  chunk.looked_at = row.Int(1);
  const std::vector<int64_t> accounts = row.IntArray(2);
  const std::vector<int64_t> dates = row.IntArray(3);
  const std::vector<int64_t> holds = row.IntArray(4);
  for (size_t i = 0; i < accounts.size(); ++i) {
    chunk.due.push_back({AccountId(accounts[i]), Timestamp(dates[i]), RecordNumber(holds[i])});
  }
  chunk.next = chunk.looked_at < limit ? first_book_after(from.book)
                                       : AccountCursor{from.book, row.Id<AccountId>(0)};
  return chunk;
}

// Brings an account up to its time, which every command does before it is decided, and nothing
// else.
class BringUp final : public Command {
 public:
  explicit BringUp(const Due& due) {
    kind = RecordKind::kExpiry;
    account = due.account;
    book = BookOf(due.account);
    needs_lots = true;
    hold = due.hold;
    // Two sweeps at once ask for the same. One that did not know of a hold asked for another thing.
    const std::string of_hold = due.hold ? " " + std::to_string(due.hold.value()) : std::string();
    fingerprint = Sha256({"bring up", std::to_string(due.account.value()), " ",
                          std::to_string(due.at.value()), of_hold});
    std::copy_n(fingerprint.begin(), request_id.size(), request_id.begin());
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting&) override {
    return std::string();
  }
};

// How many commands may wait at a time: fewer as their answers take longer, since then others wait
// for the lanes, too, and nobody waits for a sweep.
class Pace {
 public:
  explicit Pace(int most) : limit_(most), most_(most) {}

  int most() const { return most_; }
  void Note(absl::Duration took) {
    quickest_ = std::min(quickest_, took);
    if (took > std::max(kUnhurried, 3 * quickest_)) {
      most_ = std::max(1, most_ - 1);
      in_time_ = 0;
    } else if (++in_time_ >= most_) {
      most_ = std::min(limit_, most_ + 1);
      in_time_ = 0;
    }
  }

 private:
  static constexpr absl::Duration kUnhurried = absl::Milliseconds(10);

  const int limit_;
  int most_;
  int in_time_ = 0;  // Answers since the last change.
  absl::Duration quickest_ = absl::InfiniteDuration();
};

// Keeps no more than so many commands with the lanes. The callbacks end before it does.
class InFlight {
 public:
  explicit InFlight(int most) : pace_(most) {}
  ~InFlight() { Wait(0); }

  void Submit(Lanes& lanes, std::unique_ptr<Command> command) {
    {
      std::unique_lock lock(mutex_);
      ended_.wait(lock, [&] { return waiting_ < pace_.most(); });
      ++waiting_;
    }
    const absl::Time began = absl::Now();
    lanes.Submit(std::move(command), [this, began](const absl::StatusOr<Answer>& answer) {
      const std::lock_guard lock(mutex_);
      --waiting_;
      pace_.Note(absl::Now() - began);
      if (answer.ok()) {
        if (!answer->replayed) ++done_;
      } else {
        status_.Update(answer.status());
      }
      ended_.notify_all();
    });
  }
  absl::Status Status() {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  // How many were posted, once no more than so many wait.
  int64_t Wait(int most) {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return waiting_ <= most; });
    return done_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  Pace pace_;  // guarded by mutex_, and all below
  int waiting_ = 0;
  int64_t done_ = 0;
  absl::Status status_;
};

void AddExpected(const AccountAsOfNow& account, Timestamp until,
                 std::vector<ExpectedExpiry>& expiries) {
  // Day by day, as the account's dates come: what expires then is what the posting makes of it.
  AccountState state = account.state;
  const Timestamp last = until - Timestamp(1);
  while (NextDue(state) <= last) {
    const Timestamp at = std::max(NextDue(state), account.now);
    Posting posting(state, kUnwrittenRecord, at);
    posting.BringUpToNow();
    std::map<PartnerId, Points> lost;
    for (const Entry& entry : posting.entries()) {
      if (entry.credit.bucket != Bucket::kExpired) continue;
      for (const Lot& lot : posting.account().lots) {
        if (lot.id == entry.debit.lot) lost[lot.issuer] += entry.points;
      }
    }
    for (const auto& [issuer, points] : lost) {
      expiries.push_back({account.state.id, issuer, at, points});
    }
    AccountState after = std::move(posting).TakeAccount();
    if (NextDue(after) <= NextDue(state) && after == state) break;
    state = std::move(after);
  }
}

}  // namespace

absl::StatusOr<SweepResult> SweepDue(postgres::Pool& pool, Lanes& lanes, AccountCursor from,
                                     const SweepOptions& options) {
  const ProgrammeId programme = lanes.configuration()->programme().id;
  SweepResult result;
  result.next = from;
  InFlight in_flight(options.most_in_flight);
  // A chunk at least, so that who asks again and again comes to the end.
  do {
    Chunk chunk;
    GUILDER_RETURN_IF_ERROR(pool.Read([&](Transaction& tx) {
      chunk = ReadChunk(tx, programme, *result.next, ReadProgrammeClock(tx, programme), kChunk);
      return absl::OkStatus();
    }));
    for (const Due& due : chunk.due) in_flight.Submit(lanes, std::make_unique<BringUp>(due));
    result.accounts_brought_up = in_flight.Wait(0);
    GUILDER_RETURN_IF_ERROR(in_flight.Status());
    result.accounts_looked_at += chunk.looked_at;
    result.next = chunk.next;
  } while (result.next && result.accounts_looked_at < options.most_accounts &&
           absl::Now() < options.deadline);
  return result;
}

std::vector<ExpectedExpiry> ExpectExpiriesOf(Transaction& transaction, AccountId account,
                                             Timestamp until) {
  std::vector<ExpectedExpiry> expiries;
  const auto stored = ReadAccountAsStored(transaction, account);
  if (stored) AddExpected(*stored, until, expiries);
  return expiries;
}

absl::StatusOr<ExpectedExpiries> ExpectExpiries(postgres::Pool& pool, ProgrammeId programme,
                                                AccountCursor from, Timestamp until,
                                                int most_accounts) {
  ExpectedExpiries result;
  result.next = from;
  int64_t looked_at = 0;
  while (result.next && looked_at < most_accounts) {
    Chunk chunk;
    GUILDER_RETURN_IF_ERROR(pool.Read([&](Transaction& tx) {
      chunk = ReadChunk(tx, programme, *result.next, until - Timestamp(1),
                        std::min(kChunk, most_accounts));
      return absl::OkStatus();
    }));
    for (const Due& due : chunk.due) {
      GUILDER_RETURN_IF_ERROR(pool.Read([&](Transaction& tx) {
        if (const auto account = ReadAccountAsStored(tx, due.account)) {
          AddExpected(*account, until, result.expiries);
        }
        return absl::OkStatus();
      }));
    }
    looked_at += chunk.looked_at;
    result.next = chunk.next;
  }
  return result;
}

}  // namespace guilder::ledger
