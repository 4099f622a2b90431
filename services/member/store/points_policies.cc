#include "services/member/store/points_policies.h"

#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Statement;

constexpr Statement kReadPolicy{"member.read_points_policy", R"sql(
  select version, terms
    from member.points_policies
   where programme_id = $1
   order by version desc
   limit 1
)sql"};

constexpr Statement kInsertPolicy{"member.insert_points_policy", R"sql(
  insert into member.points_policies (programme_id, version, set_at_us, set_by, terms,
                                      expiry_kind, expiry_months, expiry_month, expiry_day,
                                      expiry_activities, minimum_life_days, residences,
                                      residence_grace_days)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text[], $13)
      on conflict (programme_id, version) do nothing
  returning version
)sql"};

}  // namespace

StoredPolicy ReadPolicy(postgres::Transaction& transaction, ProgrammeId programme) {
  const postgres::Rows rows = transaction.Execute(kReadPolicy, Params().Int(programme));
  if (rows.empty()) return {};
  return {rows[0].Int(0), rows[0].Bytes(1), {}, {}, 0};
}

bool InsertPolicy(postgres::Transaction& transaction, ProgrammeId programme,
                  const StoredPolicy& policy, Timestamp now, const std::string& set_by) {
  return !transaction
              .Execute(kInsertPolicy, Params()
                                          .Int(programme)
                                          .Int(policy.version)
                                          .Int(now)
                                          .Text(set_by)
                                          .Bytes(policy.terms)
                                          .Int(policy.expiry.kind)
                                          .Int(policy.expiry.months)
                                          .Int(policy.expiry.month)
                                          .Int(policy.expiry.day)
                                          .Int(policy.expiry.activities)
                                          .Int(policy.expiry.minimum_life_days)
                                          .TextArray(policy.residences)
                                          .Int(policy.residence_grace_days))
              .empty();
}

}  // namespace guilder::member
