#include "libs/ledger/store/sealing.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/merkle.h"
#include "libs/ledger/store/load_calendar.h"
#include "libs/ledger/store/programme.h"
#include "libs/ledger/store/seals.h"
#include "libs/postgres/statement.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kLoadProgramme{"sealing.load_programme", R"sql(
  select started_at_us from ledger.programmes where programme_id = $1
)sql"};

constexpr Statement kLoadSealedUntil{"sealing.load_sealed_until", R"sql(
  select max(window_end_us) from settlement.windows
)sql"};

// In the order in which lanes lock them.
constexpr Statement kLockAllBooks{"sealing.lock_all_books", R"sql(
  select 1 from ledger.books where programme_id = $1 order by book for no key update
)sql"};

// The books that have not passed the last of the boundaries, or lack a seal at one of them. The
// others are done: a seal never changes, and posted time never falls.
constexpr Statement kListUnsealedBooks{"sealing.list_unsealed_books", R"sql(
  select b.book
    from ledger.books b
   where b.last_posted_at_us < $2
      or exists (select 1
                   from unnest($1::bigint[]) as a (boundary_us)
                  where not exists (select 1 from ledger.seals s
                                     where s.book = b.book and s.boundary_us = a.boundary_us))
   order by b.book
)sql"};

constexpr Statement kLockBook{"sealing.lock_book", R"sql(
  select last_number, last_posted_at_us, frontier
    from ledger.books
   where book = $1
     for no key update
)sql"};

constexpr Statement kPassBoundary{"sealing.pass_boundary", R"sql(
  update ledger.books set last_posted_at_us = $2 where book = $1
)sql"};

// The boundaries without a seal, each with the number of the last record before it. Posted time
// never falls in a book, so the first match from the end is that record.
constexpr Statement kFindUnsealed{"sealing.find_unsealed", R"sql(
  select a.boundary_us,
         coalesce((select j.number
                     from ledger.journal j
                    where j.book = $1
                      and j.posted_at_us < a.boundary_us
                    order by j.number desc
                    limit 1), 0)
    from unnest($2::bigint[]) as a (boundary_us)
   where not exists (select 1 from ledger.seals s
                      where s.book = $1 and s.boundary_us = a.boundary_us)
   order by a.boundary_us
)sql"};

constexpr Statement kFindSealBefore{"sealing.find_seal_before", R"sql(
  select boundary_us, last_number, frontier
    from ledger.seals
   where book = $1
     and boundary_us < $2
   order by boundary_us desc
   limit 1
)sql"};

// The bounds of posted time leave only the partitions that can have those records.
constexpr Statement kReadLeaves{"sealing.read_leaves", R"sql(
  select leaf
    from ledger.journal
   where book = $1
     and number > $2
     and number <= $3
     and posted_at_us >= $4
     and posted_at_us < $5
   order by number
)sql"};

constexpr Statement kInsertWindows{"sealing.insert_windows", R"sql(
  insert into settlement.windows (window_start_us, window_end_us, sealed_at_us)
  select w.window_start_us, w.window_end_us, $3
    from unnest($1::bigint[], $2::bigint[]) as w (window_start_us, window_end_us)
      on conflict (window_start_us) do nothing
)sql"};

constexpr Statement kFindBoundaryAhead{"sealing.find_boundary_ahead", R"sql(
  select min(boundary_us) from ledger.boundaries where programme_id = $1 and boundary_us > $2
)sql"};

constexpr Statement kInsertBoundary{"sealing.insert_boundary", R"sql(
  insert into ledger.boundaries (programme_id, boundary_us) values ($1, $2)
)sql"};

// Dates are days since 1970-01-01.
constexpr Statement kInsertHolidays{"sealing.insert_holidays", R"sql(
  insert into ledger.holidays (programme_id, day, display_name)
  select $1, date '1970-01-01' + h.day::int, h.display_name
    from unnest($2::bigint[], $3::text[]) as h (day, display_name)
      on conflict (programme_id, day) do update set display_name = excluded.display_name
)sql"};

constexpr Statement kDeleteHoliday{"sealing.delete_holiday", R"sql(
  delete from ledger.holidays where programme_id = $1 and day = date '1970-01-01' + $2::int
)sql"};

constexpr int64_t kLeavesPerRead = 20'000;
constexpr Timestamp kLead{2 * kMicrosPerSecond};
constexpr std::chrono::milliseconds kClockPollInterval{100};

absl::StatusOr<Frontier> ParseFrontier(BookId book, int64_t size, std::string_view bytes) {
  std::optional<Frontier> frontier = Frontier::Parse(size, bytes);
  if (!frontier) {
    return absl::InternalError(absl::StrCat("book ", book.value(), ": malformed frontier"));
  }
  return *std::move(frontier);
}

// Closes the book for everything before the last of the boundaries, which are in order. Those that
// it had not passed yet are sealed with its head as it stands.
absl::Status PassBoundaries(Transaction& transaction, BookId book,
                            const std::vector<Timestamp>& boundaries) {
  const Rows rows = transaction.Execute(kLockBook, Params().Int(book));
  if (rows.empty()) return absl::OkStatus();
  const int64_t last_number = rows[0].Int(0);
  const auto last_posted_at = rows[0].Id<Timestamp>(1);
  if (last_posted_at >= boundaries.back()) return absl::OkStatus();
  const std::string frontier = rows[0].Bytes(2);
  GUILDER_ASSIGN_OR_RETURN(const Frontier head, ParseFrontier(book, last_number, frontier));

  std::vector<Seal> seals;
  const Digest root = head.Root();
  for (auto at = std::upper_bound(boundaries.begin(), boundaries.end(), last_posted_at);
       at != boundaries.end(); ++at) {
    seals.push_back({book, *at, RecordNumber(last_number), root, frontier});
  }
  transaction.Execute(kPassBoundary, Params().Int(book).Int(boundaries.back()));
  InsertSeals(transaction, seals);
  return absl::OkStatus();
}

// Finds heads of boundaries that posting has passed. Everything that it reads is settled for ever,
// so it holds no lock and reads in chunks.
class LateSealing {
 public:
  LateSealing(postgres::Pool& pool, BookId book) : pool_(pool), book_(book) {}

  absl::Status Run(const std::vector<Timestamp>& boundaries) {
    GUILDER_RETURN_IF_ERROR(
        pool_.Read([&](Transaction& transaction) { return Find(transaction, boundaries); }));
    if (seals_.empty()) return absl::OkStatus();
    for (Seal& seal : seals_) GUILDER_RETURN_IF_ERROR(Advance(seal));
    return pool_.Run([&](Transaction& transaction) {
      InsertSeals(transaction, seals_);
      return absl::OkStatus();
    });
  }

 private:
  // What is to be sealed, and the seal to go on from.
  absl::Status Find(Transaction& transaction, const std::vector<Timestamp>& boundaries) {
    for (const postgres::Row& row :
         transaction.Execute(kFindUnsealed, Params().Int(book_).IntArray(boundaries))) {
      seals_.push_back({book_, row.Id<Timestamp>(0), row.Id<RecordNumber>(1), {}, {}});
    }
    if (seals_.empty()) return absl::OkStatus();
    const Rows before =
        transaction.Execute(kFindSealBefore, Params().Int(book_).Int(seals_.front().boundary));
    if (before.empty()) return absl::OkStatus();
    posted_from_ = before[0].Id<Timestamp>(0);
    GUILDER_ASSIGN_OR_RETURN(frontier_, ParseFrontier(book_, before[0].Int(1), before[0].Bytes(2)));
    return absl::OkStatus();
  }

  absl::Status Advance(Seal& seal) {
    while (frontier_.size() < seal.last_number.value()) {
      const int64_t from = frontier_.size();
      const int64_t to = std::min(seal.last_number.value(), from + kLeavesPerRead);
      GUILDER_RETURN_IF_ERROR(pool_.Read([&](Transaction& transaction) {
        for (const postgres::Row& row : transaction.Execute(
                 kReadLeaves,
                 Params().Int(book_).Int(from).Int(to).Int(posted_from_).Int(seal.boundary))) {
          frontier_.Append(row.Digest(0));
        }
        return absl::OkStatus();
      }));
      if (frontier_.size() != to) {
        return absl::InternalError(
            absl::StrCat("book ", book_.value(), ": the journal has a gap after ", from));
      }
    }
    seal.root = frontier_.Root();
    seal.frontier = frontier_.ToBytes();
    return absl::OkStatus();
  }

  postgres::Pool& pool_;
  const BookId book_;
  std::vector<Seal> seals_;
  Timestamp posted_from_{INT64_MIN};
  Frontier frontier_;
};

// All boundaries of a book at once: one transaction a book, however many windows are behind.
absl::Status SealBook(postgres::Pool& pool, BookId book, const std::vector<Timestamp>& boundaries) {
  GUILDER_RETURN_IF_ERROR(pool.Run(
      [&](Transaction& transaction) { return PassBoundaries(transaction, book, boundaries); }));
  return LateSealing(pool, book).Run(boundaries);
}

absl::StatusOr<Timestamp> ReadNow(Transaction& transaction) {
  GUILDER_ASSIGN_OR_RETURN(const ProgrammeFacts programme, ReadProgramme(transaction));
  return ReadProgrammeClock(transaction, programme.id);
}

absl::Status SealBooks(postgres::Pool& pool, const std::vector<Window>& windows) {
  std::vector<Timestamp> boundaries;
  for (const Window& window : windows) boundaries.push_back(window.end);

  std::vector<BookId> books;
  GUILDER_RETURN_IF_ERROR(pool.Read([&](Transaction& transaction) {
    const Rows rows = transaction.Execute(kListUnsealedBooks,
                                          Params().IntArray(boundaries).Int(boundaries.back()));
    for (const postgres::Row& row : rows) books.push_back(row.Id<BookId>(0));
    return absl::OkStatus();
  }));
  for (const BookId book : books) GUILDER_RETURN_IF_ERROR(SealBook(pool, book, boundaries));

  return pool.Run([&](Transaction& transaction) -> absl::Status {
    GUILDER_ASSIGN_OR_RETURN(const Timestamp now, ReadNow(transaction));
    transaction.Execute(
        kInsertWindows,
        Params().IntArray(windows, &Window::start).IntArray(windows, &Window::end).Int(now));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Window>> SealUntil(postgres::Pool& pool, const Cutting& cutting,
                                              Timestamp until) {
  std::vector<Window> windows = cutting.UnsealedWindows();
  std::erase_if(windows, [&](const Window& window) { return window.end > until; });
  if (!windows.empty()) GUILDER_RETURN_IF_ERROR(SealBooks(pool, windows));
  return windows;
}

// A boundary ahead of the clock: the next that is set already, or a new one.
absl::StatusOr<Timestamp> SetBoundary(Transaction& transaction) {
  GUILDER_ASSIGN_OR_RETURN(const ProgrammeFacts programme, ReadProgramme(transaction));
  // All books, so that no lane decides and no clock steps between the reading of the clock and the
  // commit, however long that takes: what is posted before has a posted time before the boundary,
  // and what is posted after is decided by who knows it.
  transaction.Execute(kLockAllBooks, Params().Int(programme.id));
  IncrementConfigurationVersion(transaction, programme.id);
  const Timestamp now = ReadProgrammeClock(transaction, programme.id);
  const Rows ahead = transaction.Execute(kFindBoundaryAhead, Params().Int(programme.id).Int(now));
  if (!ahead[0].IsNull(0)) return ahead[0].Id<Timestamp>(0);

  // A whole second, because a window's name tells its start to the second.
  const int64_t seconds = (now + kLead).value() / kMicrosPerSecond + 1;
  const Timestamp boundary(seconds * kMicrosPerSecond);
  transaction.Execute(kInsertBoundary, Params().Int(programme.id).Int(boundary));
  return boundary;
}

// Refuses a day that has begun, or begins while a lane may still decide without knowing.
absl::StatusOr<ProgrammeId> LockCalendar(Transaction& transaction,
                                         const std::vector<absl::CivilDay>& days) {
  GUILDER_ASSIGN_OR_RETURN(const ProgrammeFacts programme, ReadProgramme(transaction));
  // As for a boundary: nothing is decided between the reading of the clock and the commit.
  transaction.Execute(kLockAllBooks, Params().Int(programme.id));
  IncrementConfigurationVersion(transaction, programme.id);
  const Timestamp now = ReadProgrammeClock(transaction, programme.id);
  GUILDER_ASSIGN_OR_RETURN(const Calendar calendar, LoadCalendar(transaction, programme.id));
  for (const absl::CivilDay day : days) {
    if (calendar.Midnight(day) < now + kLead) {
      return Refuse(Reason::kWrongState, "that day has begun: windows follow from it");
    }
  }
  return programme.id;
}

// The clock is the database's, and may be moved: so it is asked, and nothing tells when it gets
// there.
absl::Status WaitForClock(postgres::Pool& pool, Timestamp until, absl::Time deadline) {
  while (true) {
    GUILDER_ASSIGN_OR_RETURN(const Timestamp now, pool.Read(ReadNow));
    if (now >= until) return absl::OkStatus();
    const std::chrono::microseconds remaining((until - now).value());
    if (absl::Now() >= deadline) return Refuse(Reason::kWindowNotOver);
    std::this_thread::sleep_for(std::min<std::chrono::microseconds>(remaining, kClockPollInterval));
  }
}

}  // namespace

std::vector<Window> Cutting::UnsealedWindows() const {
  std::vector<Window> windows;
  for (Timestamp start = sealed_until; start <= now;) {
    const Timestamp end = calendar.WindowEnd(start);
    windows.push_back({start, end});
    start = end;
  }
  return windows;
}

absl::StatusOr<Cutting> LoadCutting(Transaction& transaction) {
  GUILDER_ASSIGN_OR_RETURN(const ProgrammeFacts programme, ReadProgramme(transaction));
  const Timestamp now = ReadProgrammeClock(transaction, programme.id);
  const Rows rows = transaction.Execute(kLoadProgramme, Params().Int(programme.id));
  GUILDER_ASSIGN_OR_RETURN(Calendar calendar, LoadCalendar(transaction, programme.id));
  const auto sealed_until = transaction.Execute(kLoadSealedUntil)[0].OptionalId<Timestamp>(0);
  const Timestamp start =
      sealed_until ? *sealed_until : calendar.WindowStart(rows[0].Id<Timestamp>(0));
  return Cutting{std::move(calendar), now, start};
}

absl::StatusOr<std::vector<Window>> SealWindows(postgres::Pool& pool, Timestamp until) {
  GUILDER_ASSIGN_OR_RETURN(const Cutting cutting, pool.Read(LoadCutting));
  if (until > cutting.now) return Refuse(Reason::kWindowNotOver);
  return SealUntil(pool, cutting, until);
}

absl::StatusOr<std::vector<Window>> SealEndedWindows(postgres::Pool& pool) {
  GUILDER_ASSIGN_OR_RETURN(const Cutting cutting, pool.Read(LoadCutting));
  return SealUntil(pool, cutting, cutting.now);
}

absl::StatusOr<Window> CloseOpenWindow(postgres::Pool& pool, absl::Time deadline) {
  GUILDER_ASSIGN_OR_RETURN(const Timestamp boundary, pool.Run(SetBoundary));
  GUILDER_RETURN_IF_ERROR(WaitForClock(pool, boundary, deadline));
  GUILDER_ASSIGN_OR_RETURN(const Cutting cutting, pool.Read(LoadCutting));
  GUILDER_RETURN_IF_ERROR(SealUntil(pool, cutting, boundary).status());
  return Window{cutting.calendar.WindowStart(boundary - Timestamp(1)), boundary};
}

absl::Status AddHolidays(Transaction& transaction, const std::vector<Holiday>& holidays) {
  std::vector<absl::CivilDay> days;
  for (const Holiday& holiday : holidays) days.push_back(holiday.day);
  GUILDER_ASSIGN_OR_RETURN(const ProgrammeId programme, LockCalendar(transaction, days));
  transaction.Execute(
      kInsertHolidays,
      Params()
          .Int(programme)
          .IntArray(days, [](absl::CivilDay day) { return day - absl::CivilDay(); })
          .TextArray(holidays, [](const Holiday& holiday) { return holiday.display_name; }));
  return absl::OkStatus();
}

absl::Status RemoveHoliday(Transaction& transaction, absl::CivilDay day) {
  GUILDER_ASSIGN_OR_RETURN(const ProgrammeId programme, LockCalendar(transaction, {day}));
  transaction.Execute(kDeleteHoliday, Params().Int(programme).Int(day - absl::CivilDay()));
  return absl::OkStatus();
}

}  // namespace guilder::ledger
