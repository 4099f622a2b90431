#include "services/redemption/domain/voucher.h"

#include <algorithm>

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/record.h"

namespace guilder::redemption {
namespace {

using ledger::RecordKind;

constexpr uint64_t kFormat = 1;

Encoder Begin(RecordKind kind) {
  Encoder encoder;
  encoder.Unsigned(kFormat).Unsigned(static_cast<uint64_t>(kind));
  return encoder;
}

// floor(points × part ÷ whole).
Points Share(Points points, MinorUnits part, MinorUnits whole) {
  const __int128 product = static_cast<__int128>(points.value()) * part.value();
  return Points(static_cast<int64_t>(product / whole.value()));
}

absl::Status Exceeded(MinorUnits remaining) {
  return Refuse(Reason::kVoucherExceeded, {},
                {{"remaining_minor_units", std::to_string(remaining.value())}});
}

}  // namespace

VoucherState StateAt(const Voucher& voucher, Timestamp now) {
  if (voucher.refunded) return VoucherState::kRefunded;
  if (voucher.used == voucher.face) return VoucherState::kUsed;
  return voucher.expires_at <= now ? VoucherState::kExpired : VoucherState::kIssued;
}

MinorUnits RemainingAt(const Voucher& voucher, Timestamp now) {
  if (StateAt(voucher, now) != VoucherState::kIssued) return MinorUnits(0);
  return voucher.face - voucher.used;
}

std::string Encode(const VoucherRequest& asked) {
  Encoder encoder = Begin(RecordKind::kVoucher);
  encoder.Id(asked.reward).Id(asked.account).Signed(asked.price_version).Bytes(asked.region);
  return encoder.Take();
}

std::string Encode(const UseRequest& asked) {
  Encoder encoder = Begin(RecordKind::kVoucherUse);
  encoder.Id(asked.book)
      .Id(asked.voucher)
      .Bytes(asked.store_code)
      .Quantity(asked.amount)
      .Bytes(asked.reference);
  return encoder.Take();
}

std::string EncodeRefund(const Voucher& voucher) {
  Encoder encoder = Begin(RecordKind::kVoucherRefund);
  encoder.Id(voucher.book).Id(voucher.number);
  return encoder.Take();
}

std::string EncodeRefund(const VoucherUse& use, MinorUnits amount) {
  Encoder encoder = Begin(RecordKind::kVoucherUseRefund);
  encoder.Id(use.book).Id(use.number).Quantity(amount);
  return encoder.Take();
}

absl::StatusOr<Voucher> DecideVoucher(const VoucherRequest& asked, const Reward& reward,
                                      const Holdings& holdings,
                                      const ledger::DecisionContext& context,
                                      ledger::Posting& posting) {
  if (!context.account_found) return Refuse(Reason::kMemberNotFound);
  const Timestamp now = posting.now();
  GUILDER_RETURN_IF_ERROR(CheckAvailable(reward, RewardKind::kVoucher, asked.region, now));
  GUILDER_ASSIGN_OR_RETURN(const Price price, PriceFor(reward, asked.price_version, now));
  GUILDER_RETURN_IF_ERROR(CheckLimits(reward, holdings, 1, context));

  Voucher voucher;
  // Of the account that the points are of: the one that was asked for may have been merged.
  voucher.account = posting.account().id;
  voucher.book = ledger::BookOf(voucher.account);
  voucher.number = posting.number();
  voucher.reward = reward.id;
  voucher.price_version = price.version;
  voucher.points = price.points;
  voucher.face = reward.voucher.face;
  voucher.single_use = reward.voucher.single_use;
  voucher.issued_at = now;
  voucher.expires_at = context.configuration.EndOfDayAfter(now, reward.voucher.validity_days);
  voucher.partners = reward.voucher.partners;

  // Who takes it, and under which contract, is known when it is used.
  ledger::HoldTerms terms;
  terms.points = voucher.points;
  terms.expires_at = voucher.expires_at;
  terms.gift = true;
  terms.order = context.configuration.programme().redemption.order;
  GUILDER_RETURN_IF_ERROR(ledger::DecideHold(posting, terms));
  return voucher;
}

absl::StatusOr<Used> DecideUse(const UseRequest& asked, const Voucher& voucher,
                               PartnerId partner_id, const ledger::DecisionContext& context,
                               ledger::Posting& posting) {
  const Timestamp now = posting.now();
  const ledger::Partner* const partner = context.configuration.FindPartner(partner_id);
  if (partner == nullptr || partner->slug != asked.partner_slug) return Refuse(Reason::kNotYours);
  const auto store = partner->stores.find(asked.store_code);
  if (store == partner->stores.end() || !store->second.open) return Refuse(Reason::kStoreNotFound);
  const auto& partners = voucher.partners;
  if (std::find(partners.begin(), partners.end(), partner_id) == partners.end()) {
    return Refuse(Reason::kVoucherNotAccepted);
  }
  if (!partner->MayRedeem(now)) return Refuse(Reason::kPartnerNotActive);
  const ledger::Contract* const contract =
      partner->ContractAt(ledger::ContractKind::kRedemption, now);
  if (contract == nullptr) return Refuse(Reason::kNoContract);
  if (StateAt(voucher, now) != VoucherState::kIssued) return Refuse(Reason::kVoucherClosed);
  const MinorUnits remaining = RemainingAt(voucher, now);
  if (asked.amount > remaining) return Exceeded(remaining);

  Used used;
  used.used = voucher.single_use ? voucher.face : voucher.used + asked.amount;
  used.remaining = voucher.face - used.used;
  used.use = {.book = voucher.book,
              .number = posting.number(),
              .voucher = voucher.number,
              .account = voucher.account,
              .partner = partner_id,
              .contract = contract->id,
              .amount = asked.amount,
              .points = Share(voucher.points, used.used, voucher.face) - voucher.used_points,
              .refunded = {},
              .refunded_points = {}};
  GUILDER_RETURN_IF_ERROR(
      ledger::DecideCaptureFor(posting, voucher.number, used.use.points, partner_id, contract->id));
  used.value = PriceUnder(context.configuration, partner_id, contract->id, used.use.points);
  return used;
}

absl::StatusOr<Refunded> DecideRefund(const Voucher& voucher, ledger::Posting& posting) {
  const MinorUnits remaining = RemainingAt(voucher, posting.now());
  if (remaining == MinorUnits(0)) return Refuse(Reason::kVoucherClosed);
  GUILDER_ASSIGN_OR_RETURN(const Points released,
                           ledger::DecideRelease(posting, PartnerId(), voucher.number));
  return Refunded{released, remaining};
}

absl::StatusOr<Refunded> DecideRefund(const VoucherUse& use, MinorUnits amount,
                                      const ledger::DecisionContext& context,
                                      ledger::Posting& posting) {
  const MinorUnits left = use.amount - use.refunded;
  if (left == MinorUnits(0)) return Refuse(Reason::kVoucherClosed);
  if (amount > left) return Exceeded(left);
  const MinorUnits back = amount == MinorUnits(0) ? left : amount;
  const Points points = Share(use.points, use.refunded + back, use.amount) - use.refunded_points;
  if (points > Points(0)) {
    GUILDER_RETURN_IF_ERROR(
        ledger::DecideRefundFrom(posting, use.voucher, points, use.partner, use.contract,
                                 context.configuration.GraceUntil(posting.now())));
  }
  return Refunded{points, back};
}

}  // namespace guilder::redemption
