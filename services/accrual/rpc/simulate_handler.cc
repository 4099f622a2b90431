// What-if: a rule set over purchases that were recorded.
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/load_configuration.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/domain/simulation.h"
#include "services/accrual/rpc/rule_handlers.h"
#include "services/accrual/store/rule_book_reader.h"
#include "services/accrual/store/rule_sets.h"
#include "services/accrual/store/sales_in_order.h"

namespace guilder::accrual {
namespace {

using postgres::Transaction;

constexpr int64_t kMostPurchases = 1'000'000;

// What a simulation is made of.
struct Subject {
  std::shared_ptr<const ledger::Configuration> configuration;
  std::shared_ptr<const RuleBook> before;
  std::unique_ptr<const rules::CompiledRules> after;
  Timestamp now;
};

absl::StatusOr<Subject> ReadSubject(Transaction& tx, ProgrammeId programme, int64_t number) {
  Subject subject;
  GUILDER_ASSIGN_OR_RETURN(const StoredRuleSet stored, FindRuleSet(tx, number));
  v1::RuleSet message;
  if (!message.ParseFromString(stored.rules)) return absl::InternalError("stored rules");
  const RuleNames names = ReadRuleNames(tx, CollectNames(message));
  GUILDER_ASSIGN_OR_RETURN(rules::RuleSet set, RulesFromProto(number, message, names));
  subject.after = std::make_unique<const rules::CompiledRules>(std::move(set));
  GUILDER_ASSIGN_OR_RETURN(subject.configuration, ledger::LoadConfiguration(tx, programme));
  RuleBookReader reader;
  GUILDER_ASSIGN_OR_RETURN(subject.before, reader.Read(tx, *subject.configuration));
  subject.now = ledger::ReadProgrammeClock(tx, programme);
  return subject;
}

v1::SimulateRuleSetResponse ToProto(const SimulationResult& result) {
  v1::SimulateRuleSetResponse out;
  out.set_purchases(result.purchases);
  out.set_points_before(result.before.value());
  out.set_points_after(result.after.value());
  out.set_purchases_with_more(result.with_more);
  out.set_purchases_with_less(result.with_less);
  for (const auto& [id, rule] : result.rules) {
    v1::SimulatedRule& to = *out.add_rules();
    to.set_rule_id(id);
    to.set_display_name(rule.display_name);
    to.set_points_before(rule.before.value());
    to.set_points_after(rule.after.value());
    to.set_purchases_before(rule.purchases_before);
    to.set_purchases_after(rule.purchases_after);
    to.set_trimmed_after(rule.trimmed_after.value());
  }
  return out;
}

}  // namespace

absl::StatusOr<v1::SimulateRuleSetResponse> RuleHandlers::SimulateRuleSet(
    const rpc::Call& call, const v1::SimulateRuleSetRequest& request) {
  const auto name = rpc::ParseNumberedName("ruleSets/{}", request.name());
  const int64_t number = name ? name->front() : 0;
  GUILDER_ASSIGN_OR_RETURN(
      const Subject subject,
      pool_.Read([&](Transaction& tx) { return ReadSubject(tx, programme_.id, number); },
                 call.deadline()));
  const std::optional<Timestamp> from = rpc::FromProto(request.from());
  const std::optional<Timestamp> until =
      request.has_until() ? rpc::FromProto(request.until()) : subject.now;
  if (!request.has_from() || !from || !until) {
    return Refuse(Reason::kRequestMalformed, "from or until is missing or out of range");
  }
  std::vector<PartnerId> partners;
  if (request.partner().empty()) {
    partners = subject.configuration->partner_ids();
  } else {
    const auto slug = rpc::ParseName("partners/{}", request.partner());
    const ledger::Partner* partner =
        slug ? subject.configuration->FindPartner((*slug)[0]) : nullptr;
    if (partner == nullptr) return Refuse(Reason::kPartnerNotFound);
    partners.push_back(partner->id);
  }
  Simulation simulation(*subject.before, *subject.after, *subject.configuration);
  SalesInOrder sales(pool_, partners, *from, *until);
  std::optional<Timestamp> incomplete_at;
  while (true) {
    if (absl::Now() > call.deadline()) return Refuse(Reason::kDeadlineExceeded);
    GUILDER_ASSIGN_OR_RETURN(const std::optional<Sale> sale, sales.Next());
    if (!sale) break;
    if (simulation.result().purchases == kMostPurchases) {
      incomplete_at = sale->posted_at;
      break;
    }
    simulation.Add(*sale);
  }
  v1::SimulateRuleSetResponse response = ToProto(simulation.result());
  if (incomplete_at) *response.mutable_incomplete_at() = rpc::ToProto(*incomplete_at);
  return response;
}

}  // namespace guilder::accrual
