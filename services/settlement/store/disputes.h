// Reads and writes disputes, adjustments and credit notes.
//
// Each function runs in the caller's transaction; whoever writes takes LockForWriting
// (settlements.h) first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/dispute.h"
#include "services/settlement/store/facts.h"

namespace guilder::settlement {

// As it was set last; the defaults before.
DisputePolicy ReadDisputePolicy(postgres::Transaction& transaction, ProgrammeId programme);
void StoreDisputePolicy(postgres::Transaction& transaction, ProgrammeId programme,
                        const DisputePolicy& policy, const std::string& by);

std::optional<Dispute> FindDispute(postgres::Transaction& transaction, const Uuid& request_id);
std::optional<Dispute> FindDispute(postgres::Transaction& transaction, DisputeId id);
// Stores a new one, and gives its id. ALREADY_EXISTS, the line was disputed before.
absl::StatusOr<DisputeId> InsertDispute(postgres::Transaction& transaction, const Dispute& dispute);
// Stores how it was decided, with what follows: what it credits is posted, and gets a credit note.
// Gives it with its adjustment. Errors: as PostMoney.
absl::StatusOr<Dispute> StoreDecision(postgres::Transaction& transaction,
                                      const Programme& programme, Dispute dispute);
// Gives some of what nobody decided in time its default outcome; true when there may be more.
absl::StatusOr<bool> DecideDue(postgres::Transaction& transaction, const Programme& programme);

struct DisputeFilter {
  std::optional<PartnerId> partner;
  bool include_resolved = false;
};
// By id, those after it.
std::vector<Dispute> ListDisputes(postgres::Transaction& transaction, const DisputeFilter& filter,
                                  DisputeId after, int limit);

// What of a line was not credited yet, by whatever.
MinorUnits LeftToCredit(postgres::Transaction& transaction, SettlementId settlement,
                        const Line& line);

// Credits a partner for a line, with the line's tax: money in the open window, a credit note that
// names the line's invoice, and a row that the settlement of that window takes. Gives it with its
// id. Errors: AMOUNT_OUT_OF_RANGE, all credits of the line would be more than it bills; as
// PostMoney.
absl::StatusOr<Adjustment> PostAdjustment(postgres::Transaction& transaction,
                                          const Programme& programme, const Line& line,
                                          Adjustment adjustment);

// What was credited in [from, until), by partner: with tax.
std::map<PartnerId, MinorUnits> ReadCredited(postgres::Transaction& transaction, Timestamp from,
                                             Timestamp until);

struct CreditNote {
  std::string number;
  std::string invoice;  // That it credits.
  AdjustmentId adjustment;
  PartnerId partner;
  SettlementId settlement;
  int line = 0;
  MinorUnits net;
  MinorUnits tax;
  Timestamp issued_at;
};
std::optional<CreditNote> FindCreditNote(postgres::Transaction& transaction,
                                         AdjustmentId adjustment);

}  // namespace guilder::settlement
