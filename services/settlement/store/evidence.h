// What payments, allocations and write-offs do to obligations and to the money ledger.
//
// Each function runs in the caller's transaction, which holds LockForWriting (settlements.h): an
// obligation's status and the money that it stands for change together.
#pragma once

#include <string>
#include <vector>

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
                             BankEntry entry, const StoredBankFile& file);

// The payments of a payment file that was rejected as a whole, as a report of each.
std::vector<BankPayment> RejectedPaymentsOf(postgres::Transaction& transaction,
                                            const BankFile& report, const OwnAccount& own);

// Gives an entry's suspense its purpose: it pays an obligation, or, when the money went the other
// way, takes back what was paid; or it is balanced by a payment in suspense that went the other
// way. An amount of zero is as much as fits both; what was allocated is stored.
//
// Errors: NAME_NOT_FOUND, there is nothing of that name; WRONG_STATE, with what is; and
// AMOUNT_OUT_OF_RANGE, more than is in suspense, or than fits.
absl::Status Allocate(postgres::Transaction& transaction, const Programme& programme,
                      BankEntry entry, Allocation allocation);

// Gives up what is open of an obligation, and posts the loss. Errors: NAME_NOT_FOUND, there is no
// such obligation; WRONG_STATE, it cannot be written off, or another amount is open by now.
absl::Status WriteOffObligation(postgres::Transaction& transaction, const Programme& programme,
                                const StoredWriteOff& write_off);

}  // namespace guilder::settlement
