// Reads and writes obligations and the payment files of settlements. Each function runs in the
// caller's transaction; whoever writes takes LockForWriting (settlements.h) first.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/obligation.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

struct StoredObligation {
  SettlementId settlement;
  netting::Obligation debt;
  Currency currency{};
  ObligationStatus status;
  std::string end_to_end_id;
  PartnerId loss_owner;  // None before a default.
  // The last of the settlement's payment files that has it; 0 for none.
  int file_number = 0;
};

// Whether the programme pays the partner.
inline bool IsPayout(const StoredObligation& obligation) {
  return obligation.debt.direction == netting::Direction::kPartnerIsPaid;
}

// Those of an approved settlement, all due then.
void InsertObligations(postgres::Transaction& transaction, SettlementId id,
                       const std::vector<netting::Obligation>& obligations, Timestamp due_at);

// Of one settlement or of all, by settlement and partner, those after that pair.
std::vector<StoredObligation> ListObligations(postgres::Transaction& transaction,
                                              std::optional<SettlementId> settlement,
                                              SettlementId after_settlement,
                                              PartnerId after_partner, int limit);
std::optional<StoredObligation> FindObligation(postgres::Transaction& transaction, SettlementId id,
                                               PartnerId partner);
// All of a settlement, by partner.
std::vector<StoredObligation> ReadObligations(postgres::Transaction& transaction, SettlementId id);

// Stores the status, and the owner of a loss. A settlement of which nothing is open any more is
// settled; one that had been, and of which something is open again, is not.
void UpdateObligation(postgres::Transaction& transaction, const StoredObligation& obligation);

// What is open and due by now becomes overdue. Gives how many.
int64_t MarkOverdue(postgres::Transaction& transaction, Timestamp now);

// What other settlements of the same currency paid out, or instructed, above what was collected for
// them: those of which something is still open, or was given up.
MinorUnits AdvancedToOthers(postgres::Transaction& transaction, const Settlement& settlement);

// Partners in or after their run-off that owe something of a settlement in the currency.
std::set<PartnerId> LeaversInDebt(postgres::Transaction& transaction, const Currency& currency);

// The files of a settlement: 1, 2, 3 …
struct StoredPaymentFile {
  int number = 0;
  std::string file_name;
  std::string content;
  int payments = 0;
  MinorUnits total;
};
// The last one, if there is one.
std::optional<StoredPaymentFile> FindLastPaymentFile(postgres::Transaction& transaction,
                                                     SettlementId id);
std::optional<StoredPaymentFile> FindPaymentFile(postgres::Transaction& transaction,
                                                 SettlementId id, int number);
// Stores the file, marks what it pays as instructed, and the settlement when all payouts are.
void StorePaymentFile(postgres::Transaction& transaction, SettlementId id,
                      const StoredPaymentFile& file, const std::vector<PartnerId>& paid);

}  // namespace guilder::settlement
