#include "services/partner/rpc/exposure_keeper.h"

#include <chrono>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/limits.h"
#include "libs/postgres/connection.h"
#include "libs/security/keys.h"
#include "libs/security/store/audit_log.h"
#include "libs/telemetry/log.h"
#include "services/partner/store/credit.h"
#include "services/partner/store/exposure.h"
#include "services/partner/store/partners.h"
#include "services/partner/store/point_blocks.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

constexpr std::chrono::seconds kInterval{1};
constexpr char kActor[] = "services/guilder-partner";

security::AuditRecord Event(const Partner& partner, const char* action) {
  security::AuditRecord record;
  record.actor = kActor;
  record.action = action;
  record.resource = absl::StrCat("partners/", partner.slug);
  return record;
}

absl::StatusOr<ExposureStage> WantedStage(Transaction& transaction, const Partner& partner,
                                          ProgrammeId programme) {
  const ExposurePolicy policy = ReadExposurePolicy(transaction, partner.id);
  GUILDER_ASSIGN_OR_RETURN(const ExposureFigures figures,
                           ReadFigures(transaction, partner.id, programme));
  return StageOf(figures, policy);
}

absl::Status ChangeStage(Transaction& transaction, const Partner& partner,
                         const ledger::ProgrammeFacts& programme) {
  GUILDER_ASSIGN_OR_RETURN(const ExposureStage wanted,
                           WantedStage(transaction, partner, programme.id));
  const ExposureState before = ReadExposureState(transaction, partner.id);
  if (wanted == before.stage) return absl::OkStatus();
  StoreExposureState(
      transaction, partner.id,
      {wanted, ledger::ReadProgrammeClock(transaction, programme.id), before.reserve_begun});
  ledger::IncrementConfigurationVersion(transaction, programme.id);
  security::AuditRecord event = Event(partner, "ExposureStageChanged");
  event.before = StageName(before.stage);
  event.after = StageName(wanted);
  telemetry::Log(telemetry::Severity::kWarning, "a partner's exposure changed its stage",
                 {{"partner", partner.slug}, {"before", event.before}, {"after", event.after}});
  security::AppendAudit(transaction, std::move(event));
  return absl::OkStatus();
}

// What a partner's blocks are like at an instant.
struct Blocks {
  Points remaining;
  Points reserve_left;
  Points reserve;
  bool ends = false;

  bool ReserveBegun() const { return reserve_left < reserve; }
};

Blocks LookAtBlocks(Transaction& transaction, const Partner& partner, Timestamp now) {
  Blocks blocks;
  const std::vector<PointBlock> all = LastUsedPointBlocks(transaction, partner.id, kAllPointBlocks);
  blocks.remaining = ledger::ReadLimit(transaction, ledger::PointBlocksOf(partner.id)).remaining;
  blocks.reserve_left = ReserveLeft(all, blocks.remaining);
  for (const PointBlock& block : all) {
    if (block.reserve && !block.over) blocks.reserve += block.points;
  }
  blocks.ends = !EndBlocks(all, blocks.remaining, now, HasLeft(partner, now)).empty();
  return blocks;
}

// The reserve is not what the level is about: it is there for when the next block comes late.
bool NeedsBlock(Transaction& transaction, const Partner& partner, const ExposurePolicy& policy,
                const Blocks& blocks, ProgrammeId programme) {
  return policy.reorder > Points(0) && CheckMayBuyPoints(partner).ok() &&
         blocks.remaining - blocks.reserve_left < policy.reorder_below &&
         HasBlockContract(transaction, programme, partner.id);
}

absl::Status Reorder(Transaction& transaction, const Partner& partner, Timestamp now,
                     const ledger::ProgrammeFacts& programme) {
  constexpr int64_t kDayUs = 86'400'000'000;
  const ExposurePolicy policy = ReadExposurePolicy(transaction, partner.id);
  const Blocks blocks = LookAtBlocks(transaction, partner, now);
  if (!NeedsBlock(transaction, partner, policy, blocks, programme.id)) return absl::OkStatus();
  PointBlock block;
  block.points = policy.reorder;
  block.sold_by = kActor;
  if (policy.reorder_days > 0) {
    block.ends_at = Timestamp(now.value() + policy.reorder_days * kDayUs);
    block.when_ended = policy.reorder_when_ended;
  }
  GUILDER_ASSIGN_OR_RETURN(
      const PointBlock bought,
      SellPointBlock(transaction, programme.id, partner.id, security::RandomUuid(), block));
  security::AuditRecord event = Event(partner, "PointBlockReordered");
  event.after = absl::StrCat(bought.points.value(), " points, block ", bought.number);
  security::AppendAudit(transaction, std::move(event));
  return absl::OkStatus();
}

void End(Transaction& transaction, const Partner& partner,
         const ledger::ProgrammeFacts& programme) {
  for (const BlockEnd& end : EndPointBlocks(transaction, programme.id, partner)) {
    security::AuditRecord event = Event(partner, "PointBlockEnded");
    event.after = absl::StrCat(end.points.value(), " points, block ", end.number, ", ",
                               end.what == BlockEnding::kCredit ? "to be credited" : "kept");
    security::AppendAudit(transaction, std::move(event));
  }
}

// Tells people once, and again when it is begun after it was whole.
void WatchReserve(Transaction& transaction, const Partner& partner, Timestamp now) {
  ExposureState state = ReadExposureState(transaction, partner.id);
  const Blocks blocks = LookAtBlocks(transaction, partner, now);
  if (blocks.ReserveBegun() == state.reserve_begun) return;
  state.reserve_begun = blocks.ReserveBegun();
  if (!state.since) state.since = now;
  StoreExposureState(transaction, partner.id, state);
  if (!state.reserve_begun) return;
  telemetry::Log(telemetry::Severity::kWarning, "a partner has begun its reserve of points",
                 {{"partner", partner.slug}});
  security::AuditRecord event = Event(partner, "PointBlockReserveBegun");
  event.after = absl::StrCat(blocks.reserve_left.value(), " points left of the reserve");
  security::AppendAudit(transaction, std::move(event));
}

// In a transaction of its own, so that purchases wait for nothing else that is done.
absl::Status KeepCreditOf(postgres::Pool& pool, const ledger::ProgrammeFacts& programme,
                          const std::string& slug) {
  return pool.Run([&](Transaction& transaction) -> absl::Status {
    GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
    KeepCredit(transaction, partner.id, programme.id);
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<ExposureFigures> ReadFigures(Transaction& transaction, PartnerId partner,
                                            ProgrammeId programme) {
  const IssuanceToBill issuance = ReadIssuanceToBill(transaction, partner, programme);
  GUILDER_ASSIGN_OR_RETURN(const UnbilledIssuance unbilled,
                           SumUnbilled(issuance.contracts, issuance.currency_exponent));
  ExposureFigures figures = ReadOtherFigures(transaction, partner, programme);
  figures.unbilled_issuance = unbilled.amount;
  return figures;
}

absl::Status KeepExposure(postgres::Pool& pool, const ledger::ProgrammeFacts& programme,
                          const std::string& slug) {
  // Read without locks first: nothing changes nearly always.
  GUILDER_ASSIGN_OR_RETURN(
      const bool changes, pool.Read([&](Transaction& transaction) -> absl::StatusOr<bool> {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner, FindPartner(transaction, slug));
        GUILDER_ASSIGN_OR_RETURN(const ExposureStage wanted,
                                 WantedStage(transaction, partner, programme.id));
        const ExposureState state = ReadExposureState(transaction, partner.id);
        const Blocks blocks = LookAtBlocks(transaction, partner,
                                           ledger::ReadProgrammeClock(transaction, programme.id));
        return wanted != state.stage || blocks.ends ||
               CreditChanges(transaction, partner.id, programme.id) ||
               blocks.ReserveBegun() != state.reserve_begun ||
               NeedsBlock(transaction, partner, ReadExposurePolicy(transaction, partner.id), blocks,
                          programme.id);
      }));
  if (!changes) return absl::OkStatus();
  GUILDER_RETURN_IF_ERROR(KeepCreditOf(pool, programme, slug));
  return pool.Run([&](Transaction& transaction) -> absl::Status {
    GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
    const Timestamp now = ledger::ReadProgrammeClock(transaction, programme.id);
    End(transaction, partner, programme);
    GUILDER_RETURN_IF_ERROR(Reorder(transaction, partner, now, programme));
    WatchReserve(transaction, partner, now);
    return ChangeStage(transaction, partner, programme);
  });
}

ExposureKeeper::ExposureKeeper(postgres::Pool& pool, const ledger::ProgrammeFacts& programme)
    : pool_(pool), programme_(programme), thread_([this] { Work(); }) {}

ExposureKeeper::~ExposureKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ExposureKeeper::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kInterval, [this] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    if (const absl::Status kept = KeepAll(); !kept.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "exposures were not looked at",
                     {{"status", kept.ToString()}});
    }
    lock.lock();
  }
}

absl::Status ExposureKeeper::KeepAll() {
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<std::string> slugs,
      pool_.Read([](Transaction& transaction) -> absl::StatusOr<std::vector<std::string>> {
        return PartnersToBeKept(transaction);
      }));
  // One partner whose figures cannot be had keeps no other from being degraded.
  absl::Status first;
  for (const std::string& slug : slugs) {
    first.Update(KeepExposure(pool_, programme_, slug));
  }
  return first;
}

}  // namespace guilder::partner
