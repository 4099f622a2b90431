// What the services' database roles may do.
#include "libs/postgres/roles.h"

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

#include "libs/postgres/connection.h"
#include "libs/postgres/status.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::postgres {
namespace {

struct Roles {
  Roles() {
    auto connection = Connection::Open(database.dsn());
    REQUIRE(connection.ok());
    // Twice: it may be repeated.
    REQUIRE(MakeRoles(*connection).ok());
    REQUIRE(RenewRoles(*connection).ok());
  }

  // The SQLSTATE of what a service does; empty when it may.
  std::string Try(const std::string& service, const std::string& sql) {
    auto connection = Connection::Open(AsRole(database.dsn(), "guilder_" + service));
    if (!connection.ok()) return connection.status().ToString();
    const absl::Status done = RunInTransaction(*connection, [&](Transaction& transaction) {
      transaction.Script(sql);
      return absl::OkStatus();
    });
    if (done.ok()) return "";
    const std::string state = SqlStateOf(done);
    return state.empty() ? done.ToString() : state;
  }

  testing::TestDatabase database;
};

constexpr char kDenied[] = "42501";

TEST_CASE("Roles: a service writes its own tables, and no other's", "[store][postgres]") {
  Roles roles;
  CHECK(roles.Try("partner", "update partner.partners set revision = revision").empty());
  CHECK(roles.Try("partner", "insert into ledger.journal default values") == kDenied);
  CHECK(roles.Try("partner", "insert into ledger.entries default values") == kDenied);
  CHECK(roles.Try("partner", "update ledger.accounts set book = book") == kDenied);
  CHECK(roles.Try("partner", "update ledger.lots set book = book") == kDenied);
  CHECK(roles.Try("partner", "update settlement.obligations set paid = 0") == kDenied);
  CHECK(roles.Try("partner", "update operator.operators set roles = '{admin}'") == kDenied);
  CHECK(roles.Try("settlement", "update partner.contracts set rate_micros = 1") == kDenied);
  CHECK(roles.Try("accrual", "update partner.credentials set scopes = '{ADMIN}'") == kDenied);
  CHECK(roles.Try("operator", "insert into partner.point_blocks default values") == kDenied);
  for (const char* const service : {"partner", "accrual", "member", "redemption", "settlement"}) {
    CAPTURE(service);
    CHECK(roles.Try(service, "select count(*) from ledger.journal").empty());
    CHECK(roles.Try(service, "create table ledger.mine (x int)") == kDenied);
    CHECK(roles.Try(service, "select ledger.ensure_partitions(0, 0)") == kDenied);
  }
  CHECK(roles.Try("operator", "select ledger.ensure_partitions(0, 0)").empty());
}

TEST_CASE("Roles: nobody changes or removes what happened", "[store][postgres][inv-99]") {
  Roles roles;
  for (const char* const service :
       {"partner", "accrual", "member", "redemption", "settlement", "operator"}) {
    for (const char* const table :
         {"ledger.journal", "ledger.entries", "ledger.claims", "operator.audit_log"}) {
      CAPTURE(service, table);
      CHECK(roles.Try(service, absl::StrCat("delete from ", table)) == kDenied);
      CHECK(roles.Try(service, absl::StrCat("truncate ", table)) == kDenied);
    }
    CHECK(roles.Try(service, "update ledger.journal set book = book") == kDenied);
    CHECK(roles.Try(service, "update ledger.entries set book = book") == kDenied);
    CHECK(roles.Try(service, "update operator.audit_log set actor = ''") == kDenied);
  }
}

// Those that several services write say so in services/README.md.
TEST_CASE("Roles: every table has a writer, and one outside of the ledger", "[store][postgres]") {
  Roles roles;
  std::map<std::string, std::set<std::string>> writers;
  for (const auto& row : roles.database.Query(R"sql(
         select n.nspname || '.' || c.relname, coalesce(r.rolname, '')
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           left join pg_roles r
             on r.rolname like 'guilder\_%' and r.rolname <> 'guilder_dev_lanes'
            and (has_table_privilege(r.oid, c.oid, 'insert') or has_table_privilege(r.oid, c.oid, 'update'))
          where c.relkind in ('r', 'p')
            and not c.relispartition
            and n.nspname not in ('pg_catalog', 'information_schema', 'public')
       )sql")) {
    writers[std::string(row.Text(0))].insert(std::string(row.Text(1)));
  }
  // What all write; what an erasure destroys elsewhere; what becomes of a card that is first shown
  // by a purchase.
  const std::set<std::string> shared = {
      "operator.audit_log",      "operator.audit_head", "operator.approvals",
      "partner.credential_uses", "redemption.members",  "member.cards",
      "member.card_events",      "member.stock_cards",  "member.unclaimed_accounts"};
  CHECK(writers.size() > 70);
  for (const auto& [table, of] : writers) {
    CAPTURE(table);
    if (table == "ledger.programmes") continue;  // Written once, by `guilder setup`.
    CHECK_FALSE(of.contains(""));
    if (shared.contains(table) || table.starts_with("ledger.")) continue;
    CHECK(of.size() == 1);
  }
}

}  // namespace
}  // namespace guilder::postgres
