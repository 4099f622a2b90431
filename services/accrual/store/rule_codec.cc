#include "services/accrual/store/rule_codec.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/names.h"

namespace guilder::accrual {
namespace {

constexpr char kPartnerName[] = "partners/{}";
constexpr char kStoreName[] = "partners/{}/stores/{}";

absl::Status Malformed(const v1::EarnRule& rule, const std::string& what) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat("rule '", rule.rule_id(), "' ", what),
                {{"rule_id", rule.rule_id()}});
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

bool IsRuleId(const std::string& id) {
  return !id.empty() && id.size() <= 40 && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
}

absl::StatusOr<rules::Rule> RuleFromProto(const v1::EarnRule& rule, const RuleNames& names) {
  if (!IsRuleId(rule.rule_id())) return Malformed(rule, "needs an id: 1 to 40 of a-z, 0-9 and '-'");
  rules::Rule out;
  out.id = rule.rule_id();
  out.display_name = rule.display_name();
  out.priority = rule.priority();
  GUILDER_ASSIGN_OR_RETURN(out.selector, SelectorFromProto(rule, names));
  switch (rule.effect_case()) {
    case v1::EarnRule::kBaseRate:
      out.effect = rules::BaseRate{Points(rule.base_rate().points()),
                                   MinorUnits(rule.base_rate().per_minor_units())};
      return out;
    case v1::EarnRule::kExclusion:
      out.effect = rules::Exclusion{rule.exclusion().reason()};
      return out;
    case v1::EarnRule::EFFECT_NOT_SET:
      break;
  }
  return Malformed(rule, "has no effect");
}

}  // namespace

NamesInRules CollectNames(const v1::RuleSet& rule_set) {
  NamesInRules names;
  for (const v1::EarnRule& rule : rule_set.rules()) {
    for (const std::string& name : rule.selector().partners()) {
      const auto parts = rpc::ParseName(kPartnerName, name);
      if (parts) names.partner_slugs.push_back((*parts)[0]);
    }
    for (const std::string& name : rule.selector().stores()) {
      const auto parts = rpc::ParseName(kStoreName, name);
      if (parts) names.stores.push_back({(*parts)[0], (*parts)[1]});
    }
  }
  return names;
}

absl::StatusOr<rules::RuleSet> RulesFromProto(int64_t version, const v1::RuleSet& rule_set,
                                              const RuleNames& names) {
  rules::RuleSet out;
  out.version = version;
  for (const v1::EarnRule& rule : rule_set.rules()) {
    GUILDER_ASSIGN_OR_RETURN(rules::Rule parsed, RuleFromProto(rule, names));
    out.rules.push_back(std::move(parsed));
  }
  GUILDER_RETURN_IF_ERROR(rules::Validate(out));
  return out;
}

absl::StatusOr<rules::RuleSet> ParseRules(int64_t version, std::string_view bytes,
                                          const RuleNames& names) {
  v1::RuleSet rule_set;
  if (!rule_set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InternalError(absl::StrCat("rule set ", version, " is not a serialized RuleSet"));
  }
  auto parsed = RulesFromProto(version, rule_set, names);
  if (!parsed.ok()) {
    return absl::InternalError(
        absl::StrCat("rule set ", version, ": ", std::string(parsed.status().message())));
  }
  return parsed;
}

}  // namespace guilder::accrual
