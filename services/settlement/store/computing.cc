#include "services/settlement/store/computing.h"

#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/store/disputes.h"
#include "services/settlement/store/lots.h"
#include "services/settlement/store/obligations.h"
#include "services/settlement/store/policy.h"
#include "services/settlement/store/settlements.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

constexpr int kAttempts = 5;

absl::StatusOr<Settlement> ComputeOver(Transaction& transaction, const Programme& programme,
                                       Settlement settlement, const std::string& by) {
  settlement.computed_by = by;
  GUILDER_ASSIGN_OR_RETURN(const Facts facts, LoadFacts(transaction, programme, settlement));
  GUILDER_ASSIGN_OR_RETURN(const Computation computation, Compute(facts));
  settlement.digest = DigestOf(settlement, computation);
  WriteComputed(transaction, programme, settlement, computation);
  return settlement;
}

// The next one of each currency, in the place of what was computed and not approved.
absl::StatusOr<std::vector<Settlement>> ChooseNext(Transaction& transaction,
                                                   const Programme& programme) {
  SettlementId id = FirstToCompute(transaction);
  DeleteComputedFrom(transaction, id);
  std::vector<Settlement> chosen;
  for (const Currency& currency : ReadCurrencies(transaction, programme)) {
    GUILDER_ASSIGN_OR_RETURN(
        std::optional<Settlement> next,
        NextSettlement(transaction, programme, id, currency, /*most_windows=*/INT32_MAX));
    if (!next) continue;
    chosen.push_back(*std::move(next));
    id = SettlementId(id.value() + 1);
  }
  if (chosen.empty()) return Refuse(Reason::kNothingToSettle);
  return chosen;
}

// Of one window: the earliest that a currency has; of those that have the same, the programme's
// first.
absl::StatusOr<std::optional<Settlement>> ChooseOneWindow(Transaction& transaction,
                                                          const Programme& programme) {
  const SettlementId id = NextNumber(transaction);
  std::optional<Settlement> earliest;
  for (const Currency& currency : ReadCurrencies(transaction, programme)) {
    GUILDER_ASSIGN_OR_RETURN(
        std::optional<Settlement> next,
        NextSettlement(transaction, programme, id, currency, /*most_windows=*/1));
    if (next && (!earliest || next->start < earliest->start)) earliest = std::move(next);
  }
  return earliest;
}

absl::StatusOr<Settlement> ChooseAgain(Transaction& transaction, SettlementId id) {
  GUILDER_ASSIGN_OR_RETURN(Settlement settlement, FindSettlement(transaction, id));
  if (settlement.state != State::kComputed) return Refuse(Reason::kWrongState);
  return settlement;
}

// Where each window is settled by itself: the first one that is not approved.
absl::StatusOr<Settlement> ChooseFirstWindow(Transaction& transaction, const Programme& programme) {
  absl::StatusOr<Settlement> again = ChooseAgain(transaction, FirstToCompute(transaction));
  if (!absl::IsNotFound(again.status())) return again;
  GUILDER_ASSIGN_OR_RETURN(std::optional<Settlement> next, ChooseOneWindow(transaction, programme));
  if (!next) return Refuse(Reason::kNothingToSettle);
  return *std::move(next);
}

// Looks at lots before, and again only when a window was sealed between the two.
template <typename Result>
absl::StatusOr<Result> AfterLots(postgres::Pool& pool, absl::Time deadline,
                                 absl::FunctionRef<absl::StatusOr<Result>(Transaction&)> compute) {
  absl::StatusOr<Result> result = absl::AbortedError("");
  for (int i = 0; i < kAttempts && absl::IsAborted(result.status()); ++i) {
    GUILDER_RETURN_IF_ERROR(AttributeLots(pool));
    result = pool.Run([&](Transaction& transaction) { return compute(transaction); }, deadline);
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<Settlement>> ComputeSettlements(postgres::Pool& pool,
                                                           std::optional<SettlementId> id,
                                                           const std::string& by,
                                                           absl::Time deadline) {
  using Settlements = std::vector<Settlement>;
  return AfterLots<Settlements>(
      pool, deadline, [&](Transaction& transaction) -> absl::StatusOr<Settlements> {
        LockForWriting(transaction);
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
        // Into the open window, so that it changes nothing of what is computed.
        GUILDER_RETURN_IF_ERROR(DecideDue(transaction, programme).status());
        Settlements chosen;
        if (id) {
          GUILDER_ASSIGN_OR_RETURN(Settlement again, ChooseAgain(transaction, *id));
          chosen.push_back(std::move(again));
        } else if (ReadPolicy(transaction, programme.id).settle_each_window) {
          GUILDER_ASSIGN_OR_RETURN(Settlement first, ChooseFirstWindow(transaction, programme));
          chosen.push_back(std::move(first));
        } else {
          GUILDER_ASSIGN_OR_RETURN(chosen, ChooseNext(transaction, programme));
        }
        for (Settlement& settlement : chosen) {
          GUILDER_ASSIGN_OR_RETURN(settlement,
                                   ComputeOver(transaction, programme, std::move(settlement), by));
        }
        return chosen;
      });
}

absl::StatusOr<std::vector<Settlement>> ComputeDueSettlements(postgres::Pool& pool) {
  std::vector<Settlement> computed;
  // What disputes come to first: it may be overdue from now on.
  for (bool more = true; more;) {
    GUILDER_RETURN_IF_ERROR(pool.Run([&](Transaction& transaction) -> absl::Status {
      LockForWriting(transaction);
      GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
      GUILDER_ASSIGN_OR_RETURN(more, DecideDue(transaction, programme));
      if (!more) MarkOverdue(transaction, programme.now);
      return absl::OkStatus();
    }));
  }
  while (true) {
    GUILDER_ASSIGN_OR_RETURN(
        std::optional<Settlement> settlement,
        AfterLots<std::optional<Settlement>>(
            pool, absl::InfiniteFuture(),
            [&](Transaction& transaction) -> absl::StatusOr<std::optional<Settlement>> {
              LockForWriting(transaction);
              GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
              if (!ReadPolicy(transaction, programme.id).settle_each_window) return std::nullopt;
              GUILDER_ASSIGN_OR_RETURN(std::optional<Settlement> next,
                                       ChooseOneWindow(transaction, programme));
              if (!next) return std::nullopt;
              GUILDER_ASSIGN_OR_RETURN(
                  next, ComputeOver(transaction, programme, *std::move(next), kClearingJob));
              return next;
            }));
    if (!settlement) return computed;
    computed.push_back(*std::move(settlement));
  }
}

absl::StatusOr<Computation> Recompute(Transaction& transaction, const Programme& programme,
                                      const Settlement& settlement) {
  GUILDER_ASSIGN_OR_RETURN(const Facts facts, LoadFacts(transaction, programme, settlement));
  GUILDER_ASSIGN_OR_RETURN(Computation computation, Compute(facts));
  if (computation.lines != ReadLines(transaction, settlement.id) ||
      computation.nets != ReadNets(transaction, settlement.id) ||
      DigestOf(settlement, computation) != settlement.digest) {
    return absl::InternalError(
        absl::StrCat(SettlementName(settlement.id), " does not follow from its positions"));
  }
  return computation;
}

}  // namespace guilder::settlement
