#include "services/member/domain/adjustment.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/core/decide.h"

namespace guilder::member {
namespace {

Points Size(Points points) {
  return points < Points(0) ? -points : points;
}

size_t Characters(const std::string& utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

}  // namespace

std::string AdjustmentName(int64_t id) {
  return absl::StrCat("adjustments/", id);
}

std::string AdjustmentEtag(const Adjustment& adjustment) {
  constexpr uint64_t kFormat = 1;
  Encoder encoder;
  encoder.Unsigned(kFormat)
      .Id(adjustment.account)
      .Quantity(adjustment.points)
      .Unsigned(static_cast<uint64_t>(adjustment.reason))
      .Id(adjustment.payer)
      .Bytes(adjustment.note);
  return ToHex(AsView(Sha256({encoder.str()})));
}

absl::Status CheckPolicy(const AdjustmentPolicy& policy) {
  for (const AdjustmentLimits& limits : {policy.support, policy.admin}) {
    for (const Points points : {limits.alone, limits.daily}) {
      if (points < Points(0) || points > kMaxPointsPerCommand)
        return Malformed("policy.adjustment");
    }
  }
  if (policy.approval_days < 1 || policy.approval_days > kMostApprovalDays) {
    return Malformed("policy.adjustment.approval_days");
  }
  return absl::OkStatus();
}

absl::Status CheckAdjustment(const Adjustment& adjustment) {
  const std::string& note = adjustment.note;
  const bool known = adjustment.reason > AdjustmentReason::kUnspecified &&
                     adjustment.reason <= AdjustmentReason::kOther;
  if (!known) return Malformed("reason");
  const bool needs_note = adjustment.reason == AdjustmentReason::kOther;
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (Characters(note) > kMostNoteCharacters || (needs_note && note.empty()) ||
      std::any_of(note.begin(), note.end(), is_control)) {
    return Malformed("note");
  }
  const Points points = adjustment.points;
  if (points == Points(0) || points > kMaxPointsPerCommand || points < -kMaxPointsPerCommand) {
    return Refuse(Reason::kAmountOutOfRange, "points");
  }
  return absl::OkStatus();
}

absl::StatusOr<AdjustmentState> DecideState(const AdjustmentLimits& limits, Points today,
                                            Points points) {
  if (today + Size(points) > limits.daily) {
    return Refuse(Reason::kLimitExceeded, "daily_points",
                  {{"limit", "daily_points"},
                   {"daily_points", std::to_string(limits.daily.value())},
                   {"used_points", std::to_string(today.value())}});
  }
  return Size(points) > limits.alone ? AdjustmentState::kWaiting : AdjustmentState::kPosting;
}

absl::Status CheckApproval(const Adjustment& adjustment, const AdjustmentPolicy& policy,
                           const std::string& etag, const std::string& actor, Timestamp now) {
  if (adjustment.state != AdjustmentState::kWaiting) return Refuse(Reason::kWrongState);
  if (etag != AdjustmentEtag(adjustment)) return Refuse(Reason::kChangeDiffers);
  if (now >= adjustment.proposed_at + Timestamp(policy.approval_days * kMicrosPerDay)) {
    return Refuse(Reason::kApprovalExpired);
  }
  if (actor == adjustment.proposed_by) return Refuse(Reason::kSamePerson);
  return absl::OkStatus();
}

absl::Status DecideAdjustment(const ledger::DecisionContext& context, ledger::Posting& posting,
                              const Adjustment& adjustment) {
  const ledger::AccountState& account = posting.account();
  if (account.status != ledger::AccountStatus::kOpen) return Refuse(Reason::kAccountClosed);
  if (adjustment.points < Points(0)) {
    if (account.available < -adjustment.points) {
      return Refuse(Reason::kInsufficientPoints, {},
                    {{"available_points", std::to_string(account.available.value())}});
    }
    posting.Forfeit(-adjustment.points);
    return absl::OkStatus();
  }
  const ledger::Configuration& configuration = context.configuration;
  const Timestamp now = posting.now();
  const ledger::Partner* const payer = configuration.FindPartner(adjustment.payer);
  if (payer == nullptr || payer->state != ledger::PartnerState::kActive) {
    return Refuse(Reason::kPartnerNotActive);
  }
  const ledger::Contract* const contract = payer->ContractAt(ledger::ContractKind::kIssuance, now);
  if (contract == nullptr) return Refuse(Reason::kNoContract, "issuance");
  ledger::EarnTerms terms;
  terms.issuer = payer->id;
  terms.contract = contract->id;
  terms.restricted_to = contract->restricted_to;
  terms.points = adjustment.points;
  terms.activates_at = now;
  terms.expires_at = configuration.ExpiryOf(*contract, now, now);
  terms.lives_by_activity = configuration.LivesByActivity(now);
  return ledger::DecideEarn(posting, terms);
}

}  // namespace guilder::member
