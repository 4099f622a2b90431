// Returns and confirmations: what happens to the points of a purchase afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/posting.h"
#include "services/accrual/domain/purchase.h"
#include "services/accrual/domain/taken_back.h"

namespace guilder::accrual {

// A recorded purchase, where it stands.
struct Sale {
  BookId book;
  RecordNumber number;
  Timestamp posted_at;
  Digest leaf{};
  PartnerId partner;
  AccountId account;
  RecordedPurchase recorded;
};

// The lot of a sale's points, or of one of its parts.
LotId LotOf(const Sale& sale, size_t part = 0);

// The first lot that a return of a sale may need. Where points are restored, any: the lots that
// paid may be closed since, and so may those that took over from them.
LotId FirstLotOfReturn(const Sale& sale);

struct ReturnLine {
  // Empty: the sale's lines of the sku, in their order.
  std::string line_id;
  int64_t quantity = 0;
  std::string sku{};
};

struct Return {
  std::string store;
  std::string return_number;
  Timestamp occurred_at;
  std::vector<ReturnLine> lines;
};

// Refuses: kRequestMalformed, kAmountOutOfRange.
absl::Status CheckReturn(const Return& returned);

// The canonical form of a return of a sale: what its fingerprint digests. A line without an id
// stands as the character US and its sku.
std::string EncodeReturn(const Return& returned, BookId book, RecordNumber sale);

struct ReturnOutcome {
  Points points;                    // taken back
  std::vector<Points> line_points;  // parallel to the return's lines
  Points pending;                   // of these, were pending
  Points owed;                      // of these, are owed
  // Of these, had been spent and are not owed: paid for by a deduction from the money, or written
  // off; and by whom.
  Points deducted;
  MinorUnits deduction;
  Points written_off;
  PartnerId payer;
  Points restored;
  MinorUnits amount;
  std::vector<MinorUnits> refunds;  // parallel to the sale's tenders
  // What returns give back to caps: negative points.
  std::vector<CounterUse> counted;
  // Its lines, each with the id of a line of the sale.
  std::vector<ReturnLine> lines;
};

// What the record of a return keeps: the canonical form with the lines that were found, and what
// came of it.
std::string EncodeRecordedReturn(const Return& returned, const ReturnOutcome& outcome, BookId book,
                                 RecordNumber sale);
// The return that a record keeps. INTERNAL when the bytes are not what EncodeRecordedReturn wrote.
absl::StatusOr<Return> DecodeReturn(std::string_view content);

// What a return is decided over besides its account.
struct ReturnTerms {
  const SaleTerms& sale;
  // All returns so far.
  const TakenBack& before;
  const ledger::Configuration& configuration;
  // Whether a limit of whoever gives what is written off or deducted is used up.
  bool payer_exhausted = false;
};

// Whether what a member has spent of a return's points may have to be issued anew by the seller:
// where it pays for that, and others pay for some of the sale.
bool MayBeGivenBySeller(const Sale& sale, const rules::Policies& policies);

// The sale as its rules see it. The sale and the rules outlive it.
SaleTerms TermsOfSale(const Sale& sale, const ledger::Configuration& configuration,
                      const RuleBook& rules);

// What returns of a sale, in the order of their records, have taken back.
TakenBack FoldReturns(const Sale& sale, const SaleTerms& terms, const std::vector<Return>& returns);

// Takes back what the returned lines earned, and restores their share of the points that the sale
// was paid with.
//
// Refuses, first match wins: kPurchaseLineNotFound, kReturnExceedsSale.
absl::StatusOr<ReturnOutcome> DecideReturn(const Sale& sale, const Return& returned,
                                           const ReturnTerms& terms, ledger::Posting& posting);

// Makes a sale's points available, or cancels them: then also those of lots that are available
// already, because their issuers' contracts make them so earlier. Gives the points. `taken_back` is
// what all returns so far have; it is read only where a sale with parts is cancelled.
//
// Refuses: kAlreadyConfirmed.
absl::StatusOr<Points> DecideConfirmation(const Sale& sale, bool confirmed,
                                          const TakenBack& taken_back, ledger::Posting& posting);

}  // namespace guilder::accrual
