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
  StoreExposureState(transaction, partner.id,
                     {wanted, ledger::ReadProgrammeClock(transaction, programme.id)});
  ledger::IncrementConfigurationVersion(transaction, programme.id);
  security::AuditRecord event = Event(partner, "ExposureStageChanged");
  event.before = StageName(before.stage);
  event.after = StageName(wanted);
  telemetry::Log(telemetry::Severity::kWarning, "a partner's exposure changed its stage",
                 {{"partner", partner.slug}, {"before", event.before}, {"after", event.after}});
  security::AppendAudit(transaction, std::move(event));
  return absl::OkStatus();
}

bool NeedsBlock(Transaction& transaction, const Partner& partner, const ExposurePolicy& policy,
                ProgrammeId programme) {
  if (policy.reorder == Points(0) || !CheckMayBuyPoints(partner).ok() ||
      !HasBlockContract(transaction, programme, partner.id)) {
    return false;
  }
  return ledger::ReadLimit(transaction, ledger::PointBlocksOf(partner.id)).remaining <
         policy.reorder_below;
}

absl::Status Reorder(Transaction& transaction, const Partner& partner,
                     const ledger::ProgrammeFacts& programme) {
  const ExposurePolicy policy = ReadExposurePolicy(transaction, partner.id);
  if (!NeedsBlock(transaction, partner, policy, programme.id)) return absl::OkStatus();
  PointBlock block;
  block.points = policy.reorder;
  block.sold_by = kActor;
  GUILDER_ASSIGN_OR_RETURN(
      const PointBlock bought,
      SellPointBlock(transaction, programme.id, partner.id, security::RandomUuid(), block));
  security::AuditRecord event = Event(partner, "PointBlockReordered");
  event.after = absl::StrCat(bought.points.value(), " points, block ", bought.number);
  security::AppendAudit(transaction, std::move(event));
  return absl::OkStatus();
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
        return wanted != ReadExposureState(transaction, partner.id).stage ||
               NeedsBlock(transaction, partner, ReadExposurePolicy(transaction, partner.id),
                          programme.id);
      }));
  if (!changes) return absl::OkStatus();
  return pool.Run([&](Transaction& transaction) -> absl::Status {
    GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
    GUILDER_RETURN_IF_ERROR(Reorder(transaction, partner, programme));
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
        return PartnersWithPolicy(transaction);
      }));
  // One partner whose figures cannot be had keeps no other from being degraded.
  absl::Status first;
  for (const std::string& slug : slugs) {
    first.Update(KeepExposure(pool_, programme_, slug));
  }
  return first;
}

}  // namespace guilder::partner
