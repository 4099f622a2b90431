// Why a purchase earns what it earns, in messages.
#pragma once

#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/ledger/core/configuration.h"
#include "libs/rules/explain.h"
#include "services/accrual/domain/earning.h"
#include "services/accrual/domain/return.h"
#include "services/accrual/rpc/earned_lots.h"

namespace guilder::accrual {

// Each line's and each rule's explanation, for `Message` with `lines` and `rules`. Why a funder
// does not pay is said where the reader may know of its standing.
template <typename Message>
void AddExplanation(const RecordedPurchase& recorded, PartnerId partner, const View& view,
                    const Replay& replay, const rules::CompiledRules& rules, Message& out);

// Says of a sale which rule gave each point, who pays for it, in which lot it is and until when;
// and of each other rule why it gave nothing.
void ExplainSale(const Sale& sale, const ledger::Configuration& configuration, const RuleBook& book,
                 const Reader& reader, v1::ExplainPurchaseResponse& out);

}  // namespace guilder::accrual
