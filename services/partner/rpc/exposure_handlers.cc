#include <algorithm>
#include <optional>

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/limits.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/approval.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/proto_time.h"
#include "services/partner/domain/exposure.h"
#include "services/partner/domain/exposure_policy.h"
#include "services/partner/domain/point_block.h"
#include "services/partner/rpc/exposure_keeper.h"
#include "services/partner/rpc/partner_handlers.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/credit.h"
#include "services/partner/store/exposure.h"
#include "services/partner/store/exposure_state.h"
#include "services/partner/store/partners.h"
#include "services/partner/store/point_blocks.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

constexpr int kMaxBlocksShown = 100;

void SetMoney(MinorUnits amount, const Currency& currency, type::v1::Money& out) {
  out.set_currency_code(FormatCurrency(currency));
  out.set_minor_units(amount.value());
}

v1::ExposurePolicy ToProto(const ExposurePolicy& policy) {
  v1::ExposurePolicy out;
  out.set_credit_limit_minor_units(policy.credit_limit.value());
  out.set_collateral_minor_units(policy.collateral.value());
  out.set_warn_ppm(policy.warn_ppm);
  out.set_no_bonus_ppm(policy.no_bonus_ppm);
  out.set_no_issuance_ppm(policy.no_issuance_ppm);
  out.set_redemption_only_ppm(policy.redemption_only_ppm);
  out.set_reorder_below_points(policy.reorder_below.value());
  out.set_reorder_points(policy.reorder.value());
  out.set_net_debit_cap_minor_units(policy.net_debit_cap.value());
  out.set_reorder_days(policy.reorder_days);
  out.set_reorder_when_ended(ToProto(policy.reorder_when_ended));
  return out;
}

absl::StatusOr<ExposurePolicy> FromProto(const v1::ExposurePolicy& given) {
  ExposurePolicy policy;
  policy.credit_limit = MinorUnits(given.credit_limit_minor_units());
  policy.collateral = MinorUnits(given.collateral_minor_units());
  if (given.warn_ppm() != 0) policy.warn_ppm = given.warn_ppm();
  if (given.no_bonus_ppm() != 0) policy.no_bonus_ppm = given.no_bonus_ppm();
  if (given.no_issuance_ppm() != 0) policy.no_issuance_ppm = given.no_issuance_ppm();
  if (given.redemption_only_ppm() != 0) policy.redemption_only_ppm = given.redemption_only_ppm();
  policy.reorder_below = Points(given.reorder_below_points());
  policy.reorder = Points(given.reorder_points());
  policy.net_debit_cap = MinorUnits(given.net_debit_cap_minor_units());
  policy.reorder_days = given.reorder_days();
  GUILDER_ASSIGN_OR_RETURN(policy.reorder_when_ended,
                           EndingFromProto(given.reorder_when_ended(), "reorder_when_ended"));
  return policy;
}

v1::ExposureStage ToProto(ExposureStage stage) {
  switch (stage) {
    case ExposureStage::kNormal:
      return v1::EXPOSURE_STAGE_NORMAL;
    case ExposureStage::kWarn:
      return v1::EXPOSURE_STAGE_WARN;
    case ExposureStage::kNoBonus:
      return v1::EXPOSURE_STAGE_NO_BONUS;
    case ExposureStage::kNoIssuance:
      return v1::EXPOSURE_STAGE_NO_ISSUANCE;
    case ExposureStage::kRedemptionOnly:
      return v1::EXPOSURE_STAGE_REDEMPTION_ONLY;
  }
  return v1::EXPOSURE_STAGE_UNSPECIFIED;
}

void SetFigures(const ExposureFigures& figures, const ExposurePolicy& policy,
                const Currency& currency, v1::Exposure& exposure) {
  SetMoney(figures.unbilled_issuance, currency, *exposure.mutable_unbilled_issuance());
  SetMoney(figures.unpaid_invoices, currency, *exposure.mutable_unpaid_invoices());
  SetMoney(figures.outstanding_issuance, currency, *exposure.mutable_outstanding_issuance());
  SetMoney(figures.owed_to_partner, currency, *exposure.mutable_owed_to_partner());
  SetMoney(figures.Total(policy.collateral), currency, *exposure.mutable_exposure());
  *exposure.mutable_policy() = ToProto(policy);
  exposure.set_used_ppm(UsedPpm(figures, policy));
  SetMoney(figures.NetDebit(), currency, *exposure.mutable_net_debit());
  exposure.set_net_debit_used_ppm(NetDebitUsedPpm(figures, policy));
}

void SetBlocks(const std::string& slug, const std::vector<PointBlock>& blocks, Points remaining,
               v1::Exposure& exposure) {
  for (const PointBlockUsage& usage : UsageOf(blocks, remaining)) {
    v1::PointBlockUsage& shown = *exposure.add_point_blocks();
    *shown.mutable_point_block() = ToProto(slug, usage.block);
    shown.set_remaining_points(usage.remaining.value());
    shown.set_ended_points(usage.block.ended.value());
  }
  exposure.set_reserve_points(ReserveLeft(blocks, remaining).value());
}

}  // namespace

absl::StatusOr<v1::BuyPointBlockResponse> PartnerHandlers::BuyPointBlock(
    const rpc::Call& call, const v1::BuyPointBlockRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  PointBlock wanted;
  wanted.points = Points(request.points());
  wanted.sold_by = call.principal().id;
  wanted.reserve = request.reserve();
  if (request.has_end_time()) {
    wanted.ends_at = rpc::FromProto(request.end_time());
    if (!wanted.ends_at) return Refuse(Reason::kRequestMalformed, "end_time");
  }
  GUILDER_ASSIGN_OR_RETURN(wanted.when_ended, EndingFromProto(request.when_ended(), "when_ended"));
  GUILDER_RETURN_IF_ERROR(CheckBlock(wanted));
  const auto parent = rpc::ParseName(kPartnerName, request.parent());
  const std::string slug = parent ? parent->front() : std::string();
  bool replayed = false;
  GUILDER_ASSIGN_OR_RETURN(
      const PointBlock bought,
      pool_.Run(
          [&](Transaction& transaction) -> absl::StatusOr<PointBlock> {
            GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
            if (const auto before = FindPointBlock(transaction, request_id)) {
              const PointBlock& sold = before->block;
              const bool same = before->partner == partner.id && sold.points == wanted.points &&
                                sold.ends_at == wanted.ends_at &&
                                sold.when_ended == wanted.when_ended &&
                                sold.reserve == wanted.reserve;
              if (!same) return Refuse(Reason::kRequestIdReused);
              replayed = true;
              return before->block;
            }
            GUILDER_RETURN_IF_ERROR(CheckMayBuyPoints(partner));
            GUILDER_ASSIGN_OR_RETURN(
                const PointBlock stored,
                SellPointBlock(transaction, programme_.id, partner.id, request_id, wanted));
            const v1::PointBlock after = ToProto(slug, stored);
            rpc::Audit(transaction, call, "PartnerService/BuyPointBlock", after.name(), nullptr,
                       &after);
            return stored;
          },
          call.deadline()));
  if (replayed) call.SetTrailingMetadata(rpc::kReplayedKey, "true");
  v1::BuyPointBlockResponse response;
  *response.mutable_point_block() = ToProto(slug, bought);
  return response;
}

absl::StatusOr<v1::GetExposureResponse> PartnerHandlers::GetExposure(
    const rpc::Call& call, const v1::GetExposureRequest& request) {
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::GetExposureResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner,
                                 FindReadable(call, transaction, request.name()));
        const ledger::LimitState blocks =
            ledger::ReadLimit(transaction, ledger::PointBlocksOf(partner.id));
        const IssuanceToBill issuance = ReadIssuanceToBill(transaction, partner.id, programme_.id);
        GUILDER_ASSIGN_OR_RETURN(const UnbilledIssuance unbilled,
                                 SumUnbilled(issuance.contracts, issuance.currency_exponent));
        v1::GetExposureResponse response;
        v1::Exposure& exposure = *response.mutable_exposure();
        exposure.set_partner(rpc::FormatName(kPartnerName, {partner.slug}));
        exposure.set_bought_points(blocks.granted.value());
        exposure.set_remaining_points(blocks.remaining.value());
        SetBlocks(partner.slug, LastUsedPointBlocks(transaction, partner.id, kMaxBlocksShown),
                  blocks.remaining, exposure);
        exposure.set_unbilled_points(unbilled.points.value());
        ExposureFigures figures = ReadOtherFigures(transaction, partner.id, programme_.id);
        figures.unbilled_issuance = unbilled.amount;
        const ExposurePolicy policy = ReadExposurePolicy(transaction, partner.id);
        SetFigures(figures, policy, programme_.currency, exposure);
        // By the dearest version, so that it is rather too few.
        int64_t rate_micros = 0;
        for (const IssuedUnderContract& contract : issuance.contracts) {
          rate_micros = std::max(rate_micros, contract.rate_micros);
        }
        const std::optional<Points> kept = ReadCreditLeft(transaction, partner.id);
        const std::optional<Points> left =
            kept ? PointsOfCredit(*kept, rate_micros)
                 : PointsLeft(figures, policy, rate_micros, issuance.currency_exponent);
        if (left) exposure.set_credit_points(left->value());
        const ExposureState state = ReadExposureState(transaction, partner.id);
        exposure.set_stage(ToProto(state.stage));
        if (state.since) *exposure.mutable_stage_time() = rpc::ToProto(*state.since);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::UpdateExposurePolicyResponse> PartnerHandlers::UpdateExposurePolicy(
    const rpc::Call& call, const v1::UpdateExposurePolicyRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const ExposurePolicy policy, FromProto(request.policy()));
  GUILDER_RETURN_IF_ERROR(CheckExposurePolicy(policy));
  const auto name = rpc::ParseName(kPartnerName, request.name());
  const std::string slug = name ? name->front() : std::string();
  v1::UpdateExposurePolicyResponse response;
  *response.mutable_policy() = ToProto(policy);
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
        const ExposurePolicy held = ReadExposurePolicy(transaction, partner.id);
        if (IsLooser(policy, held)) {
          GUILDER_RETURN_IF_ERROR(rpc::UseApproval(transaction, call, request));
        }
        const v1::ExposurePolicy before = ToProto(held);
        StoreExposurePolicy(transaction, partner.id, policy);
        rpc::Audit(transaction, call, "PartnerService/UpdateExposurePolicy", request.name(),
                   &before, &response.policy());
        return absl::OkStatus();
      },
      call.deadline()));
  // The keeper would do so within a second; who sets a limit sees at once what it does.
  GUILDER_RETURN_IF_ERROR(KeepExposure(pool_, programme_, slug));
  return response;
}

}  // namespace guilder::partner
