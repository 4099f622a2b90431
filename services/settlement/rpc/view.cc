#include "services/settlement/rpc/view.h"

#include <utility>

namespace guilder::settlement {

SettlementView LoadView(postgres::Transaction& transaction, Settlement settlement,
                        std::optional<PartnerId> partner) {
  SettlementView view;
  view.settlement = std::move(settlement);
  const SettlementId id = view.settlement.id;
  view.window_starts = ReadWindowStarts(transaction, id);
  view.lines = ReadLines(transaction, id, partner);
  view.nets = ReadNets(transaction, id, partner);
  std::vector<PartnerId> partners;
  for (const Net& net : view.nets) partners.push_back(net.partner);
  if (partner) partners.push_back(*partner);
  view.directory = LoadDirectory(transaction, partners);
  const absl::StatusOr<Programme> programme = LoadProgramme(transaction);
  if (programme.ok()) view.currency_exponent = programme->ExponentOf(view.settlement.currency);
  return view;
}

}  // namespace guilder::settlement
