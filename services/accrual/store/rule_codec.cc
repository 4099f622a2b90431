#include "services/accrual/store/rule_codec.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/base/status_macros.h"
#include "libs/rpc/names.h"
#include "services/accrual/store/rule_from_proto.h"

namespace guilder::accrual {
namespace {

constexpr char kPartnerName[] = "partners/{}";
constexpr char kStoreName[] = "partners/{}/stores/{}";

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
    const auto add_funder = [&names](const v1::Funder& funder) {
      const auto parts = rpc::ParseName(kPartnerName, funder.brand());
      if (parts) names.partner_slugs.push_back((*parts)[0]);
    };
    for (const v1::FunderShare& share : rule.funding().shares()) add_funder(share.funder());
    add_funder(rule.funding().remainder());
    for (const std::string& name : rule.spent_only().partners()) {
      const auto parts = rpc::ParseName(kPartnerName, name);
      if (parts) names.partner_slugs.push_back((*parts)[0]);
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
  for (const v1::Cap& cap : rule_set.caps()) {
    GUILDER_ASSIGN_OR_RETURN(rules::Cap parsed, CapFromProto(cap));
    out.caps.push_back(std::move(parsed));
  }
  GUILDER_ASSIGN_OR_RETURN(out.policies, PoliciesFromProto(rule_set.policies()));
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
