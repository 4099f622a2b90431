#include "services/accrual/rpc/rule_handlers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/load_configuration.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/note.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/secrets.h"
#include "services/accrual/domain/funders.h"
#include "services/accrual/domain/rule_approval.h"
#include "services/accrual/store/earning_rows.h"
#include "services/accrual/store/rule_sets.h"
#include "services/accrual/store/rule_wording.h"

namespace guilder::accrual {
namespace {

using postgres::Transaction;

constexpr char kRuleSetName[] = "ruleSets/{}";
constexpr char kList[] = "rule_sets";

// What is no such name names no rule set.
int64_t NumberOf(std::string_view name) {
  const auto parts = rpc::ParseNumberedName(kRuleSetName, name);
  return parts ? parts->front() : 0;
}

v1::RuleSet ToProto(const StoredRuleSet& stored) {
  v1::RuleSet out;
  // What was stored was serialized by us.
  out.ParseFromString(stored.rules);
  out.set_name(rpc::FormatName(kRuleSetName, {std::to_string(stored.number)}));
  out.set_state(stored.approved   ? v1::RULE_SET_STATE_APPROVED
                : stored.rejected ? v1::RULE_SET_STATE_REJECTED
                                  : v1::RULE_SET_STATE_PROPOSED);
  *out.mutable_effective_from() = rpc::ToProto(stored.effective_from);
  out.set_proposed_by(stored.proposed_by);
  out.set_approved_by(stored.approved_by);
  return out;
}

std::string SerializedRules(const v1::RuleSet& rule_set) {
  v1::RuleSet only_rules;
  *only_rules.mutable_rules() = rule_set.rules();
  *only_rules.mutable_caps() = rule_set.caps();
  if (rule_set.has_policies()) *only_rules.mutable_policies() = rule_set.policies();
  return only_rules.SerializeAsString();
}

absl::StatusOr<rules::RuleSet> ParseRules(Transaction& transaction, const StoredRuleSet& stored) {
  v1::RuleSet message;
  if (!message.ParseFromString(stored.rules)) return absl::InternalError("stored rules");
  const RuleNames names = ReadRuleNames(transaction, CollectNames(message));
  return RulesFromProto(stored.number, message, names);
}

// Gives the set's caps the serials under which they count, and what is bounded over all books, and
// counts already, what it grants more.
void GrantCaps(Transaction& transaction, const rules::RuleSet& set) {
  AddCaps(transaction, set);
  const std::vector<int32_t> serials = CapSerials(transaction, set);
  for (size_t i = 0; i < set.caps.size(); ++i) {
    const rules::CapScope scope = set.caps[i].scope;
    if (scope == rules::CapScope::kPartner || scope == rules::CapScope::kCampaign) {
      RaiseLimits(transaction, serials[i], set.caps[i].points);
    }
  }
}

template <typename Response>
absl::StatusOr<Response> Answer(absl::StatusOr<StoredRuleSet> stored) {
  if (!stored.ok()) return std::move(stored).status();
  Response response;
  *response.mutable_rule_set() = ToProto(*stored);
  return response;
}

}  // namespace

RuleHandlers::RuleHandlers(postgres::Pool& pool, const security::Secrets& secrets,
                           const ledger::ProgrammeFacts& programme)
    : pool_(pool), programme_(programme), page_tokens_(secrets.Derive("guilder/page-token/1")) {}

absl::StatusOr<v1::ProposeRuleSetResponse> RuleHandlers::ProposeRuleSet(
    const rpc::Call& call, const v1::ProposeRuleSetRequest& request) {
  const v1::RuleSet& asked = request.rule_set();
  const std::optional<Timestamp> from = rpc::FromProto(asked.effective_from());
  if (!asked.has_effective_from() || !from) {
    return Refuse(Reason::kRequestMalformed, "effective_from is missing or out of range",
                  {{"field", "effective_from"}});
  }
  if (asked.rules_size() == 0) {
    return Refuse(Reason::kRequestMalformed, "the rule set has no rules", {{"field", "rules"}});
  }
  GUILDER_RETURN_IF_ERROR(CheckWording(asked));
  StoredRuleSet proposal;
  proposal.effective_from = *from;
  proposal.rules = SerializedRules(asked);
  proposal.proposed_by = call.principal().id;
  return Answer<v1::ProposeRuleSetResponse>(rpc::RunAudited(
      pool_, call, "RuleService/ProposeRuleSet", "ruleSets", &request,
      [&](Transaction& transaction) -> absl::StatusOr<StoredRuleSet> {
        const RuleNames names = ReadRuleNames(transaction, CollectNames(asked));
        GUILDER_RETURN_IF_ERROR(RulesFromProto(/*version=*/0, asked, names).status());
        return InsertRuleSet(transaction, proposal);
      }));
}

absl::StatusOr<v1::ApproveRuleSetResponse> RuleHandlers::ApproveRuleSet(
    const rpc::Call& call, const v1::ApproveRuleSetRequest& request) {
  const std::string& actor = call.principal().id;
  return Answer<v1::ApproveRuleSetResponse>(rpc::RunAudited(
      pool_, call, "RuleService/ApproveRuleSet", request.name(), &request,
      [&](Transaction& transaction) -> absl::StatusOr<StoredRuleSet> {
        GUILDER_ASSIGN_OR_RETURN(StoredRuleSet rule_set,
                                 LockRuleSet(transaction, NumberOf(request.name())));
        GUILDER_RETURN_IF_ERROR(CheckApproval(
            {rule_set.approved || rule_set.rejected, rule_set.proposed_by, rule_set.effective_from},
            actor, ledger::ReadProgrammeClock(transaction, programme_.id),
            /*may_begin_in_past=*/!programme_.live));
        GUILDER_ASSIGN_OR_RETURN(const rules::RuleSet set, ParseRules(transaction, rule_set));
        GUILDER_ASSIGN_OR_RETURN(const auto configuration,
                                 ledger::LoadConfiguration(transaction, programme_.id));
        GUILDER_RETURN_IF_ERROR(CheckFunders(set, rule_set.effective_from, *configuration));
        GrantCaps(transaction, set);
        MarkRuleSetApproved(transaction, rule_set.number, actor);
        ledger::IncrementConfigurationVersion(transaction, programme_.id);
        rule_set.approved = true;
        rule_set.approved_by = actor;
        return rule_set;
      }));
}

absl::StatusOr<v1::RejectRuleSetResponse> RuleHandlers::RejectRuleSet(
    const rpc::Call& call, const v1::RejectRuleSetRequest& request) {
  GUILDER_RETURN_IF_ERROR(rpc::CheckNote(request.note()));
  return Answer<v1::RejectRuleSetResponse>(rpc::RunAudited(
      pool_, call, "RuleService/RejectRuleSet", request.name(), &request,
      [&](Transaction& transaction) -> absl::StatusOr<StoredRuleSet> {
        GUILDER_ASSIGN_OR_RETURN(StoredRuleSet rule_set,
                                 LockRuleSet(transaction, NumberOf(request.name())));
        if (rule_set.approved) return Refuse(Reason::kWrongState);
        // No lane looks at what is not approved, so the configuration stays the same.
        MarkRuleSetRejected(transaction, rule_set.number);
        rule_set.rejected = true;
        return rule_set;
      }));
}

absl::StatusOr<v1::GetRuleSetResponse> RuleHandlers::GetRuleSet(
    const rpc::Call& call, const v1::GetRuleSetRequest& request) {
  return Answer<v1::GetRuleSetResponse>(pool_.Read(
      [&](Transaction& transaction) { return FindRuleSet(transaction, NumberOf(request.name())); },
      call.deadline()));
}

absl::StatusOr<v1::ListRuleSetsResponse> RuleHandlers::ListRuleSets(
    const rpc::Call& call, const v1::ListRuleSetsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const std::string after,
                           page_tokens_.Position(kList, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(
      const std::vector<StoredRuleSet> found,
      pool_.Read(
          [&](Transaction& transaction) -> absl::StatusOr<std::vector<StoredRuleSet>> {
            return accrual::ListRuleSets(transaction, ParseInt(after).value_or(0), page_size + 1);
          },
          call.deadline()));
  v1::ListRuleSetsResponse response;
  const size_t count = std::min(found.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) *response.add_rule_sets() = ToProto(found[i]);
  if (count < found.size()) {
    response.set_next_page_token(page_tokens_.Make(kList, std::to_string(found[count - 1].number)));
  }
  return response;
}

}  // namespace guilder::accrual
