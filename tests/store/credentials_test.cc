#include "libs/security/store/credentials.h"

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/pool.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::security {
namespace {

using guilder::testing::TestDatabase;

struct Fixture {
  TestDatabase db;
  Secrets secrets = Secrets::Generate();
  KeyHasher hasher{secrets.KeyPepper()};
  postgres::Pool pool{db.dsn(), 2};

  Fixture() {
    // The credential's partner is another test's subject.
    db.Query("alter table partner.credentials drop constraint credentials_partner_fk");
  }

  std::string HashOf(const std::string& key) {
    return "'\\x" + ToHex(AsView(hasher.Hash(key))) + "'";
  }

  std::string IssueKey(const std::string& id, const std::string& expires_at_us = "null") {
    const std::string key = GenerateKey(KeyKind::kPartner, id);
    db.Query("insert into partner.credentials values ('" + id + "', 7, 'Till', " + HashOf(key) +
             ", '{}', 0, " + expires_at_us + ", null)");
    return key;
  }

  std::string AddOperator(const std::string& id, const std::string& roles) {
    const std::string token = GenerateKey(KeyKind::kOperator, id);
    db.Query("insert into operator.operators values ('" + id + "', 'Name', '{" + roles + "}', " +
             HashOf(token) + ", 0, null)");
    return token;
  }
};

// What a caller of the server would get: memory first, then a fresh look.
absl::StatusOr<Principal> Ask(CredentialStore& store, const std::string& bearer) {
  auto principal = store.Authenticate(bearer);
  if (principal.ok() || ReasonOf(principal.status()) != Reason::kCredentialsInvalid) {
    return principal;
  }
  std::promise<absl::StatusOr<Principal>> fresh;
  store.AuthenticateFresh(bearer, [&](auto answer) { fresh.set_value(std::move(answer)); });
  return fresh.get_future().get();
}

TEST_CASE("Credentials: a program that states no end of a key means the one that it writes",
          "[store][security]") {
  Fixture fixture;
  fixture.IssueKey("c1", "5000000");
  fixture.IssueKey("c2");
  fixture.db.Query("update partner.credentials set expires_at_us = 1000000");

  const auto rows = fixture.db.Query(
      "select coalesce(stated_end_us, 0) from partner.credentials order by credential_id");

  CHECK(rows[0].Int(0) == 5'000'000);
  CHECK(rows[1].Int(0) == 0);
}

TEST_CASE("CredentialStore: knows partners and operators by their keys", "[store][security]") {
  Fixture fixture;
  const std::string key = fixture.IssueKey("c1");
  const std::string token = fixture.AddOperator("ann", "finance,auditor,not_a_role");
  CredentialStore store(fixture.pool, fixture.secrets);

  const auto partner = store.Authenticate(key);
  const auto op = store.Authenticate(token);

  REQUIRE(partner.ok());
  CHECK(partner->IsPartner());
  CHECK(partner->partner == PartnerId(7));
  CHECK(partner->id == "c1");
  REQUIRE(op.ok());
  CHECK(op->IsOperator());
  CHECK(op->id == "ann");
  CHECK(op->roles == Roles{Role::kFinance, Role::kAuditor});
}

TEST_CASE("CredentialStore: refuses what it does not know", "[store][security]") {
  Fixture fixture;
  const std::string key = fixture.IssueKey("c1");
  const std::string expired = fixture.IssueKey("c2", "1000000");
  CredentialStore store(fixture.pool, fixture.secrets);

  for (const std::string& bearer :
       {std::string("nonsense"), GenerateKey(KeyKind::kPartner, "c1"),
        GenerateKey(KeyKind::kPartner, "c9"), GenerateKey(KeyKind::kOperator, "c1"), expired}) {
    INFO(bearer.substr(0, 6));
    CHECK(ReasonOf(Ask(store, bearer).status()) == Reason::kCredentialsInvalid);
  }
  CHECK(Ask(store, key).ok());
}

TEST_CASE("CredentialStore: a key that was issued a moment ago works", "[store][security]") {
  Fixture fixture;
  // So rarely that only the fresh look can find it.
  CredentialStore store(fixture.pool, fixture.secrets,
                        {.refresh_every = absl::Hours(1), .max_age = absl::Hours(2)});
  const std::string key = fixture.IssueKey("c1");

  CHECK(ReasonOf(store.Authenticate(key).status()) == Reason::kCredentialsInvalid);
  CHECK(Ask(store, key).ok());
  CHECK(store.Authenticate(key).ok());
}

TEST_CASE("CredentialStore: a revocation acts within a second", "[store][security]") {
  Fixture fixture;
  const std::string key = fixture.IssueKey("c1");
  const std::string token = fixture.AddOperator("ann", "admin");
  CredentialStore store(fixture.pool, fixture.secrets);
  REQUIRE(store.Authenticate(key).ok());

  const absl::Time revoked = absl::Now();
  fixture.db.Query("update partner.credentials set revoked_at_us = 1");
  fixture.db.Query("update operator.operators set disabled_at_us = 1");
  while (store.Authenticate(key).ok() || store.Authenticate(token).ok()) std::this_thread::yield();

  CHECK(absl::Now() - revoked < absl::Seconds(2));
}

TEST_CASE("CredentialStore: without a database nobody is let in on old knowledge",
          "[store][security]") {
  Fixture fixture;
  const std::string key = fixture.IssueKey("c1");
  postgres::Pool broken("host=/nowhere dbname=none", 1);
  CredentialStore store(broken, fixture.secrets);

  CHECK(ReasonOf(store.Authenticate(key).status()) == Reason::kStoreUnavailable);
}

TEST_CASE("CredentialStore: many made-up keys share few reads", "[store][security]") {
  Fixture fixture;
  CredentialStore store(
      fixture.pool, fixture.secrets,
      {.refresh_every = absl::Hours(1), .max_age = absl::Hours(2), .max_waiting = 8});
  constexpr int kCallers = 100;
  std::atomic<int> refused = 0;
  std::promise<void> all;
  for (int i = 0; i < kCallers; ++i) {
    store.AuthenticateFresh(GenerateKey(KeyKind::kPartner, "x" + std::to_string(i)),
                            [&](absl::StatusOr<Principal> answer) {
                              if (answer.ok()) std::abort();
                              if (++refused == kCallers) all.set_value();
                            });
  }
  all.get_future().wait();
  CHECK(refused == kCallers);
}

}  // namespace
}  // namespace guilder::security
