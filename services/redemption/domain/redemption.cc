#include "services/redemption/domain/redemption.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/record.h"

namespace guilder::redemption {
namespace {

constexpr uint64_t kFormat = 1;

// The kind stands in each, so that no request id serves two kinds of requests.
Encoder Begin(ledger::RecordKind kind) {
  Encoder encoder;
  encoder.Unsigned(kFormat).Unsigned(static_cast<uint64_t>(kind));
  return encoder;
}

Encoder Begin(ledger::RecordKind kind, const RedemptionId& redemption) {
  Encoder encoder = Begin(kind);
  encoder.Id(redemption.book).Id(redemption.number);
  return encoder;
}

}  // namespace

std::string Encode(const Authorization& authorization) {
  Encoder encoder = Begin(ledger::RecordKind::kAuthorization);
  encoder.Bytes(authorization.store_code)
      .Id(authorization.card)
      .Quantity(authorization.points)
      .Signed(authorization.time_to_live_seconds)
      .Bytes(authorization.reference);
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
                                  const ledger::DecisionContext& context,
                                  ledger::Posting& posting) {
  const ledger::Partner* const partner = context.configuration.FindPartner(partner_id);
  if (partner == nullptr || partner->slug != authorization.partner_slug) {
    return Refuse(Reason::kNotYours);
  }
  const auto store = partner->stores.find(authorization.store_code);
  if (store == partner->stores.end() || !store->second.open) return Refuse(Reason::kStoreNotFound);
  if (!context.card.found || !context.account_found) return Refuse(Reason::kCardNotFound);
  if (!partner->MayRedeem(posting.now())) return Refuse(Reason::kPartnerNotActive);
  const ledger::Contract* const contract =
      partner->ContractAt(ledger::ContractKind::kRedemption, posting.now());
  if (contract == nullptr) return Refuse(Reason::kNoContract);
  if (context.card.blocked) return Refuse(Reason::kCardBlocked);

  ledger::HoldTerms terms;
  terms.partner = partner_id;
  terms.store = store->second.id;
  terms.contract = contract->id;
  terms.points = authorization.points;
  terms.expires_at =
      posting.now() + Timestamp(authorization.time_to_live_seconds * kMicrosPerSecond);
  GUILDER_RETURN_IF_ERROR(ledger::DecideHold(posting, terms));
  return Authorized{
      {context.configuration.Price(authorization.points, contract->rate_micros, contract->currency),
       contract->currency},
      terms.expires_at};
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
  if (partner == nullptr) return {};
  for (const ledger::Contract& version : partner->redemption) {
    if (version.id != contract) continue;
    return {configuration.Price(points, version.rate_micros, version.currency), version.currency};
  }
  return {};
}

}  // namespace guilder::redemption
