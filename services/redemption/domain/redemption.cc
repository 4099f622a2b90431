#include "services/redemption/domain/redemption.h"

#include <algorithm>

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/record.h"

namespace guilder::redemption {
namespace {

constexpr uint64_t kFormat = 1;
constexpr uint64_t kFormatWithBasket = 2;
constexpr uint64_t kFormatLate = 3;

// The kind stands in each, so that no request id serves two kinds of requests.
Encoder Begin(ledger::RecordKind kind, uint64_t format = kFormat) {
  Encoder encoder;
  encoder.Unsigned(format).Unsigned(static_cast<uint64_t>(kind));
  return encoder;
}

Encoder Begin(ledger::RecordKind kind, const RedemptionId& redemption) {
  Encoder encoder = Begin(kind);
  encoder.Id(redemption.book).Id(redemption.number);
  return encoder;
}

// What the first authorizations could not say.
bool SaysMore(const Authorization& authorization) {
  return !authorization.basket.empty() || authorization.capture || !authorization.device.empty() ||
         authorization.occurred_at;
}

// What a late payment could have spent when it occurred, and has expired since, comes back: no more
// than it needs, as lots that end with the hold.
void ReviveFor(const Authorization& asked, PartnerId partner, const SpendingFacts& facts,
               ledger::Posting& posting) {
  const Points missing = asked.points - posting.SpendableOn({.partner = partner});
  if (missing <= Points(0) || posting.account().debt > Points(0)) return;
  std::map<LotId, Points> lapsed = facts.lapsed;
  // What this command itself let expire is in no table yet.
  for (const ledger::Entry& entry : posting.entries()) {
    if (entry.credit.bucket == ledger::Bucket::kExpired) lapsed[entry.debit.lot] += entry.points;
  }
  std::vector<std::pair<LotId, Points>> revived;
  Points found;
  for (const ledger::Lot& lot : posting.account().lots) {
    const auto lost = lapsed.find(lot.id);
    const bool lived = lot.state == ledger::LotState::kActive &&
                       lot.activates_at <= *asked.occurred_at &&
                       lot.ends_at() > *asked.occurred_at && lot.ends_at() <= posting.now();
    if (lost == lapsed.end() || !lived || !lot.MayPay({.partner = partner})) continue;
    const Points points = std::min({lost->second, lot.lapsed(), missing - found});
    if (points <= Points(0)) continue;
    revived.emplace_back(lot.id, points);
    found += points;
  }
  if (found < missing) return;
  for (const auto& [lot, points] : revived) posting.Reinstate(lot, points, posting.now());
}

// What of a partner an authorization and a quote need.
struct Agreement {
  const ledger::Partner* partner;
  const ledger::Store* store;
  const ledger::Contract* contract;
};

absl::StatusOr<Agreement> FindAgreement(const Authorization& asked, PartnerId partner_id,
                                        const ledger::DecisionContext& context, Timestamp now) {
  const ledger::Partner* const partner = context.configuration.FindPartner(partner_id);
  if (partner == nullptr || partner->slug != asked.partner_slug) {
    return Refuse(Reason::kNotYours);
  }
  const auto store = partner->stores.find(asked.store_code);
  if (store == partner->stores.end() || !store->second.open) return Refuse(Reason::kStoreNotFound);
  if (!context.card.found || !context.account_found) return Refuse(Reason::kCardNotFound);
  if (!partner->MayRedeem(now)) return Refuse(Reason::kPartnerNotActive);
  const ledger::Contract* const contract =
      partner->ContractAt(ledger::ContractKind::kRedemption, now);
  if (contract == nullptr) return Refuse(Reason::kNoContract);
  if (context.card.blocked) return Refuse(Reason::kCardBlocked);
  if (!asked.basket.empty() && asked.currency != contract->currency) {
    return Refuse(Reason::kCurrencyNotSupported, "it is not that of the redemption contract");
  }
  return Agreement{partner, &store->second, contract};
}

// Until when a hold for the order may live.
absl::StatusOr<Timestamp> CheckOrder(const std::optional<EarlierRedemption>& earlier,
                                     const ledger::Posting& posting) {
  if (!earlier) return kNever;
  ledger::HoldState state = earlier->state;
  for (const ledger::Hold& hold : posting.account().holds) {
    if (hold.number == earlier->number) state = hold.state;
  }
  const Timestamp last =
      earlier->first_held + Timestamp(kLongestTimeToLiveSeconds * kMicrosPerSecond);
  if (state == ledger::HoldState::kVoided && posting.now() < last) return last;
  return Refuse(
      Reason::kOrderHasRedemption, {},
      {{"redemption", ledger::RecordName(ledger::RecordKind::kAuthorization,
                                         ledger::BookOf(posting.account().id), earlier->number)}});
}

absl::Status CheckProof(const Authorization& asked, const ledger::RedemptionPolicy& policy,
                        const SpendingFacts& facts) {
  // A lock ends by a person's decision alone, not because PINs are asked for no more.
  if (facts.locked) return Refuse(Reason::kSpendingLocked);
  if (policy.step_up_points <= Points(0)) return absl::OkStatus();
  if (facts.proof == Proof::kWrong) {
    const int left = std::max(policy.max_failed_attempts - facts.failed_attempts - 1, 0);
    return Refuse(Reason::kPinWrong, {}, {{"attempts_left", std::to_string(left)}});
  }
  const bool needed = asked.points >= policy.step_up_points;
  if (needed && facts.proof == Proof::kNone) return Refuse(Reason::kPinRequired);
  return absl::OkStatus();
}

std::optional<ReviewReason> ReviewOf(const Authorization& asked,
                                     const ledger::RedemptionPolicy& policy,
                                     const SpendingFacts& facts, Points spendable) {
  if (policy.review_redemptions > 0 && facts.recent_redemptions + 1 >= policy.review_redemptions) {
    return ReviewReason::kCount;
  }
  const bool new_device = !asked.device.empty() && !facts.device_known;
  if (policy.review_new_device_per_mille == 0 || !new_device) return std::nullopt;
  const __int128 share =
      static_cast<__int128>(spendable.value()) * policy.review_new_device_per_mille;
  if (static_cast<__int128>(asked.points.value()) * 1'000 < share) return std::nullopt;
  return ReviewReason::kNewDevice;
}

}  // namespace

std::string_view ReviewReasonName(ReviewReason reason) {
  return reason == ReviewReason::kCount ? "COUNT" : "NEW_DEVICE";
}

std::string Encode(const Authorization& authorization) {
  const bool more = SaysMore(authorization);
  const uint64_t format = authorization.occurred_at ? kFormatLate : kFormatWithBasket;
  Encoder encoder = Begin(ledger::RecordKind::kAuthorization, more ? format : kFormat);
  encoder.Bytes(authorization.store_code)
      .Id(authorization.card)
      .Quantity(authorization.points)
      .Signed(authorization.time_to_live_seconds)
      .Bytes(authorization.reference);
  if (!more) return encoder.Take();
  encoder.Unsigned(authorization.capture ? 1 : 0)
      .Bytes(authorization.device)
      .Bytes(AsView(authorization.currency))
      .Unsigned(authorization.basket.size());
  for (const ledger::BasketLine& line : authorization.basket) {
    encoder.Bytes(line.sku).Bytes(line.category).Quantity(line.amount);
  }
  if (authorization.occurred_at) encoder.Quantity(*authorization.occurred_at);
  return encoder.Take();
}

std::string EncodeDecided(const Authorization& authorization,
                          const ledger::RedemptionPolicy& policy) {
  Encoder encoder;
  encoder.Raw(Encode(authorization))
      .Signed(policy.number)
      .Unsigned(static_cast<uint64_t>(policy.order));
  return encoder.Take();
}

std::string Encode(const ReviewDecision& decision) {
  Encoder encoder =
      Begin(decision.released ? ledger::RecordKind::kReviewRelease : ledger::RecordKind::kVoid,
            decision.redemption);
  encoder.Unsigned(decision.captures ? 1 : 0).Quantity(decision.occurred_at);
  return encoder.Take();
}

std::string Encode(const Capture& capture) {
  Encoder encoder = Begin(ledger::RecordKind::kCapture, capture.redemption);
  encoder.Quantity(capture.points).Unsigned(capture.final ? 1 : 0);
  return encoder.Take();
}

std::string Encode(const Void& voiding) {
  return Begin(ledger::RecordKind::kVoid, voiding.redemption).Take();
}

std::string Encode(const Refund& refund) {
  Encoder encoder = Begin(ledger::RecordKind::kRefund, refund.redemption);
  encoder.Quantity(refund.points);
  return encoder.Take();
}

absl::StatusOr<Authorized> Decide(const Authorization& authorization, PartnerId partner_id,
                                  const SpendingFacts& facts,
                                  const ledger::DecisionContext& context,
                                  ledger::Posting& posting) {
  const ledger::Configuration& configuration = context.configuration;
  const ledger::RedemptionPolicy& policy = configuration.programme().redemption;
  GUILDER_ASSIGN_OR_RETURN(const Agreement agreement,
                           FindAgreement(authorization, partner_id, context, posting.now()));
  const ledger::Contract& contract = *agreement.contract;
  GUILDER_ASSIGN_OR_RETURN(const Timestamp last, CheckOrder(facts.earlier, posting));
  GUILDER_RETURN_IF_ERROR(
      ledger::CheckPayable(configuration, contract, authorization.basket, authorization.points));
  GUILDER_RETURN_IF_ERROR(CheckProof(authorization, policy, facts));
  if (authorization.occurred_at && *authorization.occurred_at > posting.now()) {
    return Refuse(Reason::kRequestMalformed, "occurred_at", {{"field", "occurred_at"}});
  }
  if (authorization.occurred_at && facts.honours_late) {
    ReviveFor(authorization, partner_id, facts, posting);
  }

  Authorized authorized;
  authorized.review =
      ReviewOf(authorization, policy, facts, posting.SpendableOn({.partner = partner_id}));
  const int64_t life =
      authorized.review ? policy.review_seconds : authorization.time_to_live_seconds;
  ledger::HoldTerms terms;
  terms.partner = partner_id;
  terms.store = agreement.store->id;
  terms.contract = contract.id;
  terms.points = authorization.points;
  terms.expires_at = posting.now() + Timestamp(life * kMicrosPerSecond);
  if (!authorized.review) terms.expires_at = std::min(terms.expires_at, last);
  terms.order = policy.order;
  terms.reviewed = authorized.review.has_value();
  GUILDER_RETURN_IF_ERROR(ledger::DecideHold(posting, terms));
  authorized.state = authorized.review ? ledger::HoldState::kInReview : ledger::HoldState::kOpen;
  if (authorization.capture && !authorized.review) {
    GUILDER_RETURN_IF_ERROR(ledger::DecideCapture(posting, partner_id, posting.number(), Points(0),
                                                  /*final=*/true)
                                .status());
    authorized.state = ledger::HoldState::kCaptured;
  }
  authorized.value = {
      configuration.Price(authorization.points, contract.rate_micros, contract.currency),
      contract.currency};
  authorized.expires_at = terms.expires_at;
  return authorized;
}

absl::StatusOr<Points> Decide(const ReviewDecision& decision, PartnerId partner,
                              ledger::Posting& posting) {
  const RecordNumber number = decision.redemption.number;
  const ledger::Hold* hold = nullptr;
  for (const ledger::Hold& candidate : posting.account().holds) {
    if (candidate.number == number && candidate.partner == partner) hold = &candidate;
  }
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (hold->state != ledger::HoldState::kInReview) return Refuse(Reason::kRedemptionClosed);
  if (!decision.released) return ledger::DecideRelease(posting, partner, number);
  GUILDER_RETURN_IF_ERROR(ledger::DecideReviewRelease(posting, partner, number));
  if (!decision.captures) return Points(0);
  return ledger::DecideCapture(posting, partner, number, Points(0), /*final=*/true);
}

absl::StatusOr<Quoted> Quote(const Authorization& asked, PartnerId partner,
                             const ledger::DecisionContext& context,
                             const ledger::Posting& posting) {
  GUILDER_ASSIGN_OR_RETURN(const Agreement agreement,
                           FindAgreement(asked, partner, context, posting.now()));
  if (posting.account().status == ledger::AccountStatus::kClosed) {
    return Refuse(Reason::kAccountClosed);
  }
  const ledger::Configuration& configuration = context.configuration;
  const ledger::Contract& contract = *agreement.contract;
  Quoted quoted;
  quoted.terms = contract.redemption;
  quoted.available = posting.SpendableOn({.partner = partner});
  quoted.owed = posting.account().debt;
  quoted.payable_value = ledger::PayableValue(contract.redemption, asked.basket);
  quoted.payable =
      ledger::PayableNow(configuration, contract, asked.basket, posting, {.partner = partner});
  quoted.value = {configuration.Price(quoted.payable, contract.rate_micros, contract.currency),
                  contract.currency};
  for (const ledger::BasketLine& line : asked.basket) quoted.rest += line.amount;
  quoted.rest -= quoted.value.amount;
  return quoted;
}

absl::StatusOr<Captured> Decide(const Capture& capture, PartnerId partner,
                                const ledger::DecisionContext& context, ledger::Posting& posting) {
  const RecordNumber number = capture.redemption.number;
  GUILDER_ASSIGN_OR_RETURN(
      const Points taken,
      ledger::DecideCapture(posting, partner, number, capture.points, capture.final));
  for (const ledger::Hold& hold : posting.account().holds) {
    if (hold.number != number) continue;
    return Captured{taken, PriceUnder(context.configuration, partner, hold.contract, taken),
                    hold.held()};
  }
  return absl::InternalError("a captured hold is gone");
}

Worth PriceUnder(const ledger::Configuration& configuration, PartnerId partner_id,
                 ContractId contract, Points points) {
  const ledger::Partner* const partner = configuration.FindPartner(partner_id);
  const ledger::Contract* const version =
      partner == nullptr ? nullptr
                         : partner->FindContract(ledger::ContractKind::kRedemption, contract);
  if (version == nullptr) return {};
  return {configuration.Price(points, version->rate_micros, version->currency), version->currency};
}

}  // namespace guilder::redemption
