#include "libs/ledger/store/bootstrap.h"

#include <algorithm>

#include "libs/base/text.h"
#include "libs/ledger/core/calendar.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

constexpr postgres::Statement kReadTime{"bootstrap.time", R"sql(
  select (extract(epoch from now()) * 1000000)::bigint
)sql"};

constexpr postgres::Statement kInsertProgramme{"bootstrap.insert_programme", R"sql(
  insert into ledger.programmes (programme_id, slug, display_name, currency, currency_exponent,
                                 time_zone, mode, cycle, welcome_points, started_at_us)
  values (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
      on conflict (programme_id) do nothing
  returning programme_id
)sql"};

constexpr postgres::Statement kInsertConfiguration{"bootstrap.insert_configuration", R"sql(
  insert into ledger.configuration (programme_id, version) values (1, 1)
)sql"};

// Two random UUIDs are 244 bits from the server's strong generator.
constexpr postgres::Statement kInsertBooks{"bootstrap.insert_books", R"sql(
  insert into ledger.books (book, programme_id, clock_offset_us, format_version, secret)
  select book, 1, $2, $3, sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea)
    from generate_series(1, $1::int) as book
)sql"};

// Where only people end windows, the first one begins with the programme. A window's name tells its
// start to the second.
constexpr postgres::Statement kInsertBoundary{"bootstrap.insert_boundary", R"sql(
  insert into ledger.boundaries (programme_id, boundary_us) values (1, $1)
)sql"};

constexpr postgres::Statement kEnsurePartitions{"bootstrap.ensure_partitions", R"sql(
  select ledger.ensure_partitions($1, $2)
)sql"};

constexpr int64_t kPartitionsAheadDays = 366;

}  // namespace

absl::Status CheckSettings(const ProgrammeSettings& settings) {
  const std::optional<Cycle> cycle = CycleFromName(settings.cycle);
  if (!cycle) return absl::InvalidArgumentError("no such cycle: " + settings.cycle);
  return Calendar::Make(*cycle, settings.time_zone, {}).status();
}

bool CreateProgramme(postgres::Transaction& transaction, const ProgrammeSettings& settings) {
  const Timestamp now = transaction.Execute(kReadTime)[0].Id<Timestamp>(0);
  const Timestamp clock = settings.clock.value_or(now);
  const postgres::Rows inserted =
      transaction.Execute(kInsertProgramme, postgres::Params()
                                                .Text(settings.slug)
                                                .Text(settings.display_name)
                                                .Text(FormatCurrency(settings.currency))
                                                .Int(settings.currency_exponent)
                                                .Text(settings.time_zone)
                                                .Text(settings.mode)
                                                .Text(settings.cycle)
                                                .Int(settings.welcome_points)
                                                .Int(clock));
  if (inserted.empty()) return false;
  transaction.Execute(kInsertConfiguration);
  transaction.Execute(kInsertBooks,
                      postgres::Params().Int(settings.books).Int(clock - now).Int(kBookFormat));
  if (settings.cycle == CycleName(Cycle::kOnDemand)) {
    transaction.Execute(kInsertBoundary, postgres::Params().Int(clock.value() / kMicrosPerSecond *
                                                                kMicrosPerSecond));
  }
  transaction.Execute(kEnsurePartitions,
                      postgres::Params().Int(clock).Int(
                          std::max(clock, now) + Timestamp(kPartitionsAheadDays * kMicrosPerDay)));
  return true;
}

}  // namespace guilder::ledger
