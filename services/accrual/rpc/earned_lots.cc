#include "services/accrual/rpc/earned_lots.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/ledger/core/account.h"
#include "libs/rpc/points_restriction.h"

namespace guilder::accrual {

template <typename Response>
void AddLots(const PurchaseOutcome& outcome, PartnerId seller,
             const ledger::Configuration& configuration, std::optional<PurchasePlace> place,
             Response& out) {
  const ledger::Partner* const partner = configuration.FindPartner(seller);
  if (partner == nullptr) return;
  const ledger::Contract* const contract =
      partner->FindContract(ledger::ContractKind::kIssuance, outcome.contract);
  if (contract == nullptr || (outcome.parts.empty() && !contract->restricted_to)) return;
  const std::vector<EarnedLot> lots = LotsOf(outcome, *contract);
  for (size_t i = 0; i < lots.size(); ++i) {
    v1::EarnedLot& lot = *out.add_lots();
    if (place) {
      const LotId id = ledger::MakeLotId(place->number, static_cast<int64_t>(i));
      lot.set_name(absl::StrCat("lots/", place->book.value(), "-", id.value()));
    }
    lot.set_points(lots[i].points.value());
    if (!lots[i].restricted_to) continue;
    *lot.mutable_spent_only() = rpc::ToProto(lots[i].restricted_to, configuration);
  }
}

template void AddLots(const PurchaseOutcome&, PartnerId, const ledger::Configuration&,
                      std::optional<PurchasePlace>, v1::RecordPurchaseResponse&);
template void AddLots(const PurchaseOutcome&, PartnerId, const ledger::Configuration&,
                      std::optional<PurchasePlace>, v1::QuotePurchaseResponse&);
template void AddLots(const PurchaseOutcome&, PartnerId, const ledger::Configuration&,
                      std::optional<PurchasePlace>, v1::ExplainPurchaseResponse&);

}  // namespace guilder::accrual
