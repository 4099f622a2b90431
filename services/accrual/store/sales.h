// Reads purchases and their returns from the journal. Each function runs in the caller's
// transaction.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/accrual/domain/return.h"
#include "services/accrual/domain/visits.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

// Error: kPurchaseNotFound.
absl::StatusOr<Sale> FindSale(postgres::Transaction& tx, BookId book, RecordNumber number);

// The sale that has a partner's receipt. Error: kPurchaseNotFound.
absl::StatusOr<Sale> FindSaleByReceipt(postgres::Transaction& tx, PartnerId partner,
                                       const ReceiptKey& receipt);

// The claim by which a return of a sale posts once: its store, number and day in `zone`. None
// without a number.
std::optional<Uuid> ReturnClaim(PartnerId partner, const Sale& sale, const Return& returned,
                                absl::TimeZone zone);

// Where a list of a partner's purchases goes on: after this one.
struct SalePosition {
  Timestamp posted_at;
  BookId book;
  RecordNumber number;
};

// A partner's purchases in the order in which they were posted.
absl::StatusOr<std::vector<Sale>> ListSales(postgres::Transaction& tx, PartnerId partner,
                                            const SalePosition& after, int limit);

// The returns of sales so far, by book and number of the sale.
using SaleId = std::pair<BookId, RecordNumber>;
absl::StatusOr<std::map<SaleId, std::vector<Return>>> ReadReturns(postgres::Transaction& tx,
                                                                  const std::vector<SaleId>& sales);

// The return with this fingerprint that has one of the claims, if any.
std::optional<SaleId> FindReturnByClaims(postgres::Transaction& tx, const std::vector<Uuid>& claims,
                                         const Digest& fingerprint);

// The latest purchases of each of these members, a thousand at most, of the last eight days of
// posting: what a till that was offline sends late is among them.
std::map<AccountId, std::vector<Visit>> ReadVisits(postgres::Transaction& tx,
                                                   const std::set<AccountId>& accounts);

}  // namespace guilder::accrual
