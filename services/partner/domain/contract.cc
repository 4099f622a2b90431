#include "services/partner/domain/contract.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/partner/domain/names.h"

namespace guilder::partner {
namespace {

absl::Status CheckRange(std::string_view field, int64_t value, int64_t max) {
  if (value >= 0 && value <= max) return absl::OkStatus();
  return Refuse(Reason::kRequestMalformed, absl::StrCat(ToAbsl(field), " is from 0 to ", max),
                {{"field", std::string(field)}});
}

absl::Status CheckTax(std::string_view field, const Tax& tax) {
  GUILDER_RETURN_IF_ERROR(CheckRequiredText(absl::StrCat(ToAbsl(field), ".code"), tax.code));
  return CheckRange(absl::StrCat(ToAbsl(field), ".rate_ppm"), tax.ppm, kMaxPpm);
}

absl::Status CheckFee(const Fee& fee) {
  GUILDER_RETURN_IF_ERROR(CheckRange("fee_ppm", fee.ppm, kMaxPpm));
  GUILDER_RETURN_IF_ERROR(CheckRange("fee_micros_per_point", fee.micros_per_point, kMaxRateMicros));
  GUILDER_RETURN_IF_ERROR(
      CheckRange("fee_per_window_minor_units", fee.per_window_minor_units, kMaxAmount.value()));
  const bool has_fee = fee.ppm != 0 || fee.micros_per_point != 0 || fee.per_window_minor_units != 0;
  if (has_fee || !fee.tax.code.empty() || fee.tax.ppm != 0) return CheckTax("fee_tax", fee.tax);
  return absl::OkStatus();
}

absl::Status CheckShares(const IssuanceTerms& terms) {
  GUILDER_RETURN_IF_ERROR(CheckRange("reserve_ppm", terms.reserve_ppm, kMaxPpm));
  GUILDER_RETURN_IF_ERROR(CheckRange("breakage_ppm", terms.breakage_ppm, kMaxPpm));
  const bool by_redemption =
      terms.funding == Funding::kPostpaidAtRedemption || terms.funding == Funding::kHybrid;
  if (terms.reserve_ppm != 0 && terms.funding != Funding::kHybrid) {
    return Refuse(Reason::kRequestMalformed, "a reserve is of HYBRID contracts",
                  {{"field", "reserve_ppm"}});
  }
  if (terms.breakage_ppm != 0 && by_redemption) {
    return Refuse(Reason::kRequestMalformed, "what expires was not billed",
                  {{"field", "breakage_ppm"}});
  }
  return absl::OkStatus();
}

absl::Status CheckPointsUse(const IssuanceTerms& terms) {
  const auto malformed = [](const char* what) {
    return Refuse(Reason::kRequestMalformed, what, {{"field", "points_use_partners"}});
  };
  const size_t partners = terms.points_use_partners.size();
  if (terms.points_use != PointsUse::kAtPartners) {
    return partners == 0 ? absl::OkStatus() : malformed("partners are listed for AT_PARTNERS only");
  }
  if (partners == 0) return malformed("AT_PARTNERS needs the partners");
  if (partners > kMaxPointsUsePartners) return malformed("100 partners are listed at most");
  return absl::OkStatus();
}

absl::Status CheckTerms(const IssuanceTerms& terms) {
  GUILDER_RETURN_IF_ERROR(CheckRange("rate_micros", terms.rate_micros, kMaxRateMicros));
  GUILDER_RETURN_IF_ERROR(CheckTax("tax", terms.tax));
  GUILDER_RETURN_IF_ERROR(
      CheckRange("activation.after_days", terms.activation_days, kMaxActivationDays));
  GUILDER_RETURN_IF_ERROR(CheckRange("lot_life_days", terms.lot_life_days, kMaxLotLifeDays));
  if (terms.lot_life_days != 0 && terms.lot_life_days <= terms.activation_days) {
    return Refuse(Reason::kRequestMalformed, "points would expire before they become available",
                  {{"field", "lot_life_days"}});
  }
  if (terms.funding == Funding::kPrepaidBlock && terms.billed_at != BillingMoment::kPosting) {
    return Refuse(Reason::kRequestMalformed, "a block falls when points are posted",
                  {{"field", "billed_at"}});
  }
  GUILDER_RETURN_IF_ERROR(CheckPointsUse(terms));
  GUILDER_RETURN_IF_ERROR(CheckShares(terms));
  return CheckFee(terms.fee);
}

bool HasControl(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

absl::Status CheckGoods(std::string_view field, const std::vector<std::string>& goods) {
  const auto malformed = [&](const char* what) {
    return Refuse(Reason::kRequestMalformed, absl::StrCat(ToAbsl(field), what),
                  {{"field", std::string(field)}});
  };
  if (goods.size() > kMaxExcludedGoods) return malformed(" has at most 100 entries");
  for (const std::string& good : goods) {
    if (good.empty() || good.size() > kMaxGoodsText || HasControl(good)) {
      return malformed(" has an entry that is empty, too long, or not of letters");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTerms(const RedemptionTerms& terms) {
  GUILDER_RETURN_IF_ERROR(CheckRange("rate_micros", terms.rate_micros, kMaxRateMicros));
  GUILDER_RETURN_IF_ERROR(CheckTax("tax", terms.tax));
  GUILDER_RETURN_IF_ERROR(CheckRange("minimum_payout_minor_units", terms.minimum_payout_minor_units,
                                     kMaxAmount.value()));
  GUILDER_RETURN_IF_ERROR(
      CheckRange("minimum_points", terms.minimum_points, kMaxPointsPerCommand.value()));
  GUILDER_RETURN_IF_ERROR(
      CheckRange("step_points", terms.step_points, kMaxPointsPerCommand.value()));
  GUILDER_RETURN_IF_ERROR(
      CheckRange("maximum_share_per_mille", terms.maximum_share_per_mille, kWholeBasketPerMille));
  GUILDER_RETURN_IF_ERROR(CheckGoods("excluded_categories", terms.excluded_categories));
  GUILDER_RETURN_IF_ERROR(CheckGoods("excluded_skus", terms.excluded_skus));
  return CheckFee(terms.fee);
}

constexpr uint64_t kEtagFormat = 1;

void Encode(const std::vector<std::string>& goods, Encoder& encoder) {
  encoder.Unsigned(goods.size());
  for (const std::string& good : goods) encoder.Bytes(good);
}

bool TakesAnything(const RedemptionTerms& terms) {
  return terms.minimum_points == 0 && terms.step_points == 0 &&
         terms.maximum_share_per_mille == kWholeBasketPerMille &&
         terms.excluded_categories.empty() && terms.excluded_skus.empty();
}

void Encode(const Tax& tax, Encoder& encoder) {
  encoder.Bytes(tax.code).Signed(tax.ppm);
}

void Encode(const Fee& fee, Encoder& encoder) {
  encoder.Signed(fee.ppm).Signed(fee.micros_per_point).Signed(fee.per_window_minor_units);
  Encode(fee.tax, encoder);
}

void Encode(const IssuanceTerms& terms, Encoder& encoder) {
  encoder.Unsigned(0).Signed(terms.rate_micros).Bytes(terms.currency);
  Encode(terms.tax, encoder);
  encoder.Signed(static_cast<int>(terms.billed_at))
      .Signed(terms.activation_days)
      .Signed(static_cast<int>(terms.default_outcome))
      .Signed(terms.lot_life_days)
      .Signed(static_cast<int>(terms.funding))
      .Signed(static_cast<int>(terms.when_exhausted))
      .Signed(terms.reserve_ppm)
      .Signed(terms.breakage_ppm);
  Encode(terms.fee, encoder);
  if (terms.points_use != PointsUse::kAnywhere) encoder.Signed(static_cast<int>(terms.points_use));
  if (terms.points_use == PointsUse::kAtPartners) Encode(terms.points_use_partners, encoder);
}

void Encode(const RedemptionTerms& terms, Encoder& encoder) {
  encoder.Unsigned(1).Signed(terms.rate_micros).Bytes(terms.currency);
  Encode(terms.tax, encoder);
  Encode(terms.fee, encoder);
  encoder.Signed(terms.minimum_payout_minor_units);
  // Proposals from before these terms keep their etags.
  if (TakesAnything(terms)) return;
  encoder.Signed(terms.minimum_points)
      .Signed(terms.step_points)
      .Signed(terms.maximum_share_per_mille);
  Encode(terms.excluded_categories, encoder);
  Encode(terms.excluded_skus, encoder);
}

}  // namespace

absl::Status CheckContract(const Contract& contract) {
  if (contract.period.until && *contract.period.until <= contract.period.from) {
    return Refuse(Reason::kRequestMalformed, "effective_until is not after effective_from",
                  {{"field", "effective_until"}});
  }
  GUILDER_RETURN_IF_ERROR(CheckRange("notice_days", contract.notice_days, kMaxNoticeDays));
  return std::visit(
      [](const auto& terms) -> absl::Status {
        GUILDER_RETURN_IF_ERROR(CheckTerms(terms));
        if (!ParseCurrency(terms.currency)) return Refuse(Reason::kCurrencyNotSupported);
        return absl::OkStatus();
      },
      contract.terms);
}

std::optional<Timestamp> ApprovalDeadline(const Contract& contract) {
  if (!contract.proposed_at || contract.state != ContractState::kProposed) return std::nullopt;
  return Timestamp(contract.proposed_at->value() + kApprovalDays * kMicrosPerDay);
}

std::string ContractEtag(const Contract& contract) {
  Encoder encoder;
  encoder.Unsigned(kEtagFormat).Signed(contract.number).Quantity(contract.period.from);
  encoder.Quantity(contract.period.until.value_or(kNever)).Signed(contract.notice_days);
  std::visit([&](const auto& terms) { Encode(terms, encoder); }, contract.terms);
  return ToHex(AsView(Sha256({encoder.str()})));
}

absl::StatusOr<Succession> Approve(const Contract& proposed, const std::string& etag,
                                   const std::vector<Contract>& approved, const std::string& actor,
                                   Timestamp now, bool may_begin_in_past) {
  if (proposed.state != ContractState::kProposed) return Refuse(Reason::kWrongState);
  if (!etag.empty() && etag != ContractEtag(proposed)) return Refuse(Reason::kChangeDiffers);
  const auto deadline = ApprovalDeadline(proposed);
  if (deadline && now >= *deadline) return Refuse(Reason::kApprovalExpired);
  if (proposed.proposed_by == actor) return Refuse(Reason::kSamePerson);
  const Timestamp from = proposed.period.from;
  if (from < now && !may_begin_in_past) return Refuse(Reason::kEffectiveInPast);
  if (approved.empty()) return Succession{};

  // Versions only ever follow the last one, so what was priced once stays priced that way.
  const Contract& last = *std::max_element(
      approved.begin(), approved.end(),
      [](const Contract& a, const Contract& b) { return a.period.from < b.period.from; });
  const ReasonDetails details{{"contract", std::to_string(last.number)}};
  if (from <= last.period.from) return Refuse(Reason::kContractOverlap, {}, details);
  if (!last.period.until) return Succession{last.id};
  if (from < *last.period.until) return Refuse(Reason::kContractOverlap, {}, details);
  if (from > *last.period.until) return Refuse(Reason::kContractGap, {}, details);
  return Succession{};
}

}  // namespace guilder::partner
