#include "services/cli/dev/store/operators.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/security/keys.h"
#include "libs/security/secrets.h"

namespace guilder::cli::dev {
namespace {

constexpr const char* kRoles[] = {"admin",   "submitter",        "reviewer", "approver",
                                  "finance", "finance_approver", "support",  "auditor"};

constexpr postgres::Statement kPutOperator{"dev.put_operator", R"sql(
  insert into operator.operators (operator_id, display_name, roles, token_hash, created_at_us)
  values ($1, $2, $3::text[], $4, (extract(epoch from now()) * 1000000)::bigint)
      on conflict (operator_id) do update set token_hash = excluded.token_hash
)sql"};

// Ids are of letters, digits and '-'.
std::string OperatorId(std::string role) {
  std::replace(role.begin(), role.end(), '_', '-');
  return role;
}

}  // namespace

void PutOperators(postgres::Transaction& transaction, const security::Secrets& secrets,
                  const std::map<std::string, std::string>& tokens) {
  const security::KeyHasher hasher(secrets.KeyPepper());
  for (const auto& [role, token] : tokens) {
    transaction.Execute(kPutOperator, postgres::Params()
                                          .Text(OperatorId(role))
                                          .Text(absl::StrCat("The ", role))
                                          .TextArray(std::initializer_list<std::string>{role})
                                          .Bytes(hasher.Hash(token)));
  }
}

std::map<std::string, std::string> NewTokens() {
  std::map<std::string, std::string> tokens;
  for (const char* const role : kRoles) {
    tokens[role] = security::GenerateKey(security::KeyKind::kOperator, OperatorId(role));
  }
  return tokens;
}

}  // namespace guilder::cli::dev
