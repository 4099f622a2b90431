// Why a call was refused: one list for the whole product, from the deciders to the wire.
//
// `guilder.type.v1.ErrorReason` has the same names; a test holds the two together. A reason has one
// status code, and says what a caller can do about it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

// X(enumerator, NAME_ON_THE_WIRE, status code, what was wrong and what to do)
#define GUILDER_REASONS(X)                                                                         \
  /* Who calls. */                                                                                 \
  X(kCredentialsMissing, CREDENTIALS_MISSING, kUnauthenticated,                                    \
    "send the metadata 'authorization: Bearer KEY'")                                               \
  X(kCredentialsInvalid, CREDENTIALS_INVALID, kUnauthenticated,                                    \
    "the key is unknown, expired or revoked")                                                      \
  X(kPermissionDenied, PERMISSION_DENIED, kPermissionDenied,                                       \
    "this kind of caller may not do this; ask an operator for the role or scope")                  \
  X(kNotYours, NOT_YOURS, kPermissionDenied, "a partner acts only for itself")                     \
  X(kSamePerson, SAME_PERSON, kPermissionDenied,                                                   \
    "nobody approves what they submitted, reviewed or proposed; a second person must")             \
  /* The form of the request. */                                                                   \
  X(kRequestMalformed, REQUEST_MALFORMED, kInvalidArgument, "a field is missing or malformed")     \
  X(kRequestIdMalformed, REQUEST_ID_MALFORMED, kInvalidArgument,                                   \
    "request_id must be a UUID, made and kept by the caller before its first attempt")             \
  X(kAmountOutOfRange, AMOUNT_OUT_OF_RANGE, kInvalidArgument,                                      \
    "an amount, quantity or number of points is zero, negative or too large")                      \
  X(kCurrencyNotSupported, CURRENCY_NOT_SUPPORTED, kInvalidArgument,                               \
    "the amount must be in the programme's currency")                                              \
  X(kCardMissing, CARD_MISSING, kInvalidArgument,                                                  \
    "the purchase names no card, so there is nobody to give points to")                            \
  X(kCardNumberMistyped, CARD_NUMBER_MISTYPED, kInvalidArgument,                                   \
    "the number's check digit is wrong: it was mistyped or misread")                               \
  X(kOccurredAtInFuture, OCCURRED_AT_IN_FUTURE, kInvalidArgument,                                  \
    "the occurrence time is later than the programme's clock allows; check the till's clock")      \
  X(kOccurredTooLongAgo, OCCURRED_TOO_LONG_AGO, kInvalidArgument,                                  \
    "the occurrence time is before what may still be posted; post an adjustment instead")          \
  X(kPageTokenInvalid, PAGE_TOKEN_INVALID, kInvalidArgument,                                       \
    "the page token is not one that this list gave")                                               \
  X(kIbanInvalid, IBAN_INVALID, kInvalidArgument,                                                  \
    "the IBAN's structure or check digits are wrong")                                              \
  /* Repeats. */                                                                                   \
  X(kRequestIdReused, REQUEST_ID_REUSED, kAlreadyExists,                                           \
    "this request_id was used for other content; a new request needs a new id")                    \
  X(kReceiptConflict, RECEIPT_CONFLICT, kAlreadyExists,                                            \
    "another purchase has this receipt's number; this one is parked for an operator")              \
  X(kAlreadyExists, ALREADY_EXISTS, kAlreadyExists, "something of that name exists")               \
  /* What the request names. */                                                                    \
  X(kPartnerNotFound, PARTNER_NOT_FOUND, kNotFound, "no such partner")                             \
  X(kStoreNotFound, STORE_NOT_FOUND, kNotFound, "the partner has no such store")                   \
  X(kTerminalNotFound, TERMINAL_NOT_FOUND, kNotFound, "the store has no such terminal")            \
  X(kContractNotFound, CONTRACT_NOT_FOUND, kNotFound, "no such contract")                          \
  X(kCredentialNotFound, CREDENTIAL_NOT_FOUND, kNotFound, "no such credential")                    \
  X(kRuleSetNotFound, RULE_SET_NOT_FOUND, kNotFound, "no such rule set")                           \
  X(kCardNotFound, CARD_NOT_FOUND, kNotFound, "the card was never issued")                         \
  X(kMemberNotFound, MEMBER_NOT_FOUND, kNotFound, "no such member")                                \
  X(kPurchaseNotFound, PURCHASE_NOT_FOUND, kNotFound, "no such purchase")                          \
  X(kRedemptionNotFound, REDEMPTION_NOT_FOUND, kNotFound, "no such redemption")                    \
  X(kParkedItemNotFound, PARKED_ITEM_NOT_FOUND, kNotFound, "no such parked item")                  \
  X(kWindowNotFound, WINDOW_NOT_FOUND, kNotFound, "no such window")                                \
  X(kSettlementNotFound, SETTLEMENT_NOT_FOUND, kNotFound, "no such settlement")                    \
  X(kInvoiceNotFound, INVOICE_NOT_FOUND, kNotFound, "no such invoice")                             \
  X(kOperatorNotFound, OPERATOR_NOT_FOUND, kNotFound, "no such operator")                          \
  X(kNameNotFound, NAME_NOT_FOUND, kNotFound, "nothing has that name")                             \
  /* The state of what it names. */                                                                \
  X(kWrongState, WRONG_STATE, kFailedPrecondition, "its state does not allow this step")           \
  X(kPartnerNotActive, PARTNER_NOT_ACTIVE, kFailedPrecondition,                                    \
    "the partner is not active; it neither issues nor redeems points")                             \
  X(kNoContract, NO_CONTRACT, kFailedPrecondition,                                                 \
    "no approved contract of that kind covers the occurrence time")                                \
  X(kContractOverlap, CONTRACT_OVERLAP, kFailedPrecondition,                                       \
    "the dates overlap those of an approved contract of the same kind")                            \
  X(kContractGap, CONTRACT_GAP, kFailedPrecondition,                                               \
    "the dates leave a gap after the last approved contract of the same kind")                     \
  X(kEffectiveInPast, EFFECTIVE_IN_PAST, kFailedPrecondition,                                      \
    "nothing takes effect before its approval; choose a later date or post an adjustment")         \
  X(kCardBlocked, CARD_BLOCKED, kFailedPrecondition, "the card is blocked or replaced")            \
  X(kAccountClosed, ACCOUNT_CLOSED, kFailedPrecondition, "the member's account is closed")         \
  X(kInsufficientPoints, INSUFFICIENT_POINTS, kFailedPrecondition,                                 \
    "fewer points are available than asked for")                                                   \
  X(kAccountInDebt, ACCOUNT_IN_DEBT, kFailedPrecondition,                                          \
    "the member owes points from returns; new earnings repay them first")                          \
  X(kReturnExceedsSale, RETURN_EXCEEDS_SALE, kFailedPrecondition,                                  \
    "more would be returned than was sold and not yet returned")                                   \
  X(kPurchaseLineNotFound, PURCHASE_LINE_NOT_FOUND, kFailedPrecondition,                           \
    "the purchase has no such line")                                                               \
  X(kAlreadyConfirmed, ALREADY_CONFIRMED, kFailedPrecondition,                                     \
    "the purchase's points are available already; post a return instead")                          \
  X(kRedemptionClosed, REDEMPTION_CLOSED, kFailedPrecondition,                                     \
    "the redemption was voided, expired or captured in full")                                      \
  X(kCaptureExceedsHold, CAPTURE_EXCEEDS_HOLD, kFailedPrecondition,                                \
    "more would be captured than is still held")                                                   \
  X(kRefundExceedsCapture, REFUND_EXCEEDS_CAPTURE, kFailedPrecondition,                            \
    "more would be refunded than was captured and not yet refunded")                               \
  X(kReturnParked, RETURN_PARKED, kFailedPrecondition,                                             \
    "no sale was found for the return; it is parked for an operator")                              \
  X(kWindowNotOver, WINDOW_NOT_OVER, kFailedPrecondition,                                          \
    "the window's end is still ahead of the programme's clock")                                    \
  X(kWindowNotSealed, WINDOW_NOT_SEALED, kFailedPrecondition,                                      \
    "every window of a settlement must be sealed first")                                           \
  X(kNothingToSettle, NOTHING_TO_SETTLE, kFailedPrecondition,                                      \
    "there is no sealed window that is not in a settlement already")                               \
  X(kClockNotMovable, CLOCK_NOT_MOVABLE, kFailedPrecondition,                                      \
    "only the clock of a sandbox or development programme moves, and only forward")                \
  X(kEtagMismatch, ETAG_MISMATCH, kAborted, "it changed meanwhile; read it again")                 \
  /* The state of the service. */                                                                  \
  X(kQueueFull, QUEUE_FULL, kResourceExhausted, "too many calls wait; repeat after the delay")     \
  X(kRequestTooLarge, REQUEST_TOO_LARGE, kResourceExhausted, "the request is larger than allowed") \
  X(kDeadlineExceeded, DEADLINE_EXCEEDED, kDeadlineExceeded,                                       \
    "the deadline passed before anything was written; repeat with the same request_id")            \
  X(kStoreUnavailable, STORE_UNAVAILABLE, kUnavailable,                                            \
    "the database did not answer; the outcome may be unknown: repeat with the same request_id")    \
  X(kDraining, DRAINING, kUnavailable, "the server is stopping; repeat with the same request_id")  \
  X(kInternal, INTERNAL, kInternal, "our mistake; give the incident id to an operator")            \
  /* Later ones. */                                                                                \
  X(kPointBlockExhausted, POINT_BLOCK_EXHAUSTED, kFailedPrecondition,                              \
    "the partner's prepaid blocks have fewer points left than this would give; buy another")       \
  X(kQuoteInvalid, QUOTE_INVALID, kInvalidArgument,                                                \
    "the token is no quote for this purchase; ask for a quote, or leave the token out")            \
  X(kQuoteUsed, QUOTE_USED, kAlreadyExists,                                                        \
    "another purchase was recorded with this quote; ask for another one")                          \
  X(kRateLimited, RATE_LIMITED, kResourceExhausted,                                                \
    "more calls than this credential may make; repeat after the delay")                            \
  X(kTaxIdInvalid, TAX_ID_INVALID, kInvalidArgument,                                               \
    "the tax id's form or check digits are wrong for its country")                                 \
  X(kSanctionsHit, SANCTIONS_HIT, kFailedPrecondition,                                             \
    "the sanctions screening did not clear the company")                                           \
  X(kNoticeTooShort, NOTICE_TOO_SHORT, kFailedPrecondition,                                        \
    "the contract's notice period leaves no time until that date")                                 \
  X(kExposureExceeded, EXPOSURE_EXCEEDED, kFailedPrecondition,                                     \
    "the partner has used what it may owe; a payment restores it")                                 \
  X(kApprovalNotFound, APPROVAL_NOT_FOUND, kNotFound, "no such approval")                          \
  X(kApprovalExpired, APPROVAL_EXPIRED, kFailedPrecondition,                                       \
    "nobody approved it in time; propose it again")                                                \
  X(kChangeDiffers, CHANGE_DIFFERS, kAborted,                                                      \
    "it is not what was proposed for approval; propose it again")                                  \
  X(kRewardNotFound, REWARD_NOT_FOUND, kNotFound, "no such reward")                                \
  X(kOrderNotFound, ORDER_NOT_FOUND, kNotFound, "no such order")                                   \
  X(kVoucherNotFound, VOUCHER_NOT_FOUND, kNotFound, "no such voucher")                             \
  X(kVoucherCodeMistyped, VOUCHER_CODE_MISTYPED, kInvalidArgument,                                 \
    "the voucher code's check characters are wrong: it was mistyped or misread")                   \
  X(kRewardNotAvailable, REWARD_NOT_AVAILABLE, kFailedPrecondition,                                \
    "the reward is withdrawn, outside of its dates or regions, or ordered in another way")         \
  X(kPriceChanged, PRICE_CHANGED, kFailedPrecondition,                                             \
    "the price that was shown is not honoured any more; show the price in force")                  \
  X(kMemberLimitReached, MEMBER_LIMIT_REACHED, kFailedPrecondition,                                \
    "the member has as many as one member may have")                                               \
  X(kOutOfStock, OUT_OF_STOCK, kFailedPrecondition, "fewer are left than asked for")               \
  X(kVoucherNotAccepted, VOUCHER_NOT_ACCEPTED, kFailedPrecondition,                                \
    "the voucher is not good at this partner")                                                     \
  X(kVoucherClosed, VOUCHER_CLOSED, kFailedPrecondition,                                           \
    "the voucher is used up, was refunded, or has expired")                                        \
  X(kVoucherExceeded, VOUCHER_EXCEEDED, kFailedPrecondition,                                       \
    "more than is left of the voucher, or than its use took")                                      \
  X(kLimitExceeded, LIMIT_EXCEEDED, kFailedPrecondition,                                           \
    "the programme's policy allows less; the details say what its limit is")                       \
  X(kRedemptionNotPayable, REDEMPTION_NOT_PAYABLE, kFailedPrecondition,                            \
    "the partner's contract takes no such number of points for this basket; see the details")      \
  X(kOrderHasRedemption, ORDER_HAS_REDEMPTION, kAlreadyExists,                                     \
    "points were taken for this order already; go on with the redemption in the details")          \
  X(kRedemptionInReview, REDEMPTION_IN_REVIEW, kFailedPrecondition,                                \
    "the redemption is being reviewed; it can be captured when somebody released it")              \
  X(kReviewNotFound, REVIEW_NOT_FOUND, kNotFound, "no such review")                                \
  X(kPinRequired, PIN_REQUIRED, kFailedPrecondition,                                               \
    "so many points need the member's PIN or a one-time code")                                     \
  X(kPinWrong, PIN_WRONG, kFailedPrecondition, "the PIN or one-time code is wrong or has expired") \
  X(kSpendingLocked, SPENDING_LOCKED, kFailedPrecondition,                                         \
    "too many wrong PINs: the member earns, and spends again when support unlocks it")             \
  X(kErasurePostponed, ERASURE_POSTPONED, kFailedPrecondition,                                     \
    "a retention lock, an open dispute or a payment under way comes before the erasure")           \
  X(kMemberErased, MEMBER_ERASED, kFailedPrecondition,                                             \
    "the person was erased; nothing is known of them any more")                                    \
  X(kApprovalRequired, APPROVAL_REQUIRED, kFailedPrecondition,                                     \
    "a second person approves this very request first")

namespace guilder {

enum class Reason {
#define GUILDER_REASON_ENUMERATOR_(enumerator, name, code, advice) enumerator,
  GUILDER_REASONS(GUILDER_REASON_ENUMERATOR_)
#undef GUILDER_REASON_ENUMERATOR_
};

// "CARD_NOT_FOUND".
std::string_view ReasonName(Reason reason);
absl::StatusCode ReasonCode(Reason reason);
// One clause: what was wrong and what to do.
std::string_view ReasonAdvice(Reason reason);
std::optional<Reason> ReasonFromName(std::string_view name);

// Facts about one refusal, as in {"available_points", "40"}. Never personal data.
using ReasonDetails = std::map<std::string, std::string>;

// The status of a refusal. Its message is `what`, when given, and the reason's advice.
absl::Status Refuse(Reason reason, std::string_view what = {}, ReasonDetails details = {});

// The status with its code and message, and with a reason: for what came over the wire.
absl::Status WithReason(absl::Status status, Reason reason, const ReasonDetails& details);

// What Refuse put into a status; nothing for a status that it did not make.
std::optional<Reason> ReasonOf(const absl::Status& status);
ReasonDetails DetailsOf(const absl::Status& status);

}  // namespace guilder
