// Reads and writes settlements with their lines, nets, obligations, entries and payment files.
//
// Each function runs in the caller's transaction. Whoever writes takes LockForWriting first;
// whoever reads more than one table of a settlement takes LockForReading, because a computed one
// may be replaced.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"
#include "services/settlement/store/facts.h"

namespace guilder::settlement {

void LockForWriting(postgres::Transaction& transaction);
void LockForReading(postgres::Transaction& transaction);

// The next settlement, without who computes it: over all sealed windows that are in no approved
// one, with the number after the last approved one's.
//
// Errors: NOTHING_TO_SETTLE; an error that is ours when the windows do not follow one another.
absl::StatusOr<Settlement> NextSettlement(postgres::Transaction& transaction,
                                          const Programme& programme);

// Stores a computed settlement in the place of what was computed before under its number.
void WriteComputed(postgres::Transaction& transaction, const Programme& programme,
                   const Settlement& settlement, const Computation& computation);

// SETTLEMENT_NOT_FOUND.
absl::StatusOr<Settlement> FindSettlement(postgres::Transaction& transaction, SettlementId id);
// The starts of its windows, in order.
std::vector<Timestamp> ReadWindowStarts(postgres::Transaction& transaction, SettlementId id);
// All lines of a settlement, or a partner's; and so its nets.
std::vector<Line> ReadLines(postgres::Transaction& transaction, SettlementId id,
                            std::optional<PartnerId> partner = std::nullopt);
std::vector<Net> ReadNets(postgres::Transaction& transaction, SettlementId id,
                          std::optional<PartnerId> partner = std::nullopt);

// Makes a computed settlement binding: its state, obligations and money. Errors: as PostMoney.
absl::Status WriteApproval(postgres::Transaction& transaction, const Settlement& approved,
                           const Computation& computation);

struct StoredObligation {
  SettlementId settlement;
  netting::Obligation debt;
  Currency currency{};
  bool instructed = false;
  std::string end_to_end_id;  // Empty where the partner pays.
};

// Of one settlement or of all, by settlement and partner, those after that pair.
std::vector<StoredObligation> ListObligations(postgres::Transaction& transaction,
                                              std::optional<SettlementId> settlement,
                                              SettlementId after_settlement,
                                              PartnerId after_partner, int limit);
std::optional<StoredObligation> FindObligation(postgres::Transaction& transaction, SettlementId id,
                                               PartnerId partner);
// Those that are paid by the operator, by partner.
std::vector<StoredObligation> ReadPayouts(postgres::Transaction& transaction, SettlementId id);

// The file that was written, if one was.
std::optional<std::string> FindPaymentFile(postgres::Transaction& transaction, SettlementId id);
// Stores the file, and marks the settlement and what it pays as instructed.
void StorePaymentFile(postgres::Transaction& transaction, SettlementId id,
                      const std::string& file_name, const std::string& content);

}  // namespace guilder::settlement
