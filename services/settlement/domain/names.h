// How windows, settlements and their parts are named.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// "windows/20260101T000000Z": its start, in UTC. Windows start at whole seconds.
std::string WindowName(Timestamp start);
std::optional<Timestamp> ParseWindowName(std::string_view name);

// "settlements/12".
std::string SettlementName(SettlementId id);
std::optional<SettlementId> ParseSettlementName(std::string_view name);

// "settlements/12/lines/3".
std::string LineName(SettlementId id, int line);
// "settlements/12/obligations/grocer".
std::string ObligationName(SettlementId id, std::string_view partner_slug);
// "partners/grocer", "partners/grocer/contracts/1".
std::string PartnerName(std::string_view slug);
std::string ContractName(std::string_view slug, int number);
// "invoices/INV-2026-000001".
std::string InvoiceName(std::string_view number);

}  // namespace guilder::settlement
