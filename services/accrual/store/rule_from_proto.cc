#include "services/accrual/store/rule_from_proto.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::accrual {
namespace {

absl::Status Malformed(const v1::EarnRule& rule, const std::string& what) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat("rule '", rule.rule_id(), "' ", what),
                {{"rule_id", rule.rule_id()}});
}

bool IsRuleId(const std::string& id) {
  return !id.empty() && id.size() <= 40 && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
}

absl::StatusOr<rules::Selector> SelectorFromProto(const v1::EarnRule& rule,
                                                  const RuleNames& names) {
  rules::Selector selector;
  for (const std::string& name : rule.selector().partners()) {
    const auto found = names.partners.find(name);
    if (found == names.partners.end()) {
      return Malformed(rule, "names a partner that does not exist");
    }
    selector.partners.push_back(found->second);
  }
  for (const std::string& name : rule.selector().stores()) {
    const auto found = names.stores.find(name);
    if (found == names.stores.end()) return Malformed(rule, "names a store that does not exist");
    selector.stores.push_back(found->second);
  }
  selector.categories.assign(rule.selector().categories().begin(),
                             rule.selector().categories().end());
  selector.skus.assign(rule.selector().skus().begin(), rule.selector().skus().end());
  return selector;
}

rules::Rounding RoundingFromProto(v1::Rounding rounding) {
  return rounding == v1::ROUNDING_PER_LINE ? rules::Rounding::kPerLine
                                           : rules::Rounding::kPerBasket;
}

int64_t OneIfZero(int64_t value) {
  return value == 0 ? 1 : value;
}

absl::StatusOr<rules::Effect> EffectFromProto(const v1::EarnRule& rule) {
  switch (rule.effect_case()) {
    case v1::EarnRule::kBaseRate: {
      const v1::BaseRate& rate = rule.base_rate();
      return rules::BaseRate{Points(rate.points()), MinorUnits(rate.per_minor_units()),
                             RoundingFromProto(rate.rounding())};
    }
    case v1::EarnRule::kExclusion:
      return rules::Exclusion{rule.exclusion().reason()};
    case v1::EarnRule::kMultiplier: {
      const v1::Multiplier& multiplier = rule.multiplier();
      return rules::Multiplier{multiplier.numerator(), OneIfZero(multiplier.denominator()),
                               multiplier.of() == v1::MULTIPLICAND_POINTS_SO_FAR
                                   ? rules::Multiplicand::kPointsSoFar
                                   : rules::Multiplicand::kBasePoints,
                               RoundingFromProto(multiplier.rounding())};
    }
    case v1::EarnRule::kFixedBonus:
      return rules::FixedBonus{Points(rule.fixed_bonus().points())};
    case v1::EarnRule::kProductBonus: {
      const v1::ProductBonus& bonus = rule.product_bonus();
      return rules::ProductBonus{Points(bonus.points()), OneIfZero(bonus.per_quantity()),
                                 RoundingFromProto(bonus.rounding())};
    }
    case v1::EarnRule::EFFECT_NOT_SET:
      break;
  }
  return Malformed(rule, "has no effect");
}

// "17:00" in minutes; "24:00" is the end of a day.
std::optional<int> MinuteOf(const std::string& text, int when_empty) {
  if (text.empty()) return when_empty;
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const std::optional<int64_t> hour = ParseInt(text.substr(0, 2));
  const std::optional<int64_t> minute = ParseInt(text.substr(3));
  if (!hour || !minute || *hour < 0 || *hour > 24 || *minute < 0 || *minute > 59) {
    return std::nullopt;
  }
  if (*hour == 24 && *minute > 0) return std::nullopt;
  return static_cast<int>(*hour * 60 + *minute);
}

absl::StatusOr<rules::TimeWindow> WindowFromProto(const v1::EarnRule& rule,
                                                  const v1::TimeWindow& window) {
  rules::TimeWindow out;
  if (window.days_size() > 0) out.weekdays = 0;
  for (const int day : window.days()) {
    if (day < v1::DAY_OF_WEEK_MONDAY || day > v1::DAY_OF_WEEK_SUNDAY) {
      return Malformed(rule, "has a time window with no such day");
    }
    out.weekdays = static_cast<uint8_t>(out.weekdays | 1 << (day - v1::DAY_OF_WEEK_MONDAY));
  }
  const std::optional<int> from = MinuteOf(window.from(), 0);
  const std::optional<int> until = MinuteOf(window.until(), 24 * 60);
  if (!from || !until) return Malformed(rule, "has a time window whose hours are not as in 17:00");
  out.from_minute = *from;
  out.until_minute = *until;
  return out;
}

// "2026-03-29" or "2026-03-29T02:30:00".
absl::Status ParseLocal(const v1::EarnRule& rule, const std::string& text,
                        std::optional<absl::CivilSecond>& out) {
  if (text.empty()) return absl::OkStatus();
  absl::CivilSecond second;
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &second) && absl::FormatCivilTime(second) == text) {
    out = second;
  } else if (absl::ParseCivilTime(text, &day) && absl::FormatCivilTime(day) == text) {
    out = absl::CivilSecond(day);
  } else {
    return Malformed(rule, "has a date that is not as in 2026-03-29 or 2026-03-29T02:30:00");
  }
  return absl::OkStatus();
}

absl::StatusOr<rules::Conditions> ConditionsFromProto(const v1::EarnRule& rule) {
  const v1::RuleConditions& from = rule.conditions();
  rules::Conditions out;
  out.tiers.assign(from.tiers().begin(), from.tiers().end());
  out.segments.assign(from.segments().begin(), from.segments().end());
  switch (from.first_purchase()) {
    case v1::FIRST_PURCHASE_AT_PARTNER:
      out.first_purchase = rules::FirstPurchase::kAtPartner;
      break;
    case v1::FIRST_PURCHASE_IN_PROGRAMME:
      out.first_purchase = rules::FirstPurchase::kInProgramme;
      break;
    default:
      break;
  }
  if (from.has_birthday()) {
    out.birthday =
        rules::BirthdayWindow{from.birthday().days_before(), from.birthday().days_after()};
  }
  GUILDER_RETURN_IF_ERROR(ParseLocal(rule, from.valid_from(), out.valid_from));
  GUILDER_RETURN_IF_ERROR(ParseLocal(rule, from.valid_until(), out.valid_until));
  for (const v1::TimeWindow& window : from.windows()) {
    GUILDER_ASSIGN_OR_RETURN(out.windows.emplace_back(), WindowFromProto(rule, window));
  }
  out.min_amount = MinorUnits(from.min_amount_minor_units());
  return out;
}

absl::StatusOr<rules::Funder> FunderFromProto(const v1::EarnRule& rule, const v1::Funder& funder,
                                              const RuleNames& names) {
  switch (funder.kind()) {
    case v1::FUNDER_KIND_BRAND: {
      const auto found = names.partners.find(funder.brand());
      if (found == names.partners.end()) {
        return Malformed(rule, "is paid by a partner that does not exist");
      }
      return rules::Funder{rules::FunderKind::kBrand, found->second};
    }
    case v1::FUNDER_KIND_OPERATOR:
      return rules::Funder{rules::FunderKind::kOperator, PartnerId()};
    default:
      return rules::Funder{};
  }
}

absl::StatusOr<rules::SpentOnly> SpentOnlyFromProto(const v1::EarnRule& rule,
                                                    const RuleNames& names) {
  rules::SpentOnly only;
  if (!rule.has_spent_only()) return only;
  only.on_gifts = rule.spent_only().gifts();
  for (const std::string& name : rule.spent_only().partners()) {
    const auto found = names.partners.find(name);
    if (found == names.partners.end()) {
      return Malformed(rule, "gives points for a partner that does not exist");
    }
    only.at.push_back(found->second);
  }
  std::sort(only.at.begin(), only.at.end());
  if (!only) return Malformed(rule, "gives points that may be spent nowhere");
  return only;
}

}  // namespace

absl::StatusOr<rules::Rule> RuleFromProto(const v1::EarnRule& rule, const RuleNames& names) {
  if (!IsRuleId(rule.rule_id())) return Malformed(rule, "needs an id: 1 to 40 of a-z, 0-9 and '-'");
  rules::Rule out;
  out.id = rule.rule_id();
  out.display_name = rule.display_name();
  out.priority = rule.priority();
  GUILDER_ASSIGN_OR_RETURN(out.selector, SelectorFromProto(rule, names));
  GUILDER_ASSIGN_OR_RETURN(out.effect, EffectFromProto(rule));
  GUILDER_ASSIGN_OR_RETURN(out.conditions, ConditionsFromProto(rule));
  out.basis = {rule.basis().without_tax(), rule.basis().without_paid_with_points()};
  out.stop = rule.stop();
  out.group = rule.group();
  out.caps.assign(rule.caps().begin(), rule.caps().end());
  for (const v1::FunderShare& share : rule.funding().shares()) {
    GUILDER_ASSIGN_OR_RETURN(const rules::Funder funder,
                             FunderFromProto(rule, share.funder(), names));
    out.funding.shares.push_back({funder, share.share_ppm()});
  }
  GUILDER_ASSIGN_OR_RETURN(out.funding.remainder,
                           FunderFromProto(rule, rule.funding().remainder(), names));
  GUILDER_ASSIGN_OR_RETURN(out.spent_only, SpentOnlyFromProto(rule, names));
  return out;
}

absl::StatusOr<rules::Cap> CapFromProto(const v1::Cap& cap) {
  const auto malformed = [&cap](const char* what) {
    return Refuse(Reason::kRequestMalformed, absl::StrCat("cap '", cap.cap_id(), "' ", what),
                  {{"cap_id", cap.cap_id()}});
  };
  if (!IsRuleId(cap.cap_id())) return malformed("needs an id: 1 to 40 of a-z, 0-9 and '-'");
  rules::Cap out;
  out.id = cap.cap_id();
  out.display_name = cap.display_name();
  out.points = Points(cap.points());
  out.refilled_by_returns = cap.refilled_by_returns();
  switch (cap.scope()) {
    case v1::CAP_SCOPE_RECEIPT:
      out.scope = rules::CapScope::kReceipt;
      break;
    case v1::CAP_SCOPE_MEMBER:
      out.scope = rules::CapScope::kMember;
      break;
    case v1::CAP_SCOPE_PARTNER:
      out.scope = rules::CapScope::kPartner;
      break;
    case v1::CAP_SCOPE_CAMPAIGN:
      out.scope = rules::CapScope::kCampaign;
      break;
    default:
      return malformed("has no scope");
  }
  switch (cap.period()) {
    case v1::CAP_PERIOD_UNSPECIFIED:
    case v1::CAP_PERIOD_EVER:
      out.period = rules::CapPeriod::kEver;
      break;
    case v1::CAP_PERIOD_DAY:
      out.period = rules::CapPeriod::kDay;
      break;
    case v1::CAP_PERIOD_WEEK:
      out.period = rules::CapPeriod::kWeek;
      break;
    case v1::CAP_PERIOD_MONTH:
      out.period = rules::CapPeriod::kMonth;
      break;
    case v1::CAP_PERIOD_YEAR:
      out.period = rules::CapPeriod::kYear;
      break;
    default:
      return malformed("has no such period");
  }
  return out;
}

absl::StatusOr<rules::Policies> PoliciesFromProto(const v1::PurchasePolicies& policies) {
  const auto malformed = [](const char* what) {
    return Refuse(Reason::kRequestMalformed, absl::StrCat("policies: ", what));
  };
  rules::Policies out;
  if (policies.broken_threshold() > v1::BROKEN_THRESHOLD_TAKEN_BACK) {
    return malformed("broken_threshold");
  }
  if (policies.broken_threshold() == v1::BROKEN_THRESHOLD_TAKEN_BACK) {
    out.broken_threshold = rules::BrokenThreshold::kTakenBack;
  }
  switch (policies.spent_points()) {
    case v1::SPENT_POINTS_UNSPECIFIED:
    case v1::SPENT_POINTS_OWED:
      break;
    case v1::SPENT_POINTS_DEDUCTED:
      out.spent_points = rules::SpentPoints::kDeducted;
      break;
    case v1::SPENT_POINTS_WRITTEN_OFF:
      out.spent_points = rules::SpentPoints::kWrittenOff;
      break;
    default:
      return malformed("spent_points");
  }
  out.deduction_rate_micros = policies.deduction_rate_micros();
  switch (policies.write_off_payer()) {
    case v1::FUNDER_KIND_UNSPECIFIED:
    case v1::FUNDER_KIND_STORE:
      break;
    case v1::FUNDER_KIND_OPERATOR:
      out.write_off_payer = rules::FunderKind::kOperator;
      break;
    default:
      return malformed("write_off_payer is the store or the operator");
  }
  if (policies.unknown_terminal() > v1::INTAKE_PARKED ||
      policies.future_date() > v1::INTAKE_PARKED) {
    return malformed("unknown_terminal or future_date");
  }
  const auto intake = [](v1::Intake what) {
    return what == v1::INTAKE_PARKED ? rules::Intake::kParked : rules::Intake::kRefused;
  };
  if (policies.purchases_of_member_at_till() < 0 ||
      policies.purchases_of_member_at_till() > 1'000) {
    return malformed("purchases_of_member_at_till");
  }
  out.purchases_of_member_at_till = policies.purchases_of_member_at_till();
  out.unknown_terminal = intake(policies.unknown_terminal());
  out.future_date = intake(policies.future_date());
  return out;
}

}  // namespace guilder::accrual
