#include "services/settlement/rpc/settlement_handlers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/load_calendar.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/note.h"
#include "libs/security/secrets.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/settlement_proto.h"
#include "services/settlement/rpc/view.h"
#include "services/settlement/store/computing.h"
#include "services/settlement/store/invoices.h"
#include "services/settlement/store/policy.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

struct Approval {
  SettlementView view;
  std::vector<std::string> invoices;
};

absl::StatusOr<Approval> Approve(Transaction& transaction, SettlementId id, const std::string& etag,
                                 const std::string& by) {
  LockForWriting(transaction);
  GUILDER_ASSIGN_OR_RETURN(Settlement settlement, FindSettlement(transaction, id));
  if (settlement.state != State::kComputed) {
    if (settlement.approved_by != by) {
      return Refuse(Reason::kWrongState, absl::StrCat("approved by ", settlement.approved_by));
    }
    if (Etag(settlement) != etag) return Refuse(Reason::kEtagMismatch);
    // Whoever approved it did not get the answer.
    std::vector<std::string> invoices = ReadInvoiceNumbers(transaction, settlement.id);
    return Approval{LoadView(transaction, std::move(settlement)), std::move(invoices)};
  }
  if (settlement.computed_by == kClearingJob || HasComputedBefore(transaction, id)) {
    return Refuse(Reason::kWrongState,
                  "a person computes it, and those before it are approved first");
  }
  if (settlement.computed_by == by) return Refuse(Reason::kSamePerson);
  if (Etag(settlement) != etag) return Refuse(Reason::kEtagMismatch);
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  GUILDER_ASSIGN_OR_RETURN(const Computation computation,
                           Recompute(transaction, programme, settlement));

  settlement.state = computation.obligations.empty() ? State::kSettled : State::kApproved;
  settlement.approved_by = by;
  settlement.approved_at = programme.now;
  const Policy policy = ReadPolicy(transaction, programme.id);
  GUILDER_ASSIGN_OR_RETURN(const ledger::Calendar calendar,
                           ledger::LoadCalendar(transaction, programme.id));
  GUILDER_RETURN_IF_ERROR(
      WriteApproval(transaction, settlement, computation, DueAt(policy, programme.now, calendar)));
  const auto day = absl::ToCivilDay(ToAbslTime(programme.now), programme.time_zone);
  std::vector<std::string> invoices = WriteInvoices(
      transaction, settlement, static_cast<int>(day.year()),
      DraftInvoices(computation.lines, FindCreditedInvoices(transaction, settlement.id)));
  return Approval{LoadView(transaction, std::move(settlement)), std::move(invoices)};
}

}  // namespace

SettlementHandlers::SettlementHandlers(postgres::Pool& pool, const security::Secrets& secrets)
    : pool_(pool), page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::ComputeSettlementResponse> SettlementHandlers::ComputeSettlement(
    const rpc::Call& call, const v1::ComputeSettlementRequest& request) {
  std::optional<SettlementId> id;
  if (!request.name().empty()) {
    id = ParseSettlementName(request.name());
    if (!id) return Refuse(Reason::kSettlementNotFound);
  }
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<Settlement> computed,
      settlement::ComputeSettlements(pool_, id, call.principal().id, call.deadline()));
  v1::ComputeSettlementResponse response;
  for (const Settlement& settlement : computed) {
    response.add_settlements(SettlementName(settlement.id));
  }
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        LockForReading(transaction);
        GUILDER_ASSIGN_OR_RETURN(Settlement stored,
                                 FindSettlement(transaction, computed.front().id));
        *response.mutable_settlement() = ToProto(LoadView(transaction, std::move(stored)));
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::ApproveSettlementResponse> SettlementHandlers::ApproveSettlement(
    const rpc::Call& call, const v1::ApproveSettlementRequest& request) {
  const std::optional<SettlementId> id = ParseSettlementName(request.name());
  if (!id) return Refuse(Reason::kSettlementNotFound);
  if (request.etag().empty()) {
    return Refuse(Reason::kRequestMalformed, "etag names what was looked at", {{"field", "etag"}});
  }
  GUILDER_ASSIGN_OR_RETURN(const Approval approval,
                           rpc::RunAudited(pool_, call, "SettlementService/ApproveSettlement",
                                           request.name(), &request, [&](Transaction& transaction) {
                                             return Approve(transaction, *id, request.etag(),
                                                            call.principal().id);
                                           }));
  v1::ApproveSettlementResponse response;
  *response.mutable_settlement() = ToProto(approval.view);
  for (const std::string& number : approval.invoices) response.add_invoices(InvoiceName(number));
  return response;
}

absl::StatusOr<v1::RejectSettlementResponse> SettlementHandlers::RejectSettlement(
    const rpc::Call& call, const v1::RejectSettlementRequest& request) {
  const std::optional<SettlementId> id = ParseSettlementName(request.name());
  if (!id) return Refuse(Reason::kSettlementNotFound);
  GUILDER_RETURN_IF_ERROR(rpc::CheckNote(request.note()));
  v1::RejectSettlementResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        LockForWriting(transaction);
        GUILDER_ASSIGN_OR_RETURN(Settlement settlement, FindSettlement(transaction, *id));
        if (settlement.state != State::kComputed) return Refuse(Reason::kWrongState);
        if (!request.etag().empty() && Etag(settlement) != request.etag()) {
          return Refuse(Reason::kEtagMismatch);
        }
        // The next ones have the numbers that follow, and begin where it ends.
        std::vector<v1::Settlement> discarded;
        discarded.push_back(ToProto(LoadView(transaction, std::move(settlement))));
        const SettlementId end = NextNumber(transaction);
        for (SettlementId next(id->value() + 1); next < end;
             next = SettlementId(next.value() + 1)) {
          GUILDER_ASSIGN_OR_RETURN(Settlement later, FindSettlement(transaction, next));
          discarded.push_back(ToProto(LoadView(transaction, std::move(later))));
        }
        *response.mutable_settlement() = discarded.front();
        DeleteComputedFrom(transaction, *id);
        for (const v1::Settlement& each : discarded) {
          rpc::Audit(transaction, call, "SettlementService/RejectSettlement", each.name(), &each,
                     &request);
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

}  // namespace guilder::settlement
