#include "libs/ledger/store/load_calendar.h"

#include <optional>
#include <utility>

#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadCycle{"calendar.read_cycle", R"sql(
  select cycle, time_zone from ledger.programmes where programme_id = $1
)sql"};

constexpr Statement kReadBoundaries{"calendar.read_boundaries", R"sql(
  select boundary_us from ledger.boundaries where programme_id = $1 order by boundary_us
)sql"};

// A date is the days since 1970-01-01.
constexpr Statement kReadHolidays{"calendar.read_holidays", R"sql(
  select day - date '1970-01-01', display_name
    from ledger.holidays
   where programme_id = $1
     and day - date '1970-01-01' >= $2::int
   order by day
   limit $3
)sql"};

constexpr absl::CivilDay kEpoch(1970, 1, 1);

}  // namespace

absl::StatusOr<Calendar> LoadCalendar(Transaction& transaction, ProgrammeId programme) {
  const Rows rows = transaction.Execute(kReadCycle, Params().Int(programme));
  const std::optional<Cycle> cycle = CycleFromName(rows[0].Text(0));
  if (!cycle) return absl::InternalError("the programme's cycle is unknown");
  std::vector<Timestamp> boundaries;
  for (const Row& row : transaction.Execute(kReadBoundaries, Params().Int(programme))) {
    boundaries.push_back(row.Id<Timestamp>(0));
  }
  std::vector<absl::CivilDay> holidays;
  for (const Holiday& holiday : ReadHolidays(transaction, programme, kEpoch, INT32_MAX)) {
    holidays.push_back(holiday.day);
  }
  return Calendar::Make(*cycle, std::string(rows[0].Text(1)), std::move(boundaries),
                        std::move(holidays));
}

std::vector<Holiday> ReadHolidays(Transaction& transaction, ProgrammeId programme,
                                  absl::CivilDay from, int limit) {
  std::vector<Holiday> holidays;
  for (const Row& row :
       transaction.Execute(kReadHolidays, Params().Int(programme).Int(from - kEpoch).Int(limit))) {
    holidays.push_back({kEpoch + row.Int(0), std::string(row.Text(1))});
  }
  return holidays;
}

}  // namespace guilder::ledger
