// The clearing job, on time and late, alone and in company.
#include <string>
#include <thread>
#include <vector>

#include "libs/ledger/store/sealing.h"
#include "libs/postgres/pool.h"
#include "services/settlement/store/computing.h"
#include "tests/service/settlement_world.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

constexpr int kDays = 3;

// Everything that sealing and computing made, but for when they did.
constexpr char kMade[] = R"sql(
  select (select string_agg(w::text, ';' order by w.window_start_us)
            from (select window_start_us, window_end_us, settlement_id from settlement.windows) w),
         (select string_agg(s::text, ';' order by s.book, s.boundary_us) from ledger.seals s),
         (select string_agg(s::text, ';' order by s.settlement_id)
            from (select settlement_id, currency, state, start_us, end_us, computed_by, digest
                    from settlement.settlements) s),
         (select string_agg(l::text, ';' order by l.settlement_id, l.line) from settlement.lines l),
         (select string_agg(n::text, ';' order by n.settlement_id, n.partner_id)
            from settlement.nets n)
)sql";

std::string MadeIn(const World& world) {
  const postgres::Rows rows = world.db().Query(kMade);
  std::string made;
  for (int i = 0; i < 5; ++i) made.append(rows[0].Text(i)).append("\n");
  return made;
}

void SettleEachWindow(const World& world) {
  v1::UpdateSettlementPolicyRequest request;
  request.mutable_policy()->set_payment_days(14);
  request.mutable_policy()->set_payout(v1::PAYOUT_POLICY_WHEN_DUE);
  request.mutable_policy()->set_settle_each_window(true);
  world.Get("cleo", &Stub::UpdateSettlementPolicy, request);
}

absl::Status RunJob(const World& world) {
  postgres::Pool pool(world.db().dsn(), 1);
  const absl::Status sealed = ledger::SealEndedWindows(pool).status();
  return sealed.ok() ? ComputeDueSettlements(pool).status() : sealed;
}

void LiveThrough(World& world, int day) {
  world.ledger().Append(1, Day(day) + Timestamp(7'200 * kMicrosPerSecond));
  world.PostExample(day);
}

void EndDay(World& world, int day) {
  world.ledger().MoveClockTo(Day(day + 1) + Timestamp(kMicrosPerSecond));
}

TEST_CASE("Clearing: a job three days late makes the same windows and settlements, to the byte",
          "[service][settlement][inv-80][inv-83]") {
  World on_time;
  SettleEachWindow(on_time);
  for (int day = 0; day < kDays; ++day) {
    LiveThrough(on_time, day);
    EndDay(on_time, day);
    REQUIRE(RunJob(on_time).ok());
  }
  World late;
  SettleEachWindow(late);
  for (int day = 0; day < kDays; ++day) LiveThrough(late, day);
  EndDay(late, kDays - 1);

  // Two at once.
  absl::Status first;
  std::thread company([&] { first = RunJob(late); });
  const absl::Status second = RunJob(late);
  company.join();

  INFO(first.ToString() << " " << second.ToString());
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  const std::string made = MadeIn(on_time);
  CHECK(MadeIn(late) == made);
  REQUIRE(RunJob(late).ok());
  CHECK(MadeIn(late) == made);
  CHECK(late.db().Query("select count(*) from settlement.settlements")[0].Int(0) == kDays);
}

TEST_CASE("ComputeSettlement: what the job computed a person computes again, and another approves",
          "[service][settlement][inv-83][inv-97]") {
  World world;
  SettleEachWindow(world);
  for (int day = 0; day < 2; ++day) LiveThrough(world, day);
  EndDay(world, 1);
  REQUIRE(RunJob(world).ok());
  const std::string etag = world.EtagOf("settlements/1");
  v1::ApproveSettlementRequest approval;
  approval.set_name("settlements/1");
  approval.set_etag(etag);
  CHECK(world.Refusal("bert", &Stub::ApproveSettlement, approval) == Reason::kWrongState);
  v1::ComputeSettlementRequest request;
  for (const int number : {1, 2}) {
    request.set_name(absl::StrCat("settlements/", number));
    const v1::Settlement computed =
        world.Get("anna", &Stub::ComputeSettlement, request).settlement();
    CHECK(computed.name() == request.name());
    CHECK(computed.windows_size() == 1);
  }
  CHECK(world.EtagOf("settlements/1") == etag);
  // Without a number it is the first one that is not approved: windows stay by themselves.
  CHECK(world.Compute("anna").windows_size() == 1);
  CHECK(world.EtagOf("settlements/1") == etag);
  CHECK(world.db().Query("select count(*) from settlement.settlements")[0].Int(0) == 2);
  // In their order.
  v1::ApproveSettlementRequest later;
  later.set_name("settlements/2");
  later.set_etag(world.EtagOf("settlements/2"));
  CHECK(world.Refusal("bert", &Stub::ApproveSettlement, later) == Reason::kWrongState);

  world.Get("bert", &Stub::ApproveSettlement, approval);
  world.Get("bert", &Stub::ApproveSettlement, later);

  CHECK(world.Refusal("anna", &Stub::ComputeSettlement, request) == Reason::kWrongState);
  request.set_name("settlements/9");
  CHECK(world.Refusal("anna", &Stub::ComputeSettlement, request) == Reason::kSettlementNotFound);
}

}  // namespace
}  // namespace guilder::settlement
