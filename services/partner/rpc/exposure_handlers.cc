#include <optional>

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/limits.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "services/partner/domain/exposure.h"
#include "services/partner/domain/point_block.h"
#include "services/partner/rpc/partner_handlers.h"
#include "services/partner/rpc/partner_proto.h"
#include "services/partner/store/exposure.h"
#include "services/partner/store/partners.h"
#include "services/partner/store/point_blocks.h"

namespace guilder::partner {
namespace {

using postgres::Transaction;

constexpr int kMaxBlocksShown = 100;

}  // namespace

absl::StatusOr<v1::BuyPointBlockResponse> PartnerHandlers::BuyPointBlock(
    const rpc::Call& call, const v1::BuyPointBlockRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const Uuid request_id, rpc::ParseRequestId(request.request_id()));
  PointBlock wanted;
  wanted.points = Points(request.points());
  wanted.sold_by = call.principal().id;
  GUILDER_RETURN_IF_ERROR(CheckBlockPoints(wanted.points));
  const auto parent = rpc::ParseName(kPartnerName, request.parent());
  const std::string slug = parent ? parent->front() : std::string();
  bool replayed = false;
  GUILDER_ASSIGN_OR_RETURN(
      const PointBlock bought,
      pool_.Run(
          [&](Transaction& transaction) -> absl::StatusOr<PointBlock> {
            GUILDER_ASSIGN_OR_RETURN(const Partner partner, LockPartner(transaction, slug));
            if (const auto before = FindPointBlock(transaction, request_id)) {
              const bool same =
                  before->partner == partner.id && before->block.points == wanted.points;
              if (!same) return Refuse(Reason::kRequestIdReused);
              replayed = true;
              return before->block;
            }
            GUILDER_RETURN_IF_ERROR(CheckMayBuyPoints(partner));
            wanted.bought_at = ledger::ReadProgrammeClock(transaction, programme_.id);
            GUILDER_ASSIGN_OR_RETURN(const PointBlock stored,
                                     InsertPointBlock(transaction, partner.id, request_id, wanted));
            ledger::GrantLimit(transaction, ledger::PointBlocksOf(partner.id), stored.points);
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
        const PostpaidIssuance issuance =
            ReadPostpaidIssuance(transaction, partner.id, programme_.id);
        GUILDER_ASSIGN_OR_RETURN(const UnbilledIssuance unbilled,
                                 SumUnbilled(issuance.contracts, issuance.currency_exponent));
        v1::GetExposureResponse response;
        v1::Exposure& exposure = *response.mutable_exposure();
        exposure.set_partner(rpc::FormatName(kPartnerName, {partner.slug}));
        exposure.set_bought_points(blocks.granted.value());
        exposure.set_remaining_points(blocks.remaining.value());
        for (const PointBlockUsage& usage : UsageOf(
                 LatestPointBlocks(transaction, partner.id, kMaxBlocksShown), blocks.remaining)) {
          v1::PointBlockUsage& shown = *exposure.add_point_blocks();
          *shown.mutable_point_block() = ToProto(partner.slug, usage.block);
          shown.set_remaining_points(usage.remaining.value());
        }
        exposure.set_unbilled_points(unbilled.points.value());
        exposure.mutable_unbilled_issuance()->set_currency_code(
            FormatCurrency(programme_.currency));
        exposure.mutable_unbilled_issuance()->set_minor_units(unbilled.amount.value());
        return response;
      },
      call.deadline());
}

}  // namespace guilder::partner
