// Sealing windows: from then on nothing can be posted into them, and each book's head is noted.
//
// A window [start, end) is sealed book by book, each in a transaction of its own that holds the
// book for an instant. If the book's last posted time is before the end, it becomes the end: posted
// time never runs backwards, so nothing earlier can come any more. If posting has already gone past
// the end, the lane that did so left the head (seals.h), so sealing costs a row a book, however
// much was posted. Where no lane left it, in a book that was idle for long, it is found from the
// journal, which does not change there any more. Either way the same bytes result, whenever,
// however often and by however many processes it is done.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/core/calendar.h"
#include "libs/ledger/store/load_calendar.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {

// [start, end) of posted time.
struct Window {
  Timestamp start;
  Timestamp end;
  friend bool operator==(const Window&, const Window&) = default;
};

// The calendar of the programme, and how far it has been sealed.
struct Cutting {
  Calendar calendar;
  // The programme's clock, read before the calendar: every window that had ended by then is known
  // for good, because boundaries on demand are set ahead of the clock.
  Timestamp now;
  // The end of the last sealed window; the start of the first window before there is one.
  Timestamp sealed_until;

  // The windows after the sealed ones up to the open one, which is the last. In order.
  std::vector<Window> UnsealedWindows() const;
};

// Errors: FAILED_PRECONDITION, the database has no programme.
absl::StatusOr<Cutting> LoadCutting(postgres::Transaction& transaction);

// Seals every unsealed window whose end is at or before `until`, in order, and gives those that
// this call found unsealed. Must not be called in a transaction.
//
// Errors: kWindowNotOver, nothing is done, when `until` is ahead of the programme's clock.
absl::StatusOr<std::vector<Window>> SealWindows(postgres::Pool& pool, Timestamp until);

// Seals every window that has ended.
absl::StatusOr<std::vector<Window>> SealEndedWindows(postgres::Pool& pool);

// Ends the open window by a boundary between two and three seconds ahead, at a whole second, waits
// until the programme's clock has passed it, and seals everything up to it. Gives the window that
// ended there. A boundary ahead that somebody else set is used as well.
//
// Two seconds are for the lanes: one that decides under the configuration from before the boundary
// has taken its posted time before the boundary, too.
//
// Errors: kWindowNotOver, when `deadline` is before the boundary; it stays set.
absl::StatusOr<Window> CloseOpenWindow(postgres::Pool& pool, absl::Time deadline);

// Makes these days holidays, or gives them another name. Repeating it changes nothing. Each day
// once.
//
// Like a boundary, it is known to every lane before a window depends on it: a day that has begun,
// or begins within two seconds, is refused.
//
// Errors: kWrongState, one of the days has begun.
absl::Status AddHolidays(postgres::Transaction& transaction, const std::vector<Holiday>& holidays);
// Makes it a day like others; errors as AddHolidays.
absl::Status RemoveHoliday(postgres::Transaction& transaction, absl::CivilDay day);

}  // namespace guilder::ledger
