#include "libs/ledger/store/activities.h"

#include <optional>

#include "libs/ledger/core/account.h"
#include "libs/ledger/core/activity.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kReadActivities{"ledger.read_activities", R"sql(
  select number, kind, coalesce(refers_to, 0), active_until_us
    from ledger.journal
   where book = $1
     and account_id = $2
     and active_until_us is not null
   order by number
)sql"};

std::vector<NotedActivity> ReadActivities(postgres::Transaction& tx, AccountId account,
                                          const std::vector<Record>& batch) {
  std::vector<NotedActivity> noted;
  const auto params = postgres::Params().Int(BookOf(account)).Int(account);
  for (const postgres::Row& row : tx.Execute(kReadActivities, params)) {
    noted.push_back({row.Id<RecordNumber>(0), row.Enum<RecordKind>(1), row.Id<RecordNumber>(2),
                     row.Id<Timestamp>(3)});
  }
  for (const Record& record : batch) {
    if (record.account != account || !record.active_until) continue;
    noted.push_back({record.number, record.kind, record.refers_to, *record.active_until});
  }
  return noted;
}

std::optional<Timestamp> LifeFor(const Configuration& configuration, const Command& command,
                                 const Posting& decided) {
  const int activities = ActivitiesOf(command.kind, command.refers_to, decided);
  if (activities == 0) return std::nullopt;
  const Timestamp at = command.occurred_at.value_or(decided.now());
  return configuration.ActiveUntil(activities, std::min(at, decided.now()));
}

}  // namespace

void CountActivity(postgres::Transaction& tx, const Configuration& configuration,
                   const Command& command, const std::vector<Record>& batch, Posting& posting) {
  if (!configuration.has_activity()) return;
  if (const auto until = LifeFor(configuration, command, posting)) {
    return posting.NoteActivity(*until);
  }
  const bool any = posting.account().active_until > Timestamp();
  if (!any || !UndoesActivity(command.kind) || !LeavesNothing(command.refers_to, posting)) return;
  const auto noted = ReadActivities(tx, posting.account().id, batch);
  posting.RecallActivity(ActiveUntil(noted, command.refers_to));
}

void CountActivityOfSurvivor(const Configuration& configuration, const Command& command,
                             const Posting& merged, Posting& survivor) {
  if (!configuration.has_activity()) return;
  if (const auto until = LifeFor(configuration, command, merged)) survivor.NoteActivity(*until);
}

}  // namespace guilder::ledger
