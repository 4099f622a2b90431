// Vouchers: bought for points, which are held until the voucher is used, refunded, or expires.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"
#include "services/redemption/domain/redemption.h"
#include "services/redemption/domain/reward.h"

namespace guilder::redemption {

// What each request asks, but for its request id. Checked for its form, with defaults filled in.
struct VoucherRequest {
  RewardId reward;
  AccountId account;
  int32_t price_version = 0;
  std::string region;
};

// Amounts are in the programme's currency.
struct Voucher {
  BookId book;
  RecordNumber number;
  AccountId account;
  RewardId reward;
  int32_t price_version = 0;
  Points points;
  MinorUnits face;
  MinorUnits used;
  // Of the points, those that uses took, refunds not subtracted.
  Points used_points;
  bool single_use = false;
  bool refunded = false;
  Timestamp issued_at;
  Timestamp expires_at;
  std::vector<PartnerId> partners;
};

enum class VoucherState { kIssued, kUsed, kRefunded, kExpired };
VoucherState StateAt(const Voucher& voucher, Timestamp now);
// Face less used; nothing once it is over.
MinorUnits RemainingAt(const Voucher& voucher, Timestamp now);

struct UseRequest {
  BookId book;
  RecordNumber voucher;
  std::string partner_slug;
  std::string store_code;
  MinorUnits amount;
  std::string reference;
};

// What one use took. Named by its record.
struct VoucherUse {
  BookId book;
  RecordNumber number;
  RecordNumber voucher;
  AccountId account;
  PartnerId partner;
  ContractId contract;
  MinorUnits amount;
  Points points;
  MinorUnits refunded;
  Points refunded_points;
};

std::string Encode(const VoucherRequest& asked);
std::string Encode(const UseRequest& asked);
// A refund of what is left, or of a use: zero for all of it that was not refunded yet.
std::string EncodeRefund(const Voucher& voucher);
std::string EncodeRefund(const VoucherUse& use, MinorUnits amount);

// Holds the points of a voucher until it expires.
//
// Refuses as DecideOrder does, but for what concerns a supplier.
absl::StatusOr<Voucher> DecideVoucher(const VoucherRequest& asked, const Reward& reward,
                                      const Holdings& holdings,
                                      const ledger::DecisionContext& context,
                                      ledger::Posting& posting);

struct Used {
  VoucherUse use;
  // The voucher's, with this use.
  MinorUnits used;
  MinorUnits remaining;
  Worth value;
};

// Takes the share of the voucher's points that an amount has of its face value: all uses together
// take floor(points × used ÷ face), so that however it is split, the whole voucher takes all of
// its points. Of a single-use voucher the first use takes all.
//
// Refuses: kNotYours, kStoreNotFound, kVoucherNotAccepted, kPartnerNotActive, kNoContract,
// kVoucherClosed, kVoucherExceeded.
absl::StatusOr<Used> DecideUse(const UseRequest& asked, const Voucher& voucher, PartnerId partner,
                               const ledger::DecisionContext& context, ledger::Posting& posting);

struct Refunded {
  Points points;
  MinorUnits amount;
};

// Gives back the points of what is left, and ends the voucher.
//
// Refuses: kVoucherClosed.
absl::StatusOr<Refunded> DecideRefund(const Voucher& voucher, ledger::Posting& posting);

// Gives back the share of a use's points that the amount has of it; the voucher does not become
// worth more. Zero for all that was not refunded yet.
//
// Refuses: kVoucherClosed, all of it was refunded; kVoucherExceeded.
absl::StatusOr<Refunded> DecideRefund(const VoucherUse& use, MinorUnits amount,
                                      const ledger::DecisionContext& context,
                                      ledger::Posting& posting);

}  // namespace guilder::redemption
