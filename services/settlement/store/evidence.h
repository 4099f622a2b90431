// What payments, allocations and write-offs do to obligations and to the money ledger.
//
// Each function runs in the caller's transaction, which holds LockForWriting (settlements.h): an
// obligation's status and the money that it stands for change together.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/store/bank.h"
#include "services/settlement/store/facts.h"

namespace guilder::settlement {

// "bankEntries/17".
std::string BankEntryName(BankEntryId id);

// Looks at a pending payment of a file: what it pays, takes back, or leaves in suspense is posted,
// and the entry is stored with its outcome. Errors: as PostMoney.
absl::Status SettleBankEntry(postgres::Transaction& transaction, const Programme& programme,
                             BankEntry entry, const std::string& by);

// Marks what a rejected payment file instructed as not instructed; its message id is `message_id`.
// Gives how many payments that were.
absl::StatusOr<int> RejectPaymentFile(postgres::Transaction& transaction,
                                      const Programme& programme, const std::string& message_id);

// Pays an obligation out of an entry's suspense. Errors: WRONG_STATE, the obligation is closed, or
// the entry moved money the other way; AMOUNT_OUT_OF_RANGE, more than is open or in suspense.
absl::Status Allocate(postgres::Transaction& transaction, const Programme& programme,
                      BankEntry entry, const Allocation& allocation);

// Gives up what is open of an obligation, and posts the loss. Errors: NAME_NOT_FOUND, there is no
// such obligation; WRONG_STATE, it cannot be written off, or another amount is open by now.
absl::Status WriteOffObligation(postgres::Transaction& transaction, const Programme& programme,
                                const StoredWriteOff& write_off);

}  // namespace guilder::settlement
