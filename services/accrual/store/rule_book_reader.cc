#include "services/accrual/store/rule_book_reader.h"

#include <utility>
#include <vector>

#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/accrual/store/rule_codec.h"
#include "services/accrual/store/rule_sets.h"

namespace guilder::accrual {

absl::StatusOr<std::shared_ptr<const RuleBook>> RuleBookReader::Read(
    postgres::Transaction& tx, const ledger::Configuration& configuration) {
  {
    const std::lock_guard lock(mutex_);
    if (latest_ && latest_->configuration_version() == configuration.version()) return latest_;
  }
  std::vector<DatedRuleSet> rule_sets;
  for (const StoredRuleSet& stored : ApprovedRuleSets(tx)) {
    v1::RuleSet message;
    if (!message.ParseFromString(stored.rules)) return absl::InternalError("stored rules");
    const RuleNames names = ReadRuleNames(tx, CollectNames(message));
    GUILDER_ASSIGN_OR_RETURN(rules::RuleSet rules, RulesFromProto(stored.number, message, names));
    std::vector<int32_t> serials = CapSerials(tx, rules);
    rule_sets.push_back({stored.effective_from,
                         std::make_shared<const rules::CompiledRules>(std::move(rules)),
                         std::move(serials)});
  }
  auto read = std::make_shared<const RuleBook>(configuration.version(), std::move(rule_sets));
  const std::lock_guard lock(mutex_);
  if (!latest_ || latest_->configuration_version() < read->configuration_version()) latest_ = read;
  return read;
}

}  // namespace guilder::accrual
