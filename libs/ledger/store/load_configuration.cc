#include "libs/ledger/store/load_configuration.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/load_calendar.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kProgramme{"ledger.load_programme", R"sql(
  select c.version, p.slug, p.currency, p.currency_exponent, p.mode, p.welcome_points, p.started_at_us
    from ledger.programmes p join ledger.configuration c using (programme_id)
   where p.programme_id = $1
)sql"};

constexpr Statement kVersion{"ledger.configuration_version", R"sql(
  select version from ledger.configuration where programme_id = $1
)sql"};

constexpr Statement kExpiryPolicies{"ledger.load_expiry_policies", R"sql(
  select set_at_us, expiry_kind, expiry_months, expiry_month, expiry_day, expiry_activities,
         minimum_life_days
    from member.points_policies
   where programme_id = $1
   order by version
)sql"};

constexpr Statement kPartners{"ledger.load_partners", R"sql(
  select partner_id, slug, state, programme_operator, last_issue_us, last_redemption_us,
         last_return_us, e.stage,
         exists (select from ledger.limits l where l.limit_id = partner_id * 16::bigint + $2)
    from partner.partners
    left join partner.exposure_states e using (partner_id)
   where programme_id = $1
   order by partner_id
)sql"};

constexpr Statement kContracts{"ledger.load_contracts", R"sql(
  select c.partner_id, c.kind, c.contract_id, c.number, c.effective_from_us, c.effective_until_us,
         c.rate_micros, c.activation_days, c.default_outcome, c.lot_life_days, c.funding, c.when_exhausted,
         c.currency, c.minimum_points, c.step_points, c.maximum_share_per_mille,
         array_to_string(c.excluded_categories, E'\x1F'), array_to_string(c.excluded_skus, E'\x1F'),
         c.points_use, array_to_string(c.points_use_partners, E'\x1F')
    from partner.contracts c join partner.partners p using (partner_id)
   where p.programme_id = $1 and c.state = 'APPROVED'
   order by c.partner_id, c.effective_from_us
)sql"};

constexpr Statement kRedemptionPolicy{"ledger.load_redemption_policy", R"sql(
  select number, consumption_order, grace_days, step_up_points, max_failed_attempts, review_redemptions,
         review_period_seconds, review_new_device_per_mille, review_seconds
    from redemption.policies
   where programme_id = $1
   order by number desc
   limit 1
)sql"};

constexpr Statement kStores{"ledger.load_stores", R"sql(
  select s.partner_id, s.code, s.store_id, s.open, t.code, s.time_zone, s.any_terminal
    from partner.stores s join partner.partners p using (partner_id)
    left join partner.terminals t using (store_id)
   where p.programme_id = $1
)sql"};

PartnerState ParsePartnerState(std::string_view text) {
  constexpr std::pair<std::string_view, PartnerState> kStates[] = {
      {"DRAFT", PartnerState::kDraft},           {"SUBMITTED", PartnerState::kSubmitted},
      {"IN_REVIEW", PartnerState::kInReview},    {"ACTIVE", PartnerState::kActive},
      {"SUSPENDED", PartnerState::kSuspended},   {"TERMINATING", PartnerState::kTerminating},
      {"TERMINATED", PartnerState::kTerminated},
  };
  for (const auto& [name, state] : kStates) {
    if (name == text) return state;
  }
  return PartnerState::kDraft;
}

ExposureStage ParseStage(std::string_view text) {
  if (text == "WARN") return ExposureStage::kWarn;
  if (text == "NO_BONUS") return ExposureStage::kNoBonus;
  if (text == "NO_ISSUANCE") return ExposureStage::kNoIssuance;
  if (text == "REDEMPTION_ONLY") return ExposureStage::kRedemptionOnly;
  return ExposureStage::kNormal;
}

// What array_to_string joined; no entry holds the separator.
std::set<std::string, std::less<>> Goods(std::string_view joined) {
  std::set<std::string, std::less<>> goods;
  for (const absl::string_view text : absl::StrSplit(ToAbsl(joined), '\x1F', absl::SkipEmpty())) {
    goods.emplace(text);
  }
  return goods;
}

// As partner.contracts.points_use has it.
Restriction RestrictionOf(const std::map<std::string, PartnerId, std::less<>>& partners,
                          PartnerId issuer, int64_t points_use, std::string_view slugs) {
  constexpr int64_t kAtIssuer = 1;
  constexpr int64_t kGifts = 2;
  constexpr int64_t kAtPartners = 3;
  if (points_use == kGifts) return kOnlyGifts;
  if (points_use != kAtPartners) return points_use == kAtIssuer ? issuer : PartnerId();
  std::vector<PartnerId> listed;
  for (const std::string& slug : Goods(slugs)) {
    const auto partner = partners.find(slug);
    if (partner != partners.end()) listed.push_back(partner->second);
  }
  // Points that nobody is left for are not spent anywhere.
  if (listed.empty()) return Restriction(kOnlyListed, {});
  return Restriction::OnlyAt(std::move(listed));
}

RedemptionPolicy ReadRedemptionPolicy(const Row& row) {
  RedemptionPolicy policy;
  policy.number = row.Int(0);
  policy.order = row.Enum<ConsumptionOrder>(1);
  policy.grace_days = static_cast<int>(row.Int(2));
  policy.step_up_points = row.Id<Points>(3);
  policy.max_failed_attempts = static_cast<int>(row.Int(4));
  policy.review_redemptions = static_cast<int>(row.Int(5));
  policy.review_period_seconds = row.Int(6);
  policy.review_new_device_per_mille = static_cast<int>(row.Int(7));
  policy.review_seconds = row.Int(8);
  return policy;
}

Contract ReadContract(const Row& row) {
  Contract contract;
  contract.id = row.Id<ContractId>(2);
  contract.number = static_cast<int>(row.Int(3));
  contract.effective_from = row.Id<Timestamp>(4);
  contract.effective_until = row.OptionalId<Timestamp>(5).value_or(kNever);
  contract.rate_micros = row.Int(6);
  contract.currency = ParseCurrency(row.Text(12)).value_or(Currency{});
  contract.activation_days = static_cast<int>(row.Int(7));
  contract.on_due = row.Text(8) == "CANCEL" ? OnDue::kCancel : OnDue::kActivate;
  contract.lot_life_days = static_cast<int>(row.Int(9));
  if (row.Text(10) == "PREPAID_BLOCK") contract.limit = PointBlocksOf(row.Id<PartnerId>(0));
  contract.when_exhausted =
      row.Text(11) == "ISSUE_NOTHING" ? WhenExhausted::kIssueNothing : WhenExhausted::kRefuse;
  RedemptionTerms& redemption = contract.redemption;
  redemption.minimum = row.Id<Points>(13);
  redemption.step = row.Id<Points>(14);
  redemption.maximum_share_per_mille = static_cast<int>(row.Int(15));
  redemption.excluded_categories = Goods(row.Text(16));
  redemption.excluded_skus = Goods(row.Text(17));
  return contract;
}

// Credit is what a partner may owe in the programme's currency. What it does not cover is recorded
// without points, as in the stage that follows.
void LimitByCredit(const Partner& partner, const Currency& currency, Contract& contract) {
  if (contract.limit || contract.currency != currency) return;
  contract.limit = CreditOf(partner.id);
  contract.when_exhausted = WhenExhausted::kIssueNothing;
}

std::vector<Partner> ReadPartners(postgres::Transaction& tx, const Programme& programme,
                                  PartnerId& operator_partner) {
  const Params of_programme = Params().Int(programme.id);
  std::map<PartnerId, Partner> partners;
  std::set<PartnerId> on_credit;
  std::map<std::string, PartnerId, std::less<>> ids;
  const Params and_kind = Params().Int(programme.id).Int(static_cast<int64_t>(LimitKind::kCredit));
  for (const Row& row : tx.Execute(kPartners, and_kind)) {
    Partner& partner = partners[row.Id<PartnerId>(0)];
    partner.id = row.Id<PartnerId>(0);
    partner.slug = row.Text(1);
    ids[partner.slug] = partner.id;
    partner.state = ParsePartnerState(row.Text(2));
    if (row.Bool(3)) operator_partner = partner.id;
    if (!row.IsNull(7)) partner.stage = ParseStage(row.Text(7));
    if (row.Bool(8)) on_credit.insert(partner.id);
    if (!row.IsNull(4)) {
      partner.run_off = {row.Id<Timestamp>(4), row.Id<Timestamp>(5), row.Id<Timestamp>(6)};
    }
  }
  for (const Row& row : tx.Execute(kContracts, of_programme)) {
    Partner& partner = partners[row.Id<PartnerId>(0)];
    const bool issuance = row.Text(1) == "ISSUANCE";
    Contract contract = ReadContract(row);
    contract.restricted_to = RestrictionOf(ids, partner.id, row.Int(18), row.Text(19));
    if (issuance && on_credit.contains(partner.id)) {
      LimitByCredit(partner, programme.currency, contract);
    }
    (issuance ? partner.issuance : partner.redemption).push_back(std::move(contract));
  }
  for (const Row& row : tx.Execute(kStores, of_programme)) {
    Store& store = partners[row.Id<PartnerId>(0)].stores[std::string(row.Text(1))];
    store.id = row.Id<StoreId>(2);
    store.open = row.Bool(3);
    // What was checked when it was set; where the system has no such zone any more, UTC stays.
    absl::LoadTimeZone(std::string(row.Text(5)), &store.time_zone);
    store.any_terminal = row.Bool(6);
    if (!row.IsNull(4)) store.terminals.emplace(row.Text(4));
  }
  std::vector<Partner> list;
  for (auto& [id, partner] : partners) list.push_back(std::move(partner));
  return list;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Configuration>> LoadConfiguration(postgres::Transaction& tx,
                                                                       ProgrammeId id) {
  const Params of_programme = Params().Int(id);
  const postgres::Rows rows = tx.Execute(kProgramme, of_programme);
  if (rows.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no programme ", id.value(), " in this database"));
  }
  const Row row = rows[0];
  Programme programme;
  programme.id = id;
  programme.slug = row.Text(1);
  programme.currency = ParseCurrency(row.Text(2)).value_or(Currency{});
  programme.currency_exponent = static_cast<int>(row.Int(3));
  programme.mode = row.Text(4);
  programme.welcome_points = row.Id<Points>(5);
  programme.started_at = row.Id<Timestamp>(6);
  for (const Row& policy : tx.Execute(kExpiryPolicies, of_programme)) {
    programme.expiry.push_back({policy.Id<Timestamp>(0), policy.Enum<ExpiryKind>(1),
                                static_cast<int>(policy.Int(2)), static_cast<int>(policy.Int(3)),
                                static_cast<int>(policy.Int(4)), static_cast<int>(policy.Int(5)),
                                static_cast<int>(policy.Int(6))});
  }
  const postgres::Rows policies = tx.Execute(kRedemptionPolicy, of_programme);
  if (!policies.empty()) programme.redemption = ReadRedemptionPolicy(policies[0]);

  GUILDER_ASSIGN_OR_RETURN(Calendar calendar, LoadCalendar(tx, id));

  PartnerId operator_partner;
  std::vector<Partner> partners = ReadPartners(tx, programme, operator_partner);
  return std::make_shared<const Configuration>(
      row.Int(0), std::move(programme), std::move(calendar), std::move(partners), operator_partner);
}

absl::StatusOr<std::shared_ptr<const Configuration>> CurrentConfiguration(
    postgres::Transaction& tx, std::shared_ptr<const Configuration> known) {
  const ProgrammeId programme = known->programme().id;
  const postgres::Rows rows = tx.Execute(kVersion, Params().Int(programme));
  if (!rows.empty() && rows[0].Int(0) == known->version()) return known;
  return LoadConfiguration(tx, programme);
}

}  // namespace guilder::ledger
