#include "services/accrual/store/rule_sets.h"

#include <limits>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"

namespace guilder::accrual {
namespace {

// Every statement that gives a rule set gives these columns.
#define GUILDER_RULE_SET_COLUMNS_                                                         \
  "rule_set_id, state = 'APPROVED', effective_from_us, rules, proposed_by, approved_by, " \
  "state = 'REJECTED' "

constexpr postgres::Statement kInsert{"rules.insert", R"sql(
  insert into accrual.rule_sets (state, effective_from_us, rules, proposed_by)
  values ('PROPOSED', $1, $2, $3)
  returning )sql" GUILDER_RULE_SET_COLUMNS_};

constexpr postgres::Statement kFind{"rules.find", "select " GUILDER_RULE_SET_COLUMNS_ R"sql(
    from accrual.rule_sets
   where rule_set_id = $1
)sql"};

constexpr postgres::Statement kLock{"rules.lock", "select " GUILDER_RULE_SET_COLUMNS_ R"sql(
    from accrual.rule_sets
   where rule_set_id = $1
     for no key update
)sql"};

constexpr postgres::Statement kList{"rules.list", "select " GUILDER_RULE_SET_COLUMNS_ R"sql(
    from accrual.rule_sets
   where rule_set_id > $1
   order by rule_set_id
   limit $2
)sql"};

constexpr postgres::Statement kApproved{"rules.approved", "select " GUILDER_RULE_SET_COLUMNS_ R"sql(
    from accrual.rule_sets
   where state = 'APPROVED'
   order by effective_from_us, rule_set_id
)sql"};

#undef GUILDER_RULE_SET_COLUMNS_

constexpr postgres::Statement kApprove{"rules.approve", R"sql(
  update accrual.rule_sets
     set state = 'APPROVED', approved_by = $2
   where rule_set_id = $1
)sql"};

constexpr postgres::Statement kReject{"rules.reject", R"sql(
  update accrual.rule_sets set state = 'REJECTED' where rule_set_id = $1
)sql"};

constexpr postgres::Statement kPartners{"rules.partners", R"sql(
  select slug, partner_id
    from partner.partners
   where slug = any($1::text[])
)sql"};

constexpr postgres::Statement kStores{"rules.stores", R"sql(
  select p.slug, s.code, s.store_id
    from unnest($1::text[], $2::text[]) as named (slug, code)
    join partner.partners p on p.slug = named.slug
    join partner.stores s on s.partner_id = p.partner_id and s.code = named.code
)sql"};

constexpr postgres::Statement kAddCaps{"rules.add_caps", R"sql(
  insert into accrual.caps (cap_id, scope, period)
  select * from unnest($1::text[], $2::text[], $3::text[])
      on conflict (cap_id, scope, period) do nothing
)sql"};

constexpr postgres::Statement kCapSerials{"rules.cap_serials", R"sql(
  select w.place, c.cap_serial
    from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as w (place, cap_id, scope, period)
    join accrual.caps c on c.cap_id = w.cap_id and c.scope = w.scope and c.period = w.period
)sql"};

std::string ScopeName(const rules::Cap& cap) {
  constexpr const char* kNames[] = {"RECEIPT", "MEMBER", "PARTNER", "CAMPAIGN"};
  return kNames[static_cast<size_t>(cap.scope)];
}

std::string PeriodName(const rules::Cap& cap) {
  constexpr const char* kNames[] = {"EVER", "DAY", "WEEK", "MONTH", "YEAR"};
  return kNames[static_cast<size_t>(cap.period)];
}

StoredRuleSet FromRow(const postgres::Row& row) {
  StoredRuleSet rule_set;
  rule_set.number = row.Int(0);
  rule_set.approved = row.Bool(1);
  rule_set.effective_from = row.Id<Timestamp>(2);
  rule_set.rules = row.Bytes(3);
  rule_set.proposed_by = row.Text(4);
  rule_set.approved_by = row.Text(5);
  rule_set.rejected = row.Bool(6);
  return rule_set;
}

std::vector<StoredRuleSet> FromRows(const postgres::Rows& rows) {
  std::vector<StoredRuleSet> rule_sets;
  for (const postgres::Row row : rows) rule_sets.push_back(FromRow(row));
  return rule_sets;
}

absl::StatusOr<StoredRuleSet> OnlyRow(postgres::Transaction& transaction,
                                      const postgres::Statement& statement, int64_t number) {
  // The column is an int, and numbers come from callers.
  if (number > std::numeric_limits<int32_t>::max()) return Refuse(Reason::kRuleSetNotFound);
  const postgres::Rows rows = transaction.Execute(statement, postgres::Params().Int(number));
  if (rows.empty()) return Refuse(Reason::kRuleSetNotFound);
  return FromRow(rows[0]);
}

}  // namespace

StoredRuleSet InsertRuleSet(postgres::Transaction& transaction, const StoredRuleSet& rule_set) {
  return FromRow(transaction.Execute(kInsert, postgres::Params()
                                                  .Int(rule_set.effective_from)
                                                  .Bytes(rule_set.rules)
                                                  .Text(rule_set.proposed_by))[0]);
}

absl::StatusOr<StoredRuleSet> FindRuleSet(postgres::Transaction& transaction, int64_t number) {
  return OnlyRow(transaction, kFind, number);
}

absl::StatusOr<StoredRuleSet> LockRuleSet(postgres::Transaction& transaction, int64_t number) {
  return OnlyRow(transaction, kLock, number);
}

std::vector<StoredRuleSet> ListRuleSets(postgres::Transaction& transaction, int64_t after,
                                        int limit) {
  if (after >= std::numeric_limits<int32_t>::max()) return {};
  return FromRows(transaction.Execute(kList, postgres::Params().Int(after).Int(limit)));
}

void MarkRuleSetRejected(postgres::Transaction& transaction, int64_t number) {
  transaction.Execute(kReject, postgres::Params().Int(number));
}

void MarkRuleSetApproved(postgres::Transaction& transaction, int64_t number,
                         const std::string& approved_by) {
  transaction.Execute(kApprove, postgres::Params().Int(number).Text(approved_by));
}

std::vector<StoredRuleSet> ApprovedRuleSets(postgres::Transaction& transaction) {
  return FromRows(transaction.Execute(kApproved));
}

void AddCaps(postgres::Transaction& transaction, const rules::RuleSet& rule_set) {
  std::vector<rules::Cap> counted;
  for (const rules::Cap& cap : rule_set.caps) {
    if (cap.scope != rules::CapScope::kReceipt) counted.push_back(cap);
  }
  if (counted.empty()) return;
  transaction.Execute(kAddCaps, postgres::Params()
                                    .TextArray(counted, &rules::Cap::id)
                                    .TextArray(counted, ScopeName)
                                    .TextArray(counted, PeriodName));
}

std::vector<int32_t> CapSerials(postgres::Transaction& transaction,
                                const rules::RuleSet& rule_set) {
  const std::vector<rules::Cap>& caps = rule_set.caps;
  std::vector<int32_t> serials(caps.size());
  if (caps.empty()) return serials;
  std::vector<int64_t> places(caps.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int64_t>(i);
  const postgres::Rows rows = transaction.Execute(kCapSerials, postgres::Params()
                                                                   .IntArray(places)
                                                                   .TextArray(caps, &rules::Cap::id)
                                                                   .TextArray(caps, ScopeName)
                                                                   .TextArray(caps, PeriodName));
  for (const postgres::Row row : rows) {
    serials[static_cast<size_t>(row.Int(0))] = static_cast<int32_t>(row.Int(1));
  }
  return serials;
}

RuleNames ReadRuleNames(postgres::Transaction& transaction, const NamesInRules& names) {
  RuleNames found;
  for (const postgres::Row row :
       transaction.Execute(kPartners, postgres::Params().TextArray(names.partner_slugs))) {
    found.partners.emplace(absl::StrCat("partners/", std::string(row.Text(0))),
                           row.Id<PartnerId>(1));
  }
  const postgres::Params stores =
      postgres::Params()
          .TextArray(names.stores, &NamesInRules::StoreName::partner_slug)
          .TextArray(names.stores, &NamesInRules::StoreName::code);
  for (const postgres::Row row : transaction.Execute(kStores, stores)) {
    found.stores.emplace(
        absl::StrCat("partners/", std::string(row.Text(0)), "/stores/", std::string(row.Text(1))),
        row.Id<StoreId>(2));
  }
  return found;
}

}  // namespace guilder::accrual
