#include "services/accrual/rpc/earned_lots.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/ledger/core/account.h"
#include "libs/rpc/points_restriction.h"
#include "libs/rpc/proto_time.h"

namespace guilder::accrual {

std::string PartnerName(const ledger::Partner* partner) {
  return partner == nullptr ? "" : absl::StrCat("partners/", partner->slug);
}

std::string LotName(const PurchasePlace& place, size_t part) {
  const LotId id = ledger::MakeLotId(place.number, static_cast<int64_t>(part));
  return absl::StrCat("lots/", place.book.value(), "-", id.value());
}

template <typename Response>
void AddLots(const PurchaseOutcome& outcome, PartnerId seller, const View& view, Response& out) {
  const ledger::Configuration& configuration = view.configuration;
  const std::vector<EarnedLot> lots = LotsOf(outcome, seller, configuration);
  const bool one_lot = outcome.parts.empty();
  if (lots.empty() || (one_lot && !lots[0].restricted_to)) return;
  for (size_t i = 0; i < lots.size(); ++i) {
    v1::EarnedLot& lot = *out.add_lots();
    if (view.place) lot.set_name(LotName(*view.place, i));
    lot.set_points(lots[i].points.value());
    lot.set_issuer(PartnerName(configuration.FindPartner(lots[i].issuer)));
    if (lots[i].contract != nullptr && view.reader.MayKnowOf(lots[i].issuer)) {
      lot.set_contract(absl::StrCat(lot.issuer(), "/contracts/", lots[i].contract->number));
    }
    *lot.mutable_activates_at() = rpc::ToProto(lots[i].activates_at);
    if (lots[i].expires_at != kNever) *lot.mutable_expires_at() = rpc::ToProto(lots[i].expires_at);
    if (!lots[i].restricted_to) continue;
    *lot.mutable_spent_only() = rpc::ToProto(lots[i].restricted_to, configuration);
  }
}

template void AddLots(const PurchaseOutcome&, PartnerId, const View&, v1::RecordPurchaseResponse&);
template void AddLots(const PurchaseOutcome&, PartnerId, const View&, v1::QuotePurchaseResponse&);
template void AddLots(const PurchaseOutcome&, PartnerId, const View&, v1::ExplainPurchaseResponse&);

}  // namespace guilder::accrual
