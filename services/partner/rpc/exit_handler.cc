#include <optional>
#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/limits.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/proto_time.h"
#include "services/partner/domain/exit_plan.h"
#include "services/partner/rpc/exposure_keeper.h"
#include "services/partner/rpc/partner_handlers.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/documents.h"
#include "services/partner/store/exit_facts.h"
#include "services/partner/store/exposure_state.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

v1::ExitPlan ToProto(const std::string& name, const ExitPlan& plan, const ExitFacts& facts,
                     const Currency& currency) {
  const auto money = [&](MinorUnits amount) {
    type::v1::Money out;
    out.set_currency_code(FormatCurrency(currency));
    out.set_minor_units(amount.value());
    return out;
  };
  v1::ExitPlan out;
  out.set_partner(name);
  *out.mutable_run_off() = ToProto(plan.run_off);
  for (const OutstandingAge& age : plan.ages) {
    v1::OutstandingPoints& added = *out.add_outstanding();
    added.set_least_days(age.least_days);
    added.set_most_days(age.most_days);
    added.set_points(age.points.value());
  }
  out.set_outstanding_points(plan.outstanding.value());
  out.set_redeemed_share_ppm(plan.redeemed_share_ppm);
  out.set_expected_redeemed_points(plan.expected_redeemed.value());
  out.set_unused_block_points(facts.unused_blocks.value());
  *out.mutable_unbilled_issuance() = money(facts.figures.unbilled_issuance);
  *out.mutable_unpaid_invoices() = money(facts.figures.unpaid_invoices);
  *out.mutable_owed_to_partner() = money(facts.figures.owed_to_partner);
  *out.mutable_payable_at_termination() = money(facts.figures.outstanding_issuance);
  *out.mutable_held() = money(plan.held);
  *out.mutable_escrow() = money(plan.escrow);
  for (const ExitStep& step : plan.steps) {
    v1::ExitStep& added = *out.add_steps();
    *added.mutable_time() = rpc::ToProto(step.at);
    added.set_kind(static_cast<v1::ExitStepKind>(static_cast<int>(step.kind) + 1));
  }
  return out;
}

}  // namespace

absl::StatusOr<v1::PlanExitResponse> PartnerHandlers::PlanExit(const rpc::Call& call,
                                                               const v1::PlanExitRequest& request) {
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::PlanExitResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner,
                                 FindReadable(call, transaction, request.name()));
        std::optional<Timestamp> date;
        if (request.has_date()) {
          date = rpc::FromProto(request.date());
          if (!date) {
            return Refuse(Reason::kRequestMalformed, "is out of range", {{"field", "date"}});
          }
        }
        const Timestamp now = ledger::ReadProgrammeClock(transaction, programme_.id);
        ExitFacts facts = ReadExitFacts(transaction, partner.id, programme_.id);
        GUILDER_ASSIGN_OR_RETURN(facts.figures,
                                 ReadFigures(transaction, partner.id, programme_.id));
        facts.collateral = ReadExposurePolicy(transaction, partner.id).collateral;
        facts.unused_blocks =
            ledger::ReadLimit(transaction, ledger::PointBlocksOf(partner.id)).remaining;
        GUILDER_ASSIGN_OR_RETURN(
            const ExitPlan plan,
            partner::PlanExit(facts, date, ReadNoticeDays(transaction, partner.id, now), now));
        v1::PlanExitResponse response;
        *response.mutable_exit_plan() = ToProto(request.name(), plan, facts, programme_.currency);
        return response;
      },
      call.deadline());
}

}  // namespace guilder::partner
