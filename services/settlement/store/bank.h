// Reads and writes what banks told, and what of it waits for somebody.
//
// Each function runs in the caller's transaction; whoever writes takes LockForWriting
// (settlements.h) first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/bank_file.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

using BankFileId = StrongId<struct BankFileTag, int64_t>;
using BankEntryId = StrongId<struct BankEntryTag, int64_t>;

struct StoredBankFile {
  BankFileId id;
  BankFileKind kind = BankFileKind::kStatement;
  std::string message_id;
  // Of a status report: the message id of the payment file that it is about.
  std::string original_message_id;
  Digest digest{};
  Uuid request_id{};
  std::string imported_by;
  Timestamp imported_at;
};

// By its bytes, or by the request that imported it.
std::optional<StoredBankFile> FindBankFile(postgres::Transaction& transaction,
                                           const Digest& digest);
std::optional<StoredBankFile> FindBankFile(postgres::Transaction& transaction,
                                           const Uuid& request_id);

// Stores a file and its payments, not matched yet. One that was in an earlier file, or earlier in
// this one, is a duplicate. Gives the file's id.
BankFileId InsertBankFile(postgres::Transaction& transaction, const StoredBankFile& file,
                          const std::vector<BankPayment>& payments);

struct BankEntry {
  BankEntryId id;
  BankFileId file;
  BankPayment payment;
  // None where it names none.
  std::optional<ObligationKey> obligation;
  MinorUnits applied;
  MinorUnits suspense;
};

// Those of a file that are not matched yet, in its order.
std::vector<BankEntry> ReadPending(postgres::Transaction& transaction, BankFileId file, int limit);
// Stores outcome, obligation, and amounts.
void UpdateBankEntry(postgres::Transaction& transaction, const BankEntry& entry);
// Locks it for the caller's change. NAME_NOT_FOUND.
absl::StatusOr<BankEntry> LockBankEntry(postgres::Transaction& transaction, BankEntryId id);

struct BankEntryFilter {
  std::optional<BankFileId> file;
  bool in_suspense = false;
};
// By id, those after it.
std::vector<BankEntry> ListBankEntries(postgres::Transaction& transaction,
                                       const BankEntryFilter& filter, BankEntryId after, int limit);
std::map<BankOutcome, int64_t> CountOutcomes(postgres::Transaction& transaction, BankFileId file);

// What is in suspense of payments that named an obligation, of those that came in or of those that
// went out.
MinorUnits SuspenseOf(postgres::Transaction& transaction, const ObligationKey& obligation,
                      bool credit);

// The obligations that those invoices belong to.
std::vector<ObligationKey> FindInvoiced(postgres::Transaction& transaction,
                                        const std::vector<std::string>& numbers);

// The payment file of that message id, if it was written here.
std::optional<std::string> FindPaymentFileOf(postgres::Transaction& transaction,
                                             const std::string& message_id);

struct Allocation {
  Uuid request_id{};
  BankEntryId entry;
  // One of the two: what it is for, or a payment that went the other way.
  std::optional<ObligationKey> obligation;
  std::optional<BankEntryId> against;
  MinorUnits amount;
  std::string allocated_by;
  Timestamp allocated_at;
};
std::optional<Allocation> FindAllocation(postgres::Transaction& transaction,
                                         const Uuid& request_id);
void InsertAllocation(postgres::Transaction& transaction, const Allocation& allocation);
// Takes so much out of the suspense of payments that named an obligation and went the other way
// than `against`, the earliest first, as allocations to it. There must be so much.
void TakeOutOfSuspense(postgres::Transaction& transaction, const ObligationKey& obligation,
                       const BankEntry& against, MinorUnits amount, const std::string& by,
                       Timestamp at);

struct StoredWriteOff {
  ObligationKey obligation;
  MinorUnits amount;
  std::string note;
  std::string proposed_by;
  Timestamp proposed_at;
  std::string approved_by;  // Empty before.
  std::optional<Timestamp> approved_at;
};
std::optional<StoredWriteOff> FindWriteOff(postgres::Transaction& transaction,
                                           const ObligationKey& obligation);
// In the place of one that was proposed for the same obligation before.
void StoreWriteOff(postgres::Transaction& transaction, const StoredWriteOff& write_off);
// Takes away one that is not approved.
void DeleteWriteOff(postgres::Transaction& transaction, const ObligationKey& obligation);

struct AgeingRow {
  PartnerId partner;
  std::string partner_slug;
  Currency currency{};
  MinorUnits not_due;
  MinorUnits to_30;
  MinorUnits to_60;
  MinorUnits to_90;
  MinorUnits over_90;
  Timestamp oldest_due;
  MinorUnits disputed;  // Under none of the days.
};
// What partners owe and have not paid, by partner.
std::vector<AgeingRow> ReadAgeing(postgres::Transaction& transaction, Timestamp now);

}  // namespace guilder::settlement
