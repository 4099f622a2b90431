#include "libs/ledger/core/configuration.h"

#include "absl/time/civil_time.h"

#include "libs/base/currency.h"
#include "libs/base/text.h"

namespace guilder::ledger {

bool Partner::MayIssueFor(Timestamp occurred_at) const {
  if (state == PartnerState::kTerminating) return occurred_at < run_off.last_issue;
  return state == PartnerState::kActive;
}

bool Partner::MayRedeem(Timestamp now) const {
  if (state == PartnerState::kTerminating) return now < run_off.last_redemption;
  return state == PartnerState::kActive;
}

bool Partner::MayTakeReturns(Timestamp now) const {
  if (state == PartnerState::kTerminating) return now < run_off.last_return;
  return state == PartnerState::kActive || state == PartnerState::kSuspended;
}

const Contract* Partner::ContractAt(ContractKind kind, Timestamp at) const {
  for (const Contract& contract : kind == ContractKind::kIssuance ? issuance : redemption) {
    if (contract.effective_from <= at && at < contract.effective_until) return &contract;
  }
  return nullptr;
}

const Contract* Partner::FindContract(ContractKind kind, ContractId contract_id) const {
  for (const Contract& contract : kind == ContractKind::kIssuance ? issuance : redemption) {
    if (contract.id == contract_id) return &contract;
  }
  return nullptr;
}

Configuration::Configuration(int64_t version, Programme programme, Calendar calendar,
                             std::vector<Partner> partners, PartnerId operator_partner)
    : version_(version),
      programme_(std::move(programme)),
      calendar_(std::move(calendar)),
      operator_partner_(operator_partner) {
  for (Partner& partner : partners) {
    by_slug_.emplace(partner.slug, partner.id);
    const PartnerId id = partner.id;
    for (const Contract& contract : partner.issuance) {
      if (!contract.limit) continue;
      limits_.emplace(contract.id, PointLimit{contract.limit, contract.LimitUnits()});
      partner_limits_[id].insert(contract.limit);
    }
    partners_.emplace(id, std::move(partner));
  }
}

const Partner* Configuration::FindPartner(PartnerId id) const {
  const auto found = partners_.find(id);
  return found == partners_.end() ? nullptr : &found->second;
}

const Partner* Configuration::FindPartner(std::string_view slug) const {
  const auto found = by_slug_.find(slug);
  return found == by_slug_.end() ? nullptr : FindPartner(found->second);
}

std::vector<PartnerId> Configuration::partner_ids() const {
  std::vector<PartnerId> ids;
  for (const auto& [id, partner] : partners_) ids.push_back(id);
  return ids;
}

const PointLimit* Configuration::LimitOf(ContractId contract) const {
  const auto found = limits_.find(contract);
  return found == limits_.end() ? nullptr : &found->second;
}

const std::set<LimitId>& Configuration::LimitsOf(PartnerId partner) const {
  static const std::set<LimitId> kNone;
  const auto found = partner_limits_.find(partner);
  return found == partner_limits_.end() ? kNone : found->second;
}

Timestamp Configuration::EndOfDayAfter(Timestamp at, int days) const {
  const absl::CivilDay day = absl::ToCivilDay(ToAbslTime(at), calendar_.time_zone());
  return FromAbslTime(absl::FromCivil(day + days + 1, calendar_.time_zone()));
}

ExpiryPolicy Configuration::ExpiryPolicyAt(Timestamp at) const {
  const ExpiryPolicy* policy = nullptr;
  for (const ExpiryPolicy& version : programme_.expiry) {
    if (version.effective_from <= at) policy = &version;
  }
  return policy == nullptr ? ExpiryPolicy{} : *policy;
}

Timestamp Configuration::ExpiryOf(const Contract& contract, Timestamp earned_at,
                                  Timestamp now) const {
  const ExpiryPolicy policy = ExpiryPolicyAt(earned_at);
  const Timestamp end = ExpiresAt(policy, earned_at, contract.lot_life_days, calendar_.time_zone());
  if (policy.minimum_life_days == 0) return end;
  return std::max(end, EndOfDayAfter(now, policy.minimum_life_days));
}

bool Configuration::LivesByActivity(Timestamp earned_at) const {
  return ExpiryPolicyAt(earned_at).kind == ExpiryKind::kInactivity;
}

std::optional<Timestamp> Configuration::ActiveUntil(int activities, Timestamp occurred_at) const {
  const ExpiryPolicy* policy = nullptr;
  for (const ExpiryPolicy& version : programme_.expiry) {
    const bool idle = version.kind == ExpiryKind::kInactivity;
    if (idle && version.effective_from <= occurred_at) policy = &version;
  }
  if (policy == nullptr || (policy->activities & activities) == 0) return std::nullopt;
  return ExpiresAt(*policy, occurred_at, 0, calendar_.time_zone());
}

bool Configuration::has_activity() const {
  return std::any_of(
      programme_.expiry.begin(), programme_.expiry.end(),
      [](const ExpiryPolicy& policy) { return policy.kind == ExpiryKind::kInactivity; });
}

Timestamp Configuration::GraceUntil(Timestamp now) const {
  const int days = programme_.redemption.grace_days;
  return days == 0 ? Timestamp() : EndOfDayAfter(now, days);
}

__int128 Configuration::MicrosOf(const Currency& currency) const {
  const int exponent = currency == programme_.currency ? programme_.currency_exponent
                                                       : CurrencyExponent(FormatCurrency(currency));
  __int128 unit = 1;
  for (int i = exponent; i < 6; ++i) unit *= 10;
  return unit;
}

Points Configuration::PointsWithin(MinorUnits amount, int64_t rate_micros,
                                   const Currency& currency) const {
  if (rate_micros <= 0 || amount <= MinorUnits(0)) return Points(0);
  const __int128 micros = static_cast<__int128>(amount.value()) * MicrosOf(currency);
  const __int128 most = micros / rate_micros;
  return most > kMaxPointsPerCommand.value() ? kMaxPointsPerCommand
                                             : Points(static_cast<int64_t>(most));
}

MinorUnits Configuration::Price(Points points, int64_t rate_micros,
                                const Currency& currency) const {
  // points × rate is in millionths of the major unit.
  const __int128 unit = MicrosOf(currency);
  const __int128 micros = static_cast<__int128>(points.value()) * rate_micros;
  return MinorUnits(static_cast<int64_t>((2 * micros + unit) / (2 * unit)));
}

}  // namespace guilder::ledger
