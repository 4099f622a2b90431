// Returns and confirmations: what happens to the points of a purchase afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/posting.h"
#include "services/accrual/domain/purchase.h"

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

// The lot of a sale's points.
LotId LotOf(const Sale& sale);

struct ReturnLine {
  std::string line_id;
  int64_t quantity = 0;
};

struct Return {
  std::string store;
  std::string return_number;
  Timestamp occurred_at;
  std::vector<ReturnLine> lines;
};

// Refuses: kRequestMalformed, kAmountOutOfRange.
absl::Status CheckReturn(const Return& returned);

// The canonical form of a return of a sale: what its record keeps, and its fingerprint digests.
std::string EncodeReturn(const Return& returned, BookId book, RecordNumber sale);
// INTERNAL when the bytes are not what EncodeReturn wrote.
absl::StatusOr<Return> DecodeReturn(std::string_view content);

struct ReturnOutcome {
  Points points;
  std::vector<Points> line_points;  // parallel to the return's lines
  Points owed;
};

// Takes back what the returned lines earned, given what came back before, parallel to the sale's
// lines.
//
// Refuses, first match wins: kPurchaseLineNotFound, kReturnExceedsSale.
absl::StatusOr<ReturnOutcome> DecideReturn(const Sale& sale, const Return& returned,
                                           std::vector<int64_t> returned_before,
                                           ledger::Posting& posting);

// Makes a sale's points available, or cancels them. Gives the points.
//
// Refuses: kAlreadyConfirmed.
absl::StatusOr<Points> DecideConfirmation(const Sale& sale, bool confirmed,
                                          ledger::Posting& posting);

// Adds what a return took to the quantities returned of a sale's lines.
void AddReturned(const Sale& sale, const Return& returned, std::vector<int64_t>& quantities);

}  // namespace guilder::accrual
